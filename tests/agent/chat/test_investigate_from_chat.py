"""A question in the chat becomes an investigation: its plan, its wait for a yes, its report, through a real worker."""

from pathlib import Path

import pytest

from agent.court import Court
from agent.errors import LedgerError
from tests.agent.running import ended, running_court

QUESTION = "how does this model do its task?"


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory):
    home: Path = tmp_path_factory.mktemp("chat") / "home"
    with running_court(home, patience=120.0, budget_forward_passes=1) as (opened, _):
        yield opened


def asked(court: Court, question: str = QUESTION) -> tuple[str, str]:
    """A chat turn whose investigation waits for a yes: the turn's run and the investigation's."""
    run_id = court.ask(question, model="planted:or")
    for event in court.follow(run_id):
        if event.kind == "approval":
            return run_id, event.payload["run_id"]
    pytest.fail(f"no approval was asked for: {court.run(run_id)}")


def test_the_plan_is_shown_with_its_cost_before_anything_is_registered(court: Court):
    run_id, child = asked(court)
    events = court.events(run_id)
    plan = next(event.payload for event in events if event.kind == "plan")
    assert plan["over_budget"] is True
    assert all(claim["forward_passes"] > 0 for claim in plan["claims"])
    assert "without a yes" in plan["text"]
    assert not [event for event in events if event.kind == "registered"]
    assert court.run(child).request["question"] == QUESTION
    court.cancel(run_id)
    ended(court, run_id)


def test_stopping_the_turn_stops_the_investigation_that_waits(court: Court):
    run_id, child = asked(court, "investigate how this model does its task")
    court.cancel(run_id)
    ended(court, run_id)
    ended(court, child)
    assert {court.run(run_id).status, court.run(child).status} == {"cancelled"}


def test_a_no_in_the_chat_reaches_the_investigation(court: Court):
    run_id, child = asked(court)
    court.approve(run_id, yes=False)
    ended(court, run_id)
    report = court.run(child).outcome or {}
    assert report["approved"] is False
    answer = court.answer(run_id)
    assert answer is not None
    assert "was not approved" in answer.text
    with pytest.raises(LedgerError, match="does not wait"):
        court.approve(run_id, yes=True)


def test_a_yes_in_the_chat_ends_in_a_summary_that_links_the_report(court: Court):
    run_id, child = asked(court, "이 모델은 과제를 어떻게 하나요?")
    court.approve(run_id, yes=True)
    events = ended(court, run_id)
    answer = court.answer(run_id)
    assert answer is not None, court.run(run_id).error
    assert answer.investigations == [child]
    assert answer.struck == []
    assert "지지됨" in answer.text
    report = court.run(child).outcome or {}
    assert set(answer.claims) <= {line["claim_id"] for line in report["claims"]}
    assert {event.kind for event in events} >= {"plan", "approval", "approved", "registered", "evidence", "verdict"}


def test_a_question_about_another_model_is_asked_back(court: Court):
    run_id = court.ask("investigate how GPT-2 does IOI", model="planted:or")
    ended(court, run_id)
    answer = court.answer(run_id)
    assert answer is not None
    assert "model under study is planted:or" in answer.text
