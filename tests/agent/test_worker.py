"""Real SQLite, real DBOS, a real worker process on a planted model."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from pydantic import SecretStr

from agent.court import Court
from agent.errors import ClaimError, WorkerError
from agent.liveness import process_lives
from agent.worker_setup import config_to_line
from tests.agent.running import MODEL, TASK, TRUE_CLAIM, ended, planted_config, running_court
from tools.errors import ExperimentError


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with running_court(tmp_path_factory.mktemp("court") / "home", llm_api_key=SecretStr("sk-very-secret")) as pair:
        yield pair


@pytest.fixture(scope="module")
def court(running) -> Court:
    return running[0]


@pytest.fixture(scope="module")
def verified(court):
    run_id = court.verify(TRUE_CLAIM)
    ended(court, run_id)
    return court.run(run_id)


def test_a_model_is_loaded_and_tested(court):
    run_id = court.check_model(MODEL)
    ended(court, run_id)
    outcome = court.run(run_id).outcome
    assert all(check["passed"] for check in outcome["selftest"]["checks"])
    assert {entry["spec"]: entry["sha256"] for entry in court.catalogue("model")}[MODEL] == outcome["sha256"]


def test_an_unknown_model_fails_the_run_in_one_sentence(court):
    run_id = court.check_model("planted:nothing")
    ended(court, run_id)
    run = court.run(run_id)
    assert run.status == "failed"
    assert "planted" in run.error and "\n" not in run.error


def test_a_broken_model_file_fails_the_run_and_the_worker_lives_on(court, running, tmp_path):
    (tmp_path / "config.json").write_text(
        '{"n_layers": 1, "d_model": 8, "n_ctx": 8, "d_head": 8, "act_fn": "relu", "d_vocab": 9}'
    )
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    pid = running[1].pid
    run_id = court.check_model(f"case:{tmp_path}")
    ended(court, run_id)
    assert court.run(run_id).status == "failed"
    assert court.run(run_id).error.startswith("The run failed unexpectedly")
    assert running[1].pid == pid is not None


def test_a_verification_registers_each_prediction_once_before_its_evidence(court, verified):
    card = court.claim(verified.outcome["claim_id"])
    keys = [p.key for p in card.predictions]
    assert len(keys) == len(set(keys)) >= 3
    assert all(p.registered_at < p.evidence_at for p in card.predictions if p.evidence_at)
    assert court.ledger.registry.verify_chain() >= 1


def test_a_true_claim_is_supported(court, verified):
    assert court.claim(verified.outcome["claim_id"]).verdict == "supported"


def test_the_verdict_is_stored_and_comes_back_without_a_run(court, verified):
    before = len(court.runs())
    started = time.perf_counter()
    card = court.stored_verdict(TRUE_CLAIM)
    assert card is not None and card.claim_id == verified.outcome["claim_id"]
    assert time.perf_counter() - started < 2.0
    assert len(court.runs()) == before


def test_another_task_has_no_stored_verdict(court, verified):
    assert court.stored_verdict(TRUE_CLAIM, task="planted:duplicate") is None


def test_verifying_again_runs_nothing_again(court, verified):
    def done() -> int:
        return sum(attempt.status == "done" for attempt in court.ledger.evidence.attempts())

    before = done()
    run_id = court.verify(TRUE_CLAIM)
    ended(court, run_id)
    assert court.run(run_id).status == "done"
    assert done() == before


def test_two_clients_see_the_same_events(court, verified):
    other = Court(court.config)
    assert other.events(verified.run_id) == court.events(verified.run_id)
    assert next(event.seq for event in other.follow(verified.run_id, after=2)) == 3


def test_an_unknown_head_is_refused_before_anything_is_queued(court, verified):
    before = len(court.runs())
    with pytest.raises(ClaimError, match="layers 0 to"):
        court.verify("head 77.0 is necessary for the task")
    assert len(court.runs()) == before


def test_an_unknown_experiment_is_refused_with_the_list(court, verified):
    with pytest.raises(ExperimentError, match="head-ablation"):
        court.run_experiment("head-abolition", {})


def test_wrong_parameters_fail_the_run_naming_them(court, verified):
    run_id = court.run_experiment("head-ablation", {"task": TASK, "n": 1})
    ended(court, run_id)
    assert "n: Input should be greater than or equal to 2" in court.run(run_id).error


def test_a_queued_run_can_be_cancelled(court, verified):
    run_id = court.check_model(MODEL)
    court.cancel(run_id)
    assert ended(court, run_id)[-1].kind == "ended"
    assert court.run(run_id).status in ("cancelled", "done")


def test_the_log_holds_no_key(court, verified):
    logs = "".join(path.read_text() for path in court.config.logs_dir.iterdir())
    assert "is ready" in logs
    assert "very-secret" not in logs


def test_the_key_is_on_no_command_line(running):
    assert "very-secret" not in " ".join(psutil.Process(running[1].pid).cmdline())


def test_a_second_worker_of_the_folder_is_refused(court, running):
    line = config_to_line(court.config, warm=False)
    done = subprocess.run(
        [sys.executable, "-m", "agent.worker"], input=line, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert f"process {running[1].pid}" in done.stderr.splitlines()[-1]


def test_a_worker_leaves_quickly_when_told(tmp_path):
    with running_court(tmp_path / "home") as (court, supervisor):
        while not court.worker_alive():
            time.sleep(0.05)
        time.sleep(1.0)
        started, pid = time.monotonic(), supervisor.pid
        os.kill(pid, signal.SIGTERM)
        while process_lives(pid):
            time.sleep(0.02)
        assert time.monotonic() - started < 3.0


def test_a_worker_dies_with_its_parent(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from agent.config import Config; "
        "from agent.supervisor import WorkerSupervisor\n"
        "with WorkerSupervisor(Config.at(Path(sys.argv[1]))) as s:\n  print(s.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "home")], stdout=subprocess.PIPE, text=True)
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    until = time.monotonic() + 15
    while process_lives(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not process_lives(worker)


def test_following_without_a_worker_says_how_to_start_one(tmp_path):
    court = Court(planted_config(tmp_path / "home"), patience=0.3)
    run_id = court.ask("anybody there?")
    with pytest.raises(WorkerError, match="circuit-court worker"):
        list(court.follow(run_id))
    assert court.run(run_id).status == "queued"


def test_a_run_is_cancelled_without_a_worker(tmp_path):
    court = Court(planted_config(tmp_path / "home"), patience=0.3)
    run_id = court.ask("anybody there?")
    court.cancel(run_id)
    assert [event.payload["status"] for event in court.follow(run_id)] == ["cancelled"]


def test_an_empty_catalogue_says_how_to_fill_it(tmp_path):
    with pytest.raises(WorkerError, match="circuit-court worker"):
        Court(planted_config(tmp_path / "home")).catalogue("experiment")
