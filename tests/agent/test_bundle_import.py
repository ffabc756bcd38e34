"""A bundle's claims taken into another installation, on real verifications of a planted model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.bench import Bench
from agent.bench_laboratory import BenchLaboratory
from agent.bundle import export_bundle
from agent.bundle_import import import_bundle, imported_claims
from agent.claim_parser import parse_claim
from agent.config import Config
from agent.docket import claim_card
from agent.errors import LedgerError
from agent.ledger.store import Ledger
from agent.verification import rejudge, verify
from tests.agent.test_bundle import rewritten

MODEL = "planted:induction"


def tried(home: Path, *sentences: str) -> Ledger:
    config = Config.at(home)
    ledger = Ledger.open(config)
    lab = BenchLaboratory(Bench(config, ledger, worker_id="test"), ledger, MODEL)
    for sentence in sentences:
        verify(parse_claim(sentence, model=MODEL, task=MODEL), lab, ledger)
    return ledger


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    ledger = tried(folder / "home", "head 1.0 is necessary", "head 0.1 is necessary")
    return export_bundle(ledger, [row.claim_id for row in ledger.registry.claims()], folder / "claims.zip")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Ledger]:
    """An installation with a claim of its own, which the bundle holds too."""
    ledger = tried(tmp_path / "home", "head 1.0 is necessary")
    yield ledger
    ledger.close()


def test_claims_arrive_with_verdict_evidence_and_original_times(bundle: Path, here: Ledger):
    outcome = import_bundle(here, bundle)
    assert (len(outcome.taken), len(outcome.kept), outcome.differs) == (1, 1, [])
    card = claim_card(here, outcome.taken[0])
    assert card.verdict == "refuted"
    assert all(p.registered_at < p.evidence_at for p in card.predictions if p.evidence_at)
    assert rejudge(card.claim_id, here).verdict == "refuted"
    assert here.evidence.result(card.predictions[1].result_ids[0]).arrays
    assert imported_claims(here) == {card.claim_id: "claims.zip"}


def test_the_chain_stays_whole_and_a_second_import_changes_nothing(bundle: Path, here: Ledger):
    import_bundle(here, bundle)
    assert here.registry.verify_chain() == 2
    again = import_bundle(here, bundle)
    assert (again.taken, len(again.kept)) == ([], 2)
    assert here.registry.verify_chain() == 2


def test_a_claim_tried_here_keeps_its_own_record(bundle: Path, here: Ledger):
    (own,) = here.registry.claims()
    before = claim_card(here, own.claim_id)
    import_bundle(here, bundle)
    assert claim_card(here, own.claim_id).prereg_hash == before.prereg_hash
    assert own.claim_id not in imported_claims(here)


def test_a_bundle_that_does_not_hold_is_refused_whole(bundle: Path, here: Ledger):
    def forge(rows):
        row = next(row for row in rows["verdicts"] if row["verdict"] == "refuted")
        row["verdict"] = "supported"
        row["payload"]["verdict"] = "supported"

    with pytest.raises(LedgerError, match="does not hold and is not taken in"):
        import_bundle(here, rewritten(bundle, forge))
    assert len(here.registry.claims()) == 1
