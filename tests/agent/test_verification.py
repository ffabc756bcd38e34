"""Trials on a planted model whose truth is known: real experiments, a real ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.bench import Bench
from agent.bench_laboratory import BenchLaboratory
from agent.claim_parser import parse_claim
from agent.config import Config
from agent.errors import ClaimError
from agent.judge import Verdict
from agent.ledger.store import Ledger
from agent.session_errors import session_rows
from agent.situation import ModelFacts
from agent.verification import prepare, rejudge, verify
from tools.cases import read_case

SPEC, TASK = "planted:induction", "planted-induction"
CASE = Path(__file__).parents[1] / "data" / "cases" / "case_3"


class Court:
    """One ledger and one bench for all tests of this file."""

    def __init__(self, home: Path) -> None:
        config = Config.at(home)
        self.ledger = Ledger.open(config)
        self.bench = Bench(config, self.ledger, worker_id="test")

    def lab(self, spec: str = SPEC) -> BenchLaboratory:
        return BenchLaboratory(self.bench, self.ledger, spec)

    def verify(self, text: str, spec: str = SPEC, task: str = TASK) -> Verdict:
        return verify(parse_claim(text, model=spec, task=task, tasks=[task]), self.lab(spec), self.ledger)


def ran(court: Court) -> set[str]:
    """Attempts that ran an experiment."""
    return {attempt.attempt_id for attempt in court.ledger.evidence.attempts() if attempt.status == "done"}


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    made = Court(tmp_path_factory.mktemp("court"))
    yield made
    made.ledger.close()


@pytest.mark.parametrize(
    ("text", "verdict", "rung"),
    [
        ("head 1.0 is necessary", "supported", 3),
        ("head 1.1 is necessary", "refuted", 3),
        ("head 1.2 is necessary", "refuted", 3),
        ("removing head 1.2 improves it", "supported", 3),
        ("patching 0.0 restores it", "refuted", 3),
        ("it is localised in head 1.0", "supported", 4),
        ("head 0.1 is not needed", "supported", 3),
        ("head 2.0 is not needed", "refuted", 3),
        ("head 1.0 matters more than head 1.1", "supported", 3),
        ("head 0.0 feeds the keys of head 1.0", "supported", 4),
        ("head 0.1 feeds the keys of head 1.0", "refuted", 4),
        ("head 1.0 is an induction head", "supported", 4),
        ("head 1.1 is an induction head", "refuted", 3),
    ],
)
def test_verdicts_are_true_to_the_planted_circuit(court: Court, text: str, verdict: str, rung: int):
    found = court.verify(text)
    assert (found.verdict, found.rung) == (verdict, rung), found.reason


def test_a_role_sentence_about_a_compiled_model(court: Court):
    case = read_case(CASE)
    true = court.verify("Head 1.0 averages a flag over the current and all earlier positions.", case.spec, case.spec)
    wrong = court.verify("Head 1.0 copies the previous token.", case.spec, case.spec)
    assert (true.verdict, wrong.verdict) == ("supported", "refuted")


def test_a_circuit_with_a_member_missing_is_refuted(court: Court):
    case = read_case(CASE)
    whole = "The circuit consists of exactly these components: MLP 0, Head 1.0."
    assert court.verify(whole, case.spec, case.spec).verdict == "supported"
    part = "The circuit consists of exactly these components: Head 1.0."
    assert court.verify(part, case.spec, case.spec).verdict == "refuted"


def test_a_verdict_is_recomputed_from_the_ledger_alone(court: Court):
    verdict = court.verify("head 1.0 is necessary")
    assert rejudge(verdict.claim_id, court.ledger) == verdict


def test_the_second_trial_of_a_claim_runs_nothing(court: Court):
    court.verify("head 1.0 is necessary")
    before = ran(court)
    court.verify("L1H0 is needed")
    assert ran(court) == before


def test_predictions_are_registered_before_their_evidence_once(court: Court):
    verdict = court.verify("head 1.0 is necessary")
    rows = court.ledger.registry.predictions(verdict.prereg_hash)
    evidence = court.ledger.evidence.evidence([row.prediction_id for row in rows])
    registered = {row.prediction_id: row.registered_at for row in rows}
    assert sorted(row.key for row in rows) == ["A1", "C1", "C2", "C3", "K1"]
    assert len(evidence) == len(rows)
    assert all(row.at > registered[row.prediction_id] for row in evidence)
    court.ledger.registry.verify_chain()


def test_confirm_prompts_are_not_the_explore_prompts(court: Court):
    verdict = court.verify("head 1.0 is necessary")
    rows = court.ledger.registry.predictions(verdict.prereg_hash)
    results = [
        court.ledger.evidence.result(e.result_id)
        for e in court.ledger.evidence.evidence([r.prediction_id for r in rows])
    ]
    assert {result.params["split"] for result in results} == {"confirm"}


def test_another_model_under_the_same_name_makes_a_linked_revision(court: Court):
    claim = parse_claim("head 1.3 is necessary", model=SPEC, task=TASK, tasks=[TASK])
    verify(claim, court.lab(), court.ledger)

    class Changed(BenchLaboratory):
        @property
        def model(self) -> ModelFacts:
            return super().model.model_copy(update={"sha256": "ff" * 32})

    registration = prepare(claim, Changed(court.bench, court.ledger, SPEC), court.ledger)
    assert registration.claim.parent_id == claim.claim_id
    assert registration.lineage == [claim.claim_id]
    assert registration.alpha == 0.005


def test_a_component_the_model_lacks_is_refused_with_the_range(court: Court):
    with pytest.raises(ClaimError, match="layers 0 to 2"):
        court.verify("head 9.0 is necessary")


def test_every_claim_of_the_ledger_counts_in_the_session(court: Court):
    court.verify("head 1.0 is necessary")
    rows = {row.claim_id: row for row in session_rows(court.ledger)}
    assert len(rows) == len(court.ledger.registry.claims())
    assert all(row.q >= row.p for row in rows.values())
