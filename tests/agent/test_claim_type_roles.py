"""Roles whose last test rests on other components: the reader of an S-inhibition head, what a negative mover suppresses."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.bench import Bench
from agent.bench_laboratory import BenchLaboratory
from agent.claim_parser import parse_claim
from agent.claims import Claim
from agent.config import Config
from agent.errors import ClaimError
from agent.judge import Verdict, judge
from agent.ledger.store import Ledger
from agent.predictions import Registration, register
from agent.verification import registered, verify
from tests.agent.made import assay, claim, result, sample, situation

SPEC, TASK = "planted:names", "planted-names"


class Court:
    """One ledger and one bench for all tests of this file."""

    def __init__(self, home: Path) -> None:
        config = Config.at(home)
        self.ledger = Ledger.open(config)
        self.bench = Bench(config, self.ledger, worker_id="test")

    def verify(self, text: str) -> Verdict:
        claim = parse_claim(text, model=SPEC, task=TASK, tasks=[TASK])
        return verify(claim, BenchLaboratory(self.bench, self.ledger, SPEC), self.ledger)


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    made = Court(tmp_path_factory.mktemp("roles"))
    yield made
    made.ledger.close()


def test_the_reader_of_an_s_inhibition_head_is_found_and_tested(court: Court):
    verdict = court.verify("head 1.0 is an S-inhibition head")
    assert verdict.verdict == "supported", verdict.reason
    assert registered(verdict.claim_id, court.ledger).situation.nominees["reader"] == ("a2.h0",)
    assert verdict.findings["E1"].outcome == verdict.findings["E3"].outcome == "pass"


def test_a_reader_that_the_sentence_names_is_the_one_that_is_tested(court: Court):
    right = court.verify("head 1.0 is an S-inhibition head that feeds head 2.0")
    wrong = court.verify("head 1.0 is an S-inhibition head that feeds head 2.2")
    assert (right.verdict, wrong.verdict) == ("supported", "inconclusive")
    assert "a1.h0->a2.h2<q>" in wrong.reason


def test_a_decoy_with_the_pattern_of_s_inhibition_is_refuted(court: Court):
    assert court.verify("head 1.1 is an S-inhibition head").verdict == "refuted"


def test_a_reader_must_come_after_the_head(court: Court):
    with pytest.raises(ClaimError, match=r"a1\.h1 cannot read a1\.h0"):
        court.verify("head 1.0 is an S-inhibition head that feeds head 1.1")


def test_a_negative_mover_with_nothing_to_suppress_stays_open(court: Court):
    verdict = court.verify("head 2.1 is a negative name mover")
    assert verdict.verdict == "inconclusive"
    assert "no earlier component writes the answer" in verdict.reason


def test_without_a_reader_an_s_inhibition_head_is_never_supported():
    record = register(claim(type="head-role", details={"role": "s-inhibition"}), situation())
    evidence = {
        "A1": [assay()],
        "C1": [result(arrays={"attention_per_prompt": sample(0.8, n=64)})],
        "C2": [result(arrays={"direct_per_prompt": sample(0.0, 0.01, n=64)})],
        "C3": [result(arrays={"harm_per_prompt": sample(0.36)})],
    }
    verdict = judge(record, evidence)
    assert verdict.verdict == "inconclusive"
    assert "showed no such reader" in verdict.reason


def negative_mover() -> Registration:
    where = situation().model_copy(update={"nominees": {"upstream": ("a23.h0", "a23.h1")}})
    return register(claim("a24.h4", type="head-role", details={"role": "negative-name-mover"}), where)


def suppression(*, without: float) -> Verdict:
    """A head worth -0.16 with the prediction in place, and -`without` once that is removed."""
    noise = sample(0.0, 0.05, n=64)
    upstream = sample(0.5, 0.05, n=64, seed=1)
    harms = {"C3": -0.16 + noise, "K2": upstream, "U1": upstream - without + noise / 4}
    evidence = {key: [result(arrays={"harm_per_prompt": np.asarray(values)})] for key, values in harms.items()}
    evidence["C1"] = [result(arrays={"attention_per_prompt": sample(0.7, n=64)})]
    evidence["C2"] = [result(arrays={"negative_copy_score_per_prompt": sample(0.97, 0.05, n=64)})]
    return judge(negative_mover(), {**evidence, "A1": [assay()]})


def test_a_negative_mover_whose_effect_vanishes_with_the_prediction_is_supported():
    verdict = suppression(without=0.03)
    assert verdict.verdict == "supported", verdict.reason
    assert "0.5 of the -0.160 in C3" in verdict.findings["U1"].reason


def test_a_head_that_works_against_any_answer_suppresses_nothing():
    verdict = suppression(without=0.15)
    assert verdict.verdict == "refuted"
    assert verdict.reason.startswith("U1")


def test_upstream_components_of_other_layers_are_named_in_the_registration():
    record = negative_mover()
    joint = next(one for one in record.predictions if one.key == "U1")
    assert joint.params["components"] == ["a23.h0", "a23.h1", "a24.h4"]
    assert record.near_miss_table["works_against_any_answer"] == ["U1"]


def test_an_induction_head_that_copies_through_an_mlp_stays_open(tmp_path: Path):
    config = Config.at(tmp_path)
    ledger = Ledger.open(config)
    lab = BenchLaboratory(Bench(config, ledger, worker_id="test"), ledger, "planted:and")
    fields = {"type": "head-role", "components": ("a1.h0",), "details": {"role": "induction"}}
    found = verify(Claim.model_validate({"model": "planted:and", "task": "planted-and", **fields}), lab, ledger)
    ledger.close()
    assert found.verdict == "inconclusive"
    assert "that does not refute the claim, because K1 does not pass" in found.reason
