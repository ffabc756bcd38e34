import time

import pytest

from agent.config import Config
from agent.emitter import Emitter, StopFlag
from agent.ledger.store import Ledger


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger.open(Config.at(tmp_path / "home"))
    opened.runs.create("r", "ask", {})
    yield opened
    opened.close()


def told(ledger, kind):
    return [event.payload for event in ledger.runs.events("r") if event.kind == kind]


def test_progress_is_told_a_few_times_a_second(ledger):
    emit = Emitter(ledger.runs, "r")
    until, sent = time.monotonic() + 1.0, 0
    while time.monotonic() < until:
        emit("progress", {"done": 0.5, "text": str(sent), "experiment": "x"})
        sent += 1
    assert 2 <= len(told(ledger, "progress")) <= 5 < sent


def test_the_end_of_progress_is_always_told(ledger):
    emit = Emitter(ledger.runs, "r")
    for done in (0.1, 0.2, 1.0):
        emit("progress", {"done": done, "text": "", "experiment": "x"})
    assert [payload["done"] for payload in told(ledger, "progress")] == [0.1, 1.0]


def test_no_word_is_lost_between_pieces(ledger):
    emit = Emitter(ledger.runs, "r")
    words = [f"{number} " for number in range(200)]
    for word in words:
        emit("delta", {"text": word})
    emit.flush()
    pieces = [payload["text"] for payload in told(ledger, "delta")]
    assert "".join(pieces) == "".join(words)
    assert len(pieces) < 50


def test_words_come_before_what_follows_them(ledger):
    emit = Emitter(ledger.runs, "r")
    for word in ("a", "b", "c"):
        emit("delta", {"text": word})
    emit("status", {"text": "next"})
    kinds = [event.kind for event in ledger.runs.events("r")]
    assert kinds[-1] == "status" and "".join(p["text"] for p in told(ledger, "delta")) == "abc"


def test_a_repeated_step_tells_its_evidence_once(ledger):
    for _ in range(2):
        Emitter(ledger.runs, "r")("evidence", {"prediction_id": "p", "look": 1})
    assert len(told(ledger, "evidence")) == 1


def test_the_stop_flag_stays_raised(ledger):
    flag = StopFlag(ledger.runs, "r")
    assert not flag()
    ledger.runs.request_cancel("r")
    time.sleep(0.25)
    assert flag() and flag()


def test_a_run_that_was_just_woken_sees_the_stop_at_once(ledger):
    flag = StopFlag(ledger.runs, "r")
    assert not flag()
    ledger.runs.request_cancel("r")
    assert not flag()  # asked a moment ago
    assert flag.afresh() and flag()


def test_a_run_that_ignores_its_stop_is_found(ledger):
    ledger.runs.start("r")
    assert ledger.runs.deaf(0.0) is None
    ledger.runs.request_cancel("r")
    time.sleep(0.01)
    assert ledger.runs.deaf(0.0) == "r"
    assert ledger.runs.deaf(60.0) is None
