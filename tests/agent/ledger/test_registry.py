import pytest
from sqlalchemy import text

from agent.errors import LedgerError
from agent.ledger.store import Ledger
from tests.agent.ledger.samples import call, claim, prediction, registered, result


def evidence_for(ledger: Ledger, prediction_id: str) -> str:
    attempt = ledger.evidence.start(call(prediction_id), worker_id="w")
    result_id = ledger.evidence.finish(attempt, result())
    return ledger.evidence.add_evidence(prediction_id, result_id, look=1)


def tamper(ledger: Ledger, statement: str) -> None:
    with ledger.database.writing() as session:
        session.execute(text(statement))


def test_registering_twice_gives_the_first_record(ledger):
    claim(ledger)
    first = ledger.registry.register("claim-1", {"claim": 1}, [prediction()])
    second = ledger.registry.register("claim-1", {"claim": 1}, [prediction()])
    assert (second.position, second.registered_at) == (first.position, first.registered_at)
    assert len(ledger.registry.predictions(first.prereg_hash)) == 1


def test_a_prediction_cannot_be_added_after_evidence(ledger):
    evidence_for(ledger, registered(ledger))
    with pytest.raises(LedgerError, match="has evidence already"):
        ledger.registry.register("claim-1", {"claim": "another"}, [prediction("C2")])


def test_the_refused_prediction_leaves_nothing_behind(ledger):
    evidence_for(ledger, registered(ledger))
    with pytest.raises(LedgerError):
        ledger.registry.register("claim-1", {"claim": "another"}, [prediction("C2")])
    assert ledger.registry.verify_chain() == 1


def test_a_registration_needs_its_claim(ledger):
    with pytest.raises(LedgerError, match="no claim 'ghost'"):
        ledger.registry.register("ghost", {}, [])


def test_the_chain_of_honest_registrations_holds(ledger):
    for number in range(4):
        registered(ledger, f"claim-{number}")
    assert ledger.registry.verify_chain() == 4


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ('UPDATE registrations SET payload = \'{"claim": "x"}\' WHERE position = 2', "2 of claim-1 was changed"),
        ("UPDATE registrations SET registered_at = '2020' WHERE position = 2", "breaks at number 2"),
        ("DELETE FROM predictions WHERE claim_id = 'claim-1'", "breaks at number 2"),
        ("UPDATE predictions SET payload = '{}' WHERE claim_id = 'claim-1'", "breaks at number 2"),
        ("UPDATE predictions SET registered_at = '2020' WHERE claim_id = 'claim-1'", "claim-1-C1 was not written"),
    ],
)
def test_a_tampered_record_breaks_the_chain(ledger, statement, complaint):
    for number in range(3):
        registered(ledger, f"claim-{number}")
    tamper(ledger, statement)
    with pytest.raises(LedgerError, match=complaint):
        ledger.registry.verify_chain()


def test_a_removed_registration_breaks_the_chain(ledger):
    for number in range(3):
        registered(ledger, f"claim-{number}")
    tamper(ledger, "DELETE FROM predictions WHERE claim_id = 'claim-1'")
    tamper(ledger, "DELETE FROM registrations WHERE position = 2")
    with pytest.raises(LedgerError, match="breaks at number 3"):
        ledger.registry.verify_chain()


def test_a_claim_is_found_by_the_beginning_of_its_id(ledger):
    claim(ledger, "cabc123")
    claim(ledger, "cxyz999")
    assert ledger.registry.claim("cab").claim_id == "cabc123"


def test_an_ambiguous_beginning_is_refused_with_the_candidates(ledger):
    claim(ledger, "cabc123")
    claim(ledger, "cabd456")
    with pytest.raises(LedgerError, match="cabc123, cabd456"):
        ledger.registry.claim("cab")


def test_an_unknown_claim_names_the_newest(ledger):
    claim(ledger, "cabc123")
    with pytest.raises(LedgerError, match="newest are: cabc123"):
        ledger.registry.claim("zzz")


def judged(ledger: Ledger, word: str) -> str:
    return ledger.registry.add_verdict("claim-1", verdict=word, rung=3, method_version="1", payload={"word": word})


def test_the_same_verdict_twice_is_stored_once(ledger):
    claim(ledger)
    assert judged(ledger, "supported") == judged(ledger, "supported")


def test_a_verdict_that_comes_back_is_the_newest_again(ledger):
    claim(ledger)
    ids = [judged(ledger, word) for word in ("supported", "refuted", "supported")]
    newest = ledger.registry.verdict("claim-1")
    assert newest is not None
    assert newest.verdict_id == ids[2] != ids[0]
