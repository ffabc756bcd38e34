"""What the Library page sets going: a claim's trial, the fetching of an address, a summary in the llm's words."""

import pytest

from agent.court import Court
from agent.library import open_library
from kb.fetch import Fetcher
from tests.agent.chat.standin import standin
from ui import library as opened

NOTE = """---
id: copy-head
title: Copy head
models: [gpt2-small]
claims:
  - claim: Removing the copy head lowers accuracy
    component: attention head
    refuted_if: accuracy does not fall
  - claim: The early layers hold nothing of the name
    task: greater-than
---
A copy head writes the token it attends to.

## Findings

- Removing head 9.9 lowers accuracy by 34%.
"""


@pytest.fixture
def notes(home, tmp_path):
    (tmp_path / "copy-head.md").write_text(NOTE, encoding="utf-8")
    with open_library(home) as library:
        library.add(tmp_path / "copy-head.md")
    opened.open_library.cache_clear()
    yield home
    opened.open_library.cache_clear()


@pytest.fixture
def llm(monkeypatch):
    def configure(url):
        monkeypatch.setenv("CIRCUIT_COURT_LLM", "openai:test-model")
        monkeypatch.setenv("CIRCUIT_COURT_LLM_BASE_URL", url)
        monkeypatch.setenv("CIRCUIT_COURT_LLM_API_KEY", "sk-secret-key")

    return configure


def shown(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.info, *app.error])


def claims(app) -> list[str]:
    return [button.key for button in app.button if (button.key or "").startswith("test-")]


@pytest.mark.parametrize(
    ("words", "left"),
    [("", 2), ("greater-than", 1), ("ATTENTION accuracy", 1), ("gpt2-small", 2), ("attention greater-than", 0)],
)
def test_claims_are_filtered_by_all_words_wherever_they_stand(page, notes, words, left):
    app = page("library")
    next(field for field in app.text_input if field.label == "Filter claims").set_value(words).run()
    assert not app.exception
    assert len(claims(app)) == left
    assert f"{left} claims" in [caption.value for caption in app.caption]


def test_test_this_here_asks_the_court_about_the_claim_with_its_id(page, notes):
    with open_library(notes) as library:
        claim = next(claim for claim in library.claims() if claim.component)
    app = page("library")
    app.button(key=f"test-{claim.id}").click().run()
    assert not app.exception
    court = Court(notes)
    asked = [court.run(entry.run_id).request["question"] for entry in court.runs()]
    court.close()
    assert asked == [f"Can this be tested in this model? {claim.claim} ({claim.id})"]


def enter(app, address):
    app.text_input(key="address").input(address)
    next(button for button in app.button if button.label == "Fetch").click().run()
    return app


def test_an_address_is_refused_with_the_remedy_while_fetching_is_off(page, notes):
    app = enter(page("library"), "https://example.org/paper")
    assert not app.exception
    assert "Fetching from the network is off" in app.error[0].value
    assert "CIRCUIT\\_COURT\\_FETCH=true" in app.error[0].value


def test_an_address_that_is_not_public_is_refused_though_fetching_is_on(page, notes, monkeypatch):
    monkeypatch.setenv("CIRCUIT_COURT_FETCH", "true")
    app = enter(page("library"), "http://127.0.0.1/paper")
    assert "is not a public address" in app.error[0].value


def test_what_was_fetched_is_reported_until_it_is_closed_and_stands_on_the_shelf(page, notes, monkeypatch):
    def deliver(_fetcher, name, folder):
        path = folder / "lens.md"
        path.write_text("---\ntitle: Lens\nyear: soon\n---\nA lens reads early.\n", encoding="utf-8")
        return path, f"https://{name}"

    monkeypatch.setenv("CIRCUIT_COURT_FETCH", "true")
    monkeypatch.setattr(Fetcher, "fetch", deliver)
    app = enter(page("library"), "example.org/lens.md")
    assert not app.exception
    assert "1 added" in shown(app)
    remarks = next(frame.value for frame in app.dataframe if "what to do" in frame.value)
    assert any("line 3" in remark for remark in remarks["what to do"])
    assert "Lens" in next(list(frame.value["title"]) for frame in app.dataframe if "title" in frame.value)
    app.button(key="close-fetched").click().run()
    assert "1 added" not in shown(app)


def test_without_an_llm_a_note_offers_no_wording(page, notes):
    app = page("library", note="copy-head")
    assert "write-summary" not in [button.key for button in app.button]


def test_the_llm_words_a_summary_and_what_fails_is_counted_and_listed(page, notes, llm):
    with open_library(notes) as library:
        cited = next(p.id for p in library.passages("copy-head") if p.heading.endswith("Findings"))
    reply = (
        f"findings: Removing head 9.9 lowers accuracy by 34% [^p:{cited}]\n"
        f"findings: Removing it lowers accuracy by 71% [^p:{cited}]\nIt is a wonderful head."
    )
    with standin([reply], tokens=(900, 40)) as server:
        llm(server.url)
        app = page("library", note="copy-head")
        assert not server.requests  # nothing is spent before the button is pressed
        app.button(key="write-summary").click().run()
        app.run()
        assert len(server.requests) == 1
    assert not app.exception
    words = shown(app).replace("\\", "")
    assert f"**Findings**\n\n- Removing head 9.9 lowers accuracy by 34% :small[:gray[passages {cited}]]" in words
    assert "**2 sentences dropped**" in words
    assert "the number 71% is not in what it cites" in words
    assert "it cites nothing" in words
    assert "openai:test-model: 1 call of the llm, 900 tokens in, 40 out" in words


def test_an_llm_that_refuses_the_key_is_one_sentence_without_the_key(page, notes, llm):
    with standin([401]) as server:
        llm(server.url)
        app = page("library", note="copy-head")
        app.button(key="write-summary").click().run()
    assert not app.exception
    assert "refused the key" in app.error[0].value
    assert "sk-secret" not in shown(app)
    assert any("writes the token" in element.value for element in app.markdown)  # the note itself is still there
