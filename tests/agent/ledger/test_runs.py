import threading

import pytest

from agent.errors import LedgerError


def test_events_are_numbered_without_gaps_by_many_writers(ledger):
    ledger.runs.create("r", "ask", {})

    def write(name: int) -> None:
        for number in range(20):
            ledger.runs.emit("r", "status", {"text": f"{name}-{number}"})

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in ledger.runs.events("r")] == list(range(1, 81))


def test_an_event_written_once_is_not_written_again(ledger):
    ledger.runs.create("r", "verify", {})
    for _ in range(2):
        ledger.runs.emit("r", "registered", {"claim_id": "c"}, once=True)
    assert len(ledger.runs.events("r")) == 1


def test_nothing_follows_the_end(ledger):
    ledger.runs.create("r", "ask", {})
    ledger.runs.end("r", "done")
    ledger.runs.emit("r", "status", {"text": "late"})
    ledger.runs.end("r", "failed", error="late")
    assert [(e.kind, e.payload["status"]) for e in ledger.runs.events("r")] == [("ended", "done")]


def test_a_run_that_ended_does_not_start_again(ledger):
    ledger.runs.create("r", "ask", {})
    assert ledger.runs.start("r")
    assert ledger.runs.start("r")
    ledger.runs.end("r", "cancelled")
    assert not ledger.runs.start("r")


def test_a_run_says_each_role_once(ledger):
    conversation = ledger.runs.converse(None, "what is it?")
    for _ in range(2):
        ledger.runs.say(conversation, "assistant", {"text": "this"}, run_id="r")
    assert [row.content for row in ledger.runs.messages(conversation)] == [{"text": "this"}]


def test_messages_come_oldest_first(ledger):
    conversation = ledger.runs.converse(None, "one")
    for word in ("one", "two", "three"):
        ledger.runs.say(conversation, "user", {"text": word}, run_id=None)
    assert [row.content["text"] for row in ledger.runs.messages(conversation)] == ["one", "two", "three"]


def test_unknown_run_and_conversation_say_so(ledger):
    with pytest.raises(LedgerError, match="no run 'x'"):
        ledger.runs.get("x")
    with pytest.raises(LedgerError, match="no conversation 'x'"):
        ledger.runs.messages("x")


def test_a_run_that_gets_nowhere_is_counted(ledger):
    ledger.runs.create("r", "verify", {})
    assert ledger.runs.take_up("r") == 0
    counted = []
    for _ in range(3):
        ledger.runs.emit("r", "status", {"text": "loading"})
        counted.append(ledger.runs.take_up("r"))
    assert counted == [0, 1, 2]


def test_a_run_that_got_on_is_counted_anew(ledger):
    ledger.runs.create("r", "verify", {})
    for kind in ("status", "progress"):
        ledger.runs.emit("r", kind, {"text": "x", "done": 0.5, "experiment": "x"})
        ledger.runs.take_up("r")
    assert ledger.runs.take_up("r") == 1
