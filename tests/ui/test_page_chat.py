import pytest

from agent.answer import Answer, Citation
from agent.court import Court


@pytest.fixture
def court(home):
    court = Court(home)
    yield court
    court.close()


def answer_run(court: Court, run_id: str, answer: Answer) -> None:
    """What a worker writes when a turn is done."""
    runs = court.ledger.runs
    runs.start(run_id)
    runs.emit(run_id, "answer", answer.model_dump(mode="json"))
    runs.say(court.run(run_id).conversation_id or "", "assistant", answer.model_dump(mode="json"), run_id=run_id)
    runs.end(run_id, "done")


def ask(court: Court, question: str) -> tuple[str, str]:
    run_id = court.ask(question)
    return run_id, court.run(run_id).conversation_id or ""


CITED = Answer(
    text="It copies[^p:p1] and ![leaks](https://x.example/pixel).",
    citations=[Citation(passage_id="p1", document_id="d", title="Olsson et al.", start=0, end=9, quote="it copies")],
    struck=["0.99"],
)


def test_the_first_page_offers_four_questions(page):
    app = page("chat")
    assert not app.exception
    assert app.title[0].value == "What shall be put on trial?"
    assert len([b for b in app.button if (b.key or "").startswith("example-")]) == 4


def test_an_example_is_asked_when_pressed(page, court):
    app = page("chat")
    app.button(key="example-0").click().run()
    assert not app.exception
    assert court.run(app.query_params["run"]).request["question"] == "Is head 20.0 necessary for IOI?"


def test_a_typed_question_is_queued_and_named_in_the_address(page, court):
    app = page("chat")
    app.chat_input[0].set_value("유도 헤드란?").run()
    run_id = app.query_params["run"]
    assert court.run(run_id).request["question"] == "유도 헤드란?"
    assert app.query_params["conversation"] == court.run(run_id).conversation_id


def test_half_typed_text_submitted_twice_is_asked_once(page, court):
    app = page("chat")
    app.chat_input[0].set_value("유도 헤드란?").run()
    court.cancel(app.query_params["run"])
    app.run()
    app.chat_input[0].set_value("유도 헤드란?").run()
    assert len(court.runs()) == 1


def test_a_reload_shows_the_run_that_is_on_its_way(page, court):
    run_id, _ = ask(court, "Is head 20.0 necessary for IOI?")
    court.ledger.runs.start(run_id)
    court.ledger.runs.emit(run_id, "status", {"text": "Screening all components"})
    court.ledger.runs.emit(run_id, "progress", {"done": 0.4, "text": "head 3 of 9", "experiment": "head-ablation"})
    app = page("chat", run=run_id)
    assert not app.exception
    assert any("head 3 of 9" in m.value for m in app.markdown)
    assert app.chat_input[0].disabled
    assert app.button(key=f"stop-{run_id}").label == "Stop"


def test_stop_cancels_the_run(page, court):
    run_id, _ = ask(court, "Is head 20.0 necessary for IOI?")
    app = page("chat", run=run_id)
    app.button(key=f"stop-{run_id}").click().run()
    assert court.run(run_id).status == "cancelled"


def test_an_answer_shows_numbered_chips_and_what_was_struck_out(page, court):
    run_id, conversation_id = ask(court, "what is an induction head?")
    answer_run(court, run_id, CITED)
    app = page("chat", conversation=conversation_id)
    assert not app.exception
    text = next(m.value for m in app.markdown if "It copies" in m.value)
    assert ":blue-badge[1]" in text
    assert "![" not in text
    assert any("0\\.99" in c.value or "0.99" in c.value for c in app.caption)
    assert [b.label for b in app.button if (b.key or "").startswith("chip-")] == ["**1** Olsson et al."]


def test_a_failed_run_shows_its_sentence_and_offers_to_ask_again(page, court):
    run_id, conversation_id = ask(court, "Is head 99.0 necessary for IOI?")
    court.ledger.runs.start(run_id)
    court.ledger.runs.end(run_id, "failed", error="a99.h0 does not exist: this model has layers 0 to 29.")
    app = page("chat", conversation=conversation_id)
    assert "layers 0 to 29" in app.error[0].value.replace("\\", "")
    app.button(key=f"again-{run_id}").click().run()
    assert len(court.runs()) == 2


def test_conversations_are_listed_and_open(page, court):
    _, first = ask(court, "first question")
    ask(court, "second question")
    app = page("chat")
    app.button(key=f"conversation-{first}").click().run()
    assert app.query_params["conversation"] == first
    assert any(m.value == "first question" for m in app.markdown)


def test_a_plan_over_the_budget_is_asked_and_answered_in_the_chat(page, court, monkeypatch):
    run_id, _ = ask(court, "how does this model do IOI?")
    court.ledger.runs.start(run_id)
    payload = {
        "run_id": "child",
        "estimate_seconds": 3000,
        "estimate_forward_passes": 9,
        "text": "It takes 50 minutes.",
    }
    court.ledger.runs.emit(run_id, "approval", payload)
    sent = []
    monkeypatch.setattr("agent.queue.JobQueue.send", lambda self, run, message, topic: sent.append((run, message)))
    app = page("chat", run=run_id)
    assert not app.exception
    assert "50 minutes" in app.warning[0].value
    app.button(key=f"approve-{run_id}").click().run()
    assert sent == [("child", {"approved": True})]


def test_an_investigation_is_a_chip_that_leads_to_its_report(page, court):
    child = court.investigate("How does it do IOI?")
    run_id, conversation_id = ask(court, "how does this model do IOI?")
    answer_run(court, run_id, Answer(text=f"It stands [^i:{child}].", investigations=[child]))
    app = page("chat", conversation=conversation_id)
    assert not app.exception
    chips = [b.label for b in app.button if (b.key or "").startswith("chip-")]
    assert chips == ["**1** How does it do IOI?"]


def test_an_unknown_conversation_is_one_sentence(page):
    app = page("chat", conversation="nonesuch")
    assert not app.exception
    assert "There is no conversation" in app.error[0].value


def test_without_a_worker_the_page_says_so(page):
    app = page("chat")
    assert any("no worker" in m.value for m in app.sidebar.markdown)
