"""kill -9 of the worker in the middle of its work: it goes on, and the ledger holds everything once."""

import os
import random
import signal
import time
from collections import Counter

import pytest

from agent.court import Court
from agent.supervisor import WorkerSupervisor
from tests.agent.running import MODEL, TASK, ended, running_court


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with running_court(tmp_path_factory.mktemp("recovery") / "home", patience=120.0) as pair:
        yield pair


def kill(supervisor: WorkerSupervisor) -> None:
    if (pid := supervisor.pid) is not None:
        os.kill(pid, signal.SIGKILL)


def kill_at_event(court: Court, supervisor: WorkerSupervisor, run_id: str, kind: str) -> None:
    """Kill the worker as soon as the run has told an event of this kind."""
    while not any(event.kind == kind for event in court.events(run_id)):
        time.sleep(0.005)
    kill(supervisor)


def check_ledger(court: Court, run_id: str) -> None:
    """Every prediction once, registered before its evidence; no experiment finished twice; events in order, told once."""
    run = court.run(run_id)
    assert run.status == "done", run.error
    rows = court.ledger.registry.predictions(court.claim(run.outcome["claim_id"]).prereg_hash)
    assert max(Counter(row.key for row in rows).values()) == 1
    evidence = court.ledger.evidence.evidence([row.prediction_id for row in rows])
    assert max(Counter((row.prediction_id, row.look) for row in evidence).values()) == 1
    registered = {row.prediction_id: row.registered_at for row in rows}
    assert all(registered[row.prediction_id] < row.at for row in evidence)
    assert court.ledger.registry.verify_chain() >= 1
    attempts = court.ledger.evidence.attempts()
    assert max(Counter(a.call_hash for a in attempts if a.status == "done").values()) == 1
    assert not [a for a in attempts if a.status == "started"]
    events = court.events(run_id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    told = Counter((e.payload["prediction_id"], e.payload["look"]) for e in events if e.kind == "evidence")
    assert max(told.values()) == 1
    assert [event.kind for event in events].count("verdict") == 1


@pytest.mark.parametrize(("head", "kind"), [("1.0", "evidence"), ("0.0", "registered")])
def test_a_verification_survives_kill_9(running, head, kind):
    court, supervisor = running
    run_id = court.verify(f"head {head} is necessary for the task")
    kill_at_event(court, supervisor, run_id, kind)
    ended(court, run_id)
    check_ledger(court, run_id)
    assert court.claim(court.run(run_id).outcome["claim_id"]).verdict == "supported"


def test_an_interrupted_experiment_is_counted_as_crashed(running):
    court, supervisor = running
    run_id = court.run_experiment("head-ablation", {"task": TASK, "n": 256}, model=MODEL)
    kill_at_event(court, supervisor, run_id, "progress")
    ended(court, run_id)
    statuses = [attempt.status for attempt in court.ledger.evidence.attempts(run_id=run_id)]
    assert statuses == ["crashed", "done"]


def test_a_running_experiment_stops_when_cancelled(running):
    court, _ = running
    run_id = court.run_experiment("head-ablation", {"task": TASK, "n": 512}, model=MODEL)
    for event in court.follow(run_id):
        if event.kind == "progress":
            court.cancel(run_id)
    assert court.run(run_id).status == "cancelled"
    assert [a.status for a in court.ledger.evidence.attempts(run_id=run_id)] == ["cancelled"]


def test_a_chat_that_is_stopped_stops_the_verification_it_asked_for(running):
    court, _ = running
    run_id = court.ask("is head 2.3 necessary for the task?")
    for event in court.follow(run_id):
        if event.kind == "tool":
            court.cancel(run_id)
    assert court.run(run_id).status == "cancelled"
    children = [run for run in court.runs() if run.request.get("parent_run") == run_id]
    for child in children:
        ended(court, child.run_id)
        assert court.run(child.run_id).status in ("cancelled", "done")


KILLS = int(os.environ.get("CIRCUIT_COURT_TEST_KILLS", "3"))  # of the random moments; 20 for the long version
SEED = int(os.environ.get("CIRCUIT_COURT_TEST_SEED", "11"))  # other moments


def kill_at_random_moments(running: tuple[Court, WorkerSupervisor], run_id: str, seed: int) -> int:
    """Kill the worker up to KILLS times, each a few events and a moment after the last; how often it was killed."""
    court, supervisor = running
    chance = random.Random(seed)
    for number in range(KILLS):
        wanted, pause = len(court.events(run_id)) + chance.randint(1, 8), chance.uniform(0.0, 0.2)
        while len(court.events(run_id)) < wanted:
            if court.run(run_id).status not in ("queued", "running"):
                return number
            time.sleep(0.01)
        time.sleep(pause)
        kill(supervisor)
    return KILLS


def test_a_verification_survives_kills_at_random_moments(running):
    court, _ = running
    run_id = court.verify("head 1.2 is necessary for the task")
    assert kill_at_random_moments(running, run_id, seed=7) >= 2
    ended(court, run_id)
    check_ledger(court, run_id)


@pytest.mark.skipif("CIRCUIT_COURT_TEST_KILLS" not in os.environ, reason="takes minutes: set CIRCUIT_COURT_TEST_KILLS")
def test_an_investigation_survives_kills_at_random_moments(running):
    """Same verdicts as an investigation that nobody disturbs, nothing lost, nothing twice."""
    court, _ = running
    run_id = court.investigate("How does this model do the task?", model="planted:or", task="planted:or")
    assert kill_at_random_moments(running, run_id, seed=SEED) >= 2
    ended(court, run_id)
    run = court.run(run_id)
    assert run.status == "done", run.error
    attempts = court.ledger.evidence.attempts()
    assert max(Counter(a.call_hash for a in attempts if a.status == "done").values()) == 1
    assert court.ledger.registry.verify_chain() >= 1
    judged = [line for line in run.outcome["claims"] if line["verdict"]]
    assert judged
    for line in judged:
        assert all(p.registered_at < p.evidence_at for p in court.claim(line["claim_id"]).predictions if p.evidence_at)
    again = court.investigate("How does this model do the task?", model="planted:or", task="planted:or")
    ended(court, again)
    verdicts = {line["claim_id"]: line["verdict"] for line in court.run(again).outcome["claims"]}
    assert verdicts == {line["claim_id"]: line["verdict"] for line in run.outcome["claims"]}
