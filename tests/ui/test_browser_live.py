"""From a question to a verdict in a real browser, with the app and its worker started as anybody starts them."""

import pytest
from browser import PATIENCE, ask, browser, command, free_port, open_page, wait_for_health
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_question_becomes_a_verdict_that_the_claims_page_shows(tmp_path):
    env = {
        "CIRCUIT_COURT_HOME": str(tmp_path / "home"),
        "CIRCUIT_COURT_MODEL": "planted:induction",
        "CIRCUIT_COURT_TASK": "planted-induction",
    }
    port = free_port()
    with command("app", "--port", str(port), env=env), browser() as chrome:
        wait_for_health(port)
        page = open_page(chrome)
        page.goto(f"http://127.0.0.1:{port}")
        ask(page, "Is head 1.0 necessary?")
        expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=PATIENCE)
        page.reload()
        expect(page.get_by_text("Supported", exact=False).first).to_be_visible(timeout=2 * PATIENCE)
        page.get_by_role("button", name="head a1.h0 is necessary").first.click()
        expect(page.get_by_role("heading", name="a1.h0 contributes")).to_be_visible(timeout=PATIENCE)
        expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=PATIENCE)
        assert "claim=c" in page.url
