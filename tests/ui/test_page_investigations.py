import importlib.util
import sys
from pathlib import Path

import pytest

from agent.court import Court


def _report():
    """The investigation's own example report, from the tests of its words."""
    path = Path(__file__).parents[1] / "agent" / "reports.py"
    spec = importlib.util.spec_from_file_location("example_reports", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["example_reports"] = module
    spec.loader.exec_module(module)
    return module.report()


@pytest.fixture
def court(home):
    court = Court(home)
    yield court
    court.close()


@pytest.fixture
def done(court) -> str:
    run_id = court.investigate("How does it do IOI?", model="smollm2")
    court.ledger.runs.start(run_id)
    court.ledger.runs.end(run_id, "done", outcome=_report().model_dump(mode="json"))
    return run_id


def test_a_question_becomes_an_investigation(page, court):
    app = page("investigations")
    assert not app.exception
    app.text_input[0].set_value("How does this model do IOI?")
    next(b for b in app.button if b.label == "Investigate").click().run()
    assert not app.exception
    run = court.run(app.query_params["run"])
    assert (run.kind, run.request["question"]) == ("investigate", "How does this model do IOI?")


def test_an_empty_question_is_one_sentence(page, court):
    app = page("investigations")
    next(b for b in app.button if b.label == "Investigate").click().run()
    assert "The question is empty" in app.error[0].value
    assert court.runs() == []


def test_a_plan_over_the_budget_asks_and_the_answer_reaches_the_run(page, court):
    run_id = court.investigate("How does it do IOI?")
    court.ledger.runs.start(run_id)
    payload = {"estimate_seconds": 3000, "estimate_forward_passes": 9, "text": "This would take 50 minutes."}
    court.ledger.runs.emit(run_id, "approval", payload)
    app = page("investigations", run=run_id)
    assert not app.exception
    assert "50 minutes" in app.warning[0].value
    assert {b.label for b in app.button} >= {"Go on", "Not now", "Stop"}


def test_a_report_shows_answer_counts_mechanism_and_files(page, done):
    app = page("investigations", run=done)
    assert not app.exception
    words = "\n".join(m.value for m in app.markdown)
    assert app.title[0].value == "How does it do IOI?"
    assert "**Two heads do it.**" in words
    assert ":green-badge[1 supported]" in words
    assert ":red-badge[1 refuted]" in words
    assert "[^" not in words


def test_a_reports_citations_are_numbered_chips(page, done):
    app = page("investigations", run=done)
    assert any((b.key or "").startswith("chip-") and "IOI" in b.label for b in app.button)


def test_earlier_investigations_are_listed(page, done):
    app = page("investigations")
    app.button(key=f"conversation-{done}").click().run()
    assert app.query_params["run"] == done
