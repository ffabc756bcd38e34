"""The app in a real browser, on a ledger that the product's own procedure filled; no worker runs here."""

import os
from pathlib import Path

import pytest
from browser import PATIENCE, ask, browser, free_port, open_page
from playwright.sync_api import expect
from small_court import try_claims

from agent.config import Config
from agent.court import Court
from agent.library import open_library
from ui.serve import AppServer

pytestmark = pytest.mark.browser

NOTE = """---
id: leaky
title: Leaky note
category: concept
---
Words of a leaky note. ![pixel](https://remote.example/pixel.png) <img src="https://remote.example/html.png">
"""


@pytest.fixture(scope="module")
def chrome():
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    config = Config.at(tmp_path_factory.mktemp("data") / "home")
    try_claims(config, ("necessity", "23.0"), ("necessity", "5.1"), ("necessity", "20.0"))
    note = tmp_path_factory.mktemp("wiki") / "leaky.md"
    note.write_text(NOTE, encoding="utf-8")
    with open_library(config) as library:
        library.add(note)
    return config


@pytest.fixture(scope="module")
def url(config: Config):
    patch = pytest.MonkeyPatch()
    for name in [name for name in os.environ if name.startswith("CIRCUIT_COURT_")]:
        patch.delenv(name)
    with AppServer(config, free_port()) as server:
        server.wait_until_ready()
        yield server.url
    patch.undo()


def test_a_claim_shows_its_verdict_its_charts_and_their_tables(chrome, url):
    page = open_page(chrome, viewport={"width": 1400, "height": 1000})
    page.goto(f"{url}/claims")
    expect(page.get_by_role("heading", name="contributes to IOI")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".js-plotly-plot")).to_have_count(3, timeout=PATIENCE)
    expect(page.get_by_text("supported").first).to_be_visible()
    expect(page.get_by_test_id("stTable").first).to_contain_text("resample harm at least 0.05")
    page.close()


def test_pressing_another_claim_opens_it_and_the_address_names_it(chrome, url):
    page = open_page(chrome)
    page.goto(f"{url}/claims")
    page.get_by_role("button", name="head a23.h0 is necessary for IOI").click(timeout=PATIENCE)
    expect(page.get_by_text("masked by downstream compensation").first).to_be_visible(timeout=PATIENCE)
    assert "claim=c" in page.url
    page.reload()
    expect(page.get_by_text("masked by downstream compensation").first).to_be_visible(timeout=PATIENCE)
    page.close()


@pytest.mark.parametrize(
    ("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(18, 22, 31)")], ids=["light", "dark"]
)
def test_the_app_wears_the_theme_of_the_system(chrome, url, scheme, ground):
    context = chrome.new_context(color_scheme=scheme)
    page = open_page(context)
    page.goto(url)
    expect(page.get_by_role("heading", name="What shall be put on trial?")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor") == ground
    context.close()


def test_nothing_is_asked_of_any_other_machine_even_by_a_note_with_images(chrome, url):
    page = open_page(chrome)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path, sign in (("", "What shall be put on trial?"), ("/claims", "Predictions"), ("/library", "Library")):
        page.goto(url + path)
        expect(page.get_by_text(sign).first).to_be_visible(timeout=PATIENCE)
    page.goto(f"{url}/library?note=leaky")
    expect(page.get_by_text("Words of a leaky note")).to_be_visible(timeout=PATIENCE)
    page.wait_for_timeout(500)
    assert len(asked) > 10
    assert [
        address for address in asked if not address.startswith((url, url.replace("http", "ws"), "data:", "blob:"))
    ] == []
    page.close()


def test_the_default_clutter_is_gone(chrome, url):
    page = open_page(chrome)
    page.goto(url)
    expect(page.get_by_role("heading", name="What shall be put on trial?")).to_be_visible(timeout=PATIENCE)
    assert page.get_by_test_id("stAppDeployButton").count() == 0
    assert page.get_by_test_id("stMainMenu").count() == 0
    page.close()


def test_a_reload_and_another_window_find_the_same_run_and_stop_ends_it(chrome, url, config):
    page = open_page(chrome)
    page.goto(url)
    ask(page, "유도 헤드란 무엇인가요?")
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=PATIENCE)
    run_id = page.url.partition("run=")[2].partition("&")[0]
    page.reload()
    expect(page.get_by_text("유도 헤드란 무엇인가요?").first).to_be_visible(timeout=PATIENCE)
    other = open_page(chrome)
    other.goto(page.url)
    other.get_by_role("button", name="Stop").click(timeout=PATIENCE)
    expect(other.get_by_text("You stopped this run")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("You stopped this run")).to_be_visible(timeout=PATIENCE)
    court = Court(config)
    assert court.run(run_id).status == "cancelled"
    court.close()
    page.close()
    other.close()


def test_progress_is_drawn_while_it_happens(chrome, url, config):
    court = Court(config)
    run_id = court.ask("Is head 20.0 necessary for IOI?")
    runs = court.ledger.runs
    runs.start(run_id)
    page = open_page(chrome)
    page.goto(f"{url}/?run={run_id}")
    runs.emit(run_id, "tool", {"call_id": "t", "tool": "verify_claim", "arguments": {"claim": "head 20.0"}})
    runs.emit(run_id, "progress", {"done": 0.25, "text": "head-ablation: 8 of 32", "experiment": "head-ablation"})
    expect(page.get_by_text("head-ablation: 8 of 32").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("verify claim: head 20.0").first).to_be_visible()
    runs.emit(run_id, "progress", {"done": 0.75, "text": "head-ablation: 24 of 32", "experiment": "head-ablation"})
    expect(page.get_by_text("head-ablation: 24 of 32").first).to_be_visible(timeout=PATIENCE)
    runs.end(run_id, "failed", error="the model went away")
    expect(page.get_by_text("the model went away")).to_be_visible(timeout=PATIENCE)
    court.close()
    page.close()


@pytest.mark.parametrize("path", ["", "/claims", "/library"])
def test_whatever_can_be_pressed_or_filled_in_has_a_name(chrome, url, path):
    page = open_page(chrome)
    page.goto(url + path)
    expect(page.locator("main :is(button, input, textarea):visible").first).to_be_visible(timeout=PATIENCE)
    page.wait_for_timeout(1500)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input:not([type=hidden]), textarea, [role=button]')]
            .filter(e => e.offsetParent !== null)
            .filter(e => !(e.innerText || e.getAttribute('aria-label') || e.getAttribute('title')
                || e.getAttribute('aria-labelledby') || (e.labels && e.labels.length)))
            .map(e => e.outerHTML.slice(0, 160))"""
    )
    assert nameless == []
    page.close()


def test_screenshots_of_every_page_in_both_themes(chrome, url, tmp_path: Path):
    for scheme in ("light", "dark"):
        context = chrome.new_context(color_scheme=scheme, viewport={"width": 1400, "height": 1000})
        page = open_page(context)
        for path, sign in (("", "What shall be put on trial?"), ("/claims", "Predictions"), ("/library", "Leaky")):
            page.goto(url + path)
            expect(page.get_by_text(sign).first).to_be_attached(timeout=PATIENCE)
            assert len(page.screenshot(path=str(tmp_path / f"{scheme}{path.replace('/', '-')}.png"))) > 10_000
        context.close()
