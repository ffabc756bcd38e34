"""Replication compares every number, those that the verdict rests on first."""

from pathlib import Path

import pytest

from agent.bench import Bench
from agent.bench_laboratory import BenchLaboratory
from agent.claim_parser import parse_claim
from agent.config import Config
from agent.ledger.store import Ledger
from agent.replication import TOLERANCE, replicate
from agent.verification import verify
from tools.result import Result

MODEL = "planted:induction"


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, str]:
    home: Path = tmp_path_factory.mktemp("replication") / "home"
    config = Config.at(home)
    ledger = Ledger.open(config)
    lab = BenchLaboratory(Bench(config, ledger, worker_id="test"), ledger, MODEL)
    verdict = verify(parse_claim("head 1.0 is necessary", model=MODEL, task=MODEL), lab, ledger)
    return ledger, verdict.claim_id


def same(stored: Result, key: str, look: int) -> Result:
    return stored


def moved(by: float):
    """Every per-prompt harm of C1 is another by so much, its mean staying where it was."""

    def again(stored: Result, key: str, look: int) -> Result:
        if key != "C1":
            return stored
        harm = stored.arrays["harm_per_prompt"].copy()
        harm[0] += by
        harm[1] -= by
        return stored.model_copy(update={"arrays": {**stored.arrays, "harm_per_prompt": harm}})

    return again


def test_the_same_numbers_agree_and_show_what_the_prediction_is_about(tried: tuple[Ledger, str]):
    found = replicate(tried[1], tried[0], same)
    assert found.agrees
    assert found.largest_difference == 0.0
    assert next(row.name for row in found.rows if row.key == "C1") == "mean harm_per_prompt"


@pytest.mark.parametrize(("by", "agrees"), [(TOLERANCE / 2, True), (TOLERANCE * 2, False)])
def test_single_prompts_are_compared_not_only_means(tried: tuple[Ledger, str], by: float, agrees: bool):
    found = replicate(tried[1], tried[0], moved(by))
    assert found.agrees is agrees
    assert found.largest_difference == pytest.approx(by, rel=0.01)


def test_a_number_that_does_not_come_again_is_no_agreement(tried: tuple[Ledger, str]):
    def poorer(stored: Result, key: str, look: int) -> Result:
        return stored.model_copy(update={"estimates": stored.estimates[1:]}) if key == "C1" else stored

    found = replicate(tried[1], tried[0], poorer)
    assert not found.agrees
    assert [row.key for row in found.rows if row.missing] == ["C1"]
