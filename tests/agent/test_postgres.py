"""Ledger and queue on a real PostgreSQL server, started for these tests on the loopback interface."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psycopg
import pytest

from agent.ledger.engine import Database
from agent.ledger.store import Ledger
from tests.agent.ledger.samples import call, registered, result
from tests.agent.running import ended, running_court

BINARIES = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
BINARIES += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
ROOT_NEEDS = os.getuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}
pytestmark = pytest.mark.skipif(not BINARIES or ROOT_NEEDS, reason="no PostgreSQL server is installed here")


@pytest.fixture(scope="module")
def server():
    """`postgresql://...` without a database name, of a server that lives as long as the module's tests."""
    folder = Path(tempfile.mkdtemp(prefix="circuit-court-postgres-"))
    as_user: list[str] = []
    if os.getuid() == 0:  # the server refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    binaries, data = BINARIES[0], folder / "data"
    made = [str(binaries / "initdb"), "-D", str(data), "-U", "court", "--auth=trust"]
    subprocess.run([*as_user, *made], check=True, capture_output=True, cwd=folder)
    serve = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
    process = subprocess.Popen([*as_user, *serve], stderr=subprocess.DEVNULL, cwd=folder)
    try:
        _create(f"host=127.0.0.1 port={port} user=court dbname=postgres", ("ledger", "rules", "queue"))
        yield f"postgresql://court@127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _create(where: str, names: tuple[str, ...]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            with psycopg.connect(where, autocommit=True) as connection:
                for name in names:
                    connection.execute(f"create database {name}")
            return
        except psycopg.OperationalError:
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def ledger(server, tmp_path_factory):
    opened = Ledger(f"{server}/rules", tmp_path_factory.mktemp("results"))
    yield opened
    opened.close()


def test_opening_twice_migrates_once(server, ledger):
    again = Database(f"{server}/rules")
    with again.reading() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM alembic_version").scalar() == 1
    again.close()


def test_registration_comes_before_evidence_and_the_chain_holds(ledger):
    prediction_id = registered(ledger)
    attempt = ledger.evidence.start(call(prediction_id), worker_id="w")
    ledger.evidence.add_evidence(prediction_id, ledger.evidence.finish(attempt, result()), look=1)
    assert ledger.registry.verify_chain() == 1


def test_events_are_numbered_without_gaps_by_many_writers(ledger):
    ledger.runs.create("r", "ask", {})

    def write() -> None:
        for number in range(15):
            ledger.runs.emit("r", "status", {"text": str(number)})

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in ledger.runs.events("r")] == list(range(1, 61))


def test_registrations_of_many_writers_stay_one_chain(ledger):
    threads = [threading.Thread(target=registered, args=(ledger, f"claim-{number}")) for number in range(10, 18)]
    before = ledger.registry.verify_chain()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.registry.verify_chain() == before + 8


def test_a_worker_on_postgres_verifies_a_claim(server, tmp_path):
    urls = {"ledger_url": f"{server}/ledger", "queue_url": f"{server}/queue"}
    with running_court(tmp_path / "home", patience=120.0, **urls) as (court, _):
        run_id = court.verify("head 1.0 is necessary for the task")
        ended(court, run_id)
        run = court.run(run_id)
        assert run.status == "done", run.error
        assert court.claim(run.outcome["claim_id"]).verdict == "supported"
