"""kill -9 of the worker while a folder goes into the library as a job: it goes on, nothing twice, nothing half."""

import os
import random
import signal
import time

from agent.library import open_library
from tests.agent.running import ended, running_court

NOTES = 400


def test_a_job_killed_three_times_ends_with_every_note_once(tmp_path):
    vault = tmp_path / "vault"
    vault.mkdir()
    for n in range(NOTES):
        (vault / f"{n:03}.md").write_text(f"---\nid: n{n}\n---\n" + f"sentence {n} of a note. " * 150, encoding="utf-8")
    rng = random.Random(0)
    with running_court(tmp_path / "home", patience=120.0) as (court, supervisor):
        run_id = court.add_to_library([str(vault)])
        for kill in range(3):
            while sum(event.kind == "progress" for event in court.events(run_id)) <= kill and not over(court, run_id):
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.1))
            if (pid := supervisor.pid) is not None and not over(court, run_id):
                os.kill(pid, signal.SIGKILL)
        ended(court, run_id)
        run = court.run(run_id)
        assert run.status == "done", run.error
        items = run.outcome["items"]
        assert len({item["source"] for item in items}) == len(items) == NOTES
        assert {item["state"] for item in items} <= {"added", "unchanged"}
        with open_library(court.config) as library, library.store.read() as connection:
            assert len(library.documents()) == NOTES
            whole = connection.exec_driver_sql("SELECT count(*), count(DISTINCT id) FROM passages").one()
            indexed = connection.exec_driver_sql("SELECT count(*) FROM passages_fts").scalar()
        assert whole[0] == whole[1] == indexed


def over(court, run_id):
    return court.run(run_id).status in ("done", "failed", "cancelled")
