from pathlib import Path

import pytest

from agent.bench import Bench
from agent.bench_laboratory import BenchLaboratory
from agent.claims import Claim
from agent.config import Config
from agent.judge import Verdict
from agent.ledger.store import Ledger
from agent.verification import verify


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Ledger]:
    config = Config.at(Path(tmp_path_factory.mktemp("backup")))
    ledger = Ledger.open(config)
    return Bench(config, ledger, worker_id="test"), ledger


def judged(court: tuple[Bench, Ledger], model: str, backup: str, main: str) -> Verdict:
    bench, ledger = court
    claim = Claim(type="backup", model=f"planted:{model}", task=f"planted-{model}", components=(backup, main))
    return verify(claim, BenchLaboratory(bench, ledger, claim.model), ledger)


def test_a_backup_that_is_silent_until_needed_is_supported(court: tuple[Bench, Ledger]):
    assert judged(court, "repair", "a2.h1", "a1.h0").verdict == "supported"


def test_an_idle_component_is_no_backup(court: tuple[Bench, Ledger]):
    assert judged(court, "repair", "a2.h0", "a1.h0").verdict == "refuted"


def test_a_second_contributor_is_no_backup(court: tuple[Bench, Ledger]):
    assert judged(court, "and", "a1.h3", "a1.h0").verdict == "refuted"
