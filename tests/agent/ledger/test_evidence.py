import pytest
from sqlalchemy import text

from agent.errors import LedgerError
from tests.agent.ledger.samples import call, registered, result
from tools.errors import ExperimentError


def run(ledger, prediction_id, *, seed=1, value=0.5, run_id="run"):
    attempt = ledger.evidence.start(call(prediction_id, seed=seed, run_id=run_id), worker_id="w")
    return ledger.evidence.finish(attempt, result(value, seed=seed))


def test_evidence_is_younger_than_its_prediction(ledger):
    prediction_id = registered(ledger)
    ledger.evidence.add_evidence(prediction_id, run(ledger, prediction_id), look=1)
    (row,) = ledger.evidence.evidence([prediction_id])
    (registration,) = ledger.registry.predictions(ledger.registry.registration("claim-1").prereg_hash)
    assert registration.registered_at < row.at


def test_a_result_from_before_the_registration_is_no_evidence(ledger):
    result_id = run(ledger, None)
    prediction_id = registered(ledger)
    ledger.evidence.reuse(call(prediction_id), result_id, worker_id="w")
    with pytest.raises(LedgerError, match="no experiment that started after"):
        ledger.evidence.add_evidence(prediction_id, result_id, look=1)


def test_a_result_from_before_the_registration_is_not_reused(ledger):
    run(ledger, None)
    assert ledger.evidence.reusable(call(registered(ledger))) is None


def test_a_finished_exploration_is_reused(ledger):
    result_id = run(ledger, None)
    assert ledger.evidence.reusable(call(None, run_id="another")) == result_id


def test_a_result_nobody_ran_is_no_evidence(ledger):
    prediction_id = registered(ledger)
    result_id = ledger.evidence.add_result(result())
    with pytest.raises(LedgerError, match="no experiment that started after"):
        ledger.evidence.add_evidence(prediction_id, result_id, look=1)


def test_evidence_for_an_unregistered_prediction_is_refused(ledger):
    with pytest.raises(LedgerError, match="not registered"):
        ledger.evidence.add_evidence("ghost", run(ledger, None), look=1)


def test_attaching_twice_changes_nothing(ledger):
    prediction_id = registered(ledger)
    result_id = run(ledger, prediction_id)
    first = ledger.evidence.add_evidence(prediction_id, result_id, look=1)
    assert ledger.evidence.add_evidence(prediction_id, result_id, look=1) == first
    assert len(ledger.evidence.evidence([prediction_id])) == 1


def test_a_look_is_decided_once(ledger):
    prediction_id = registered(ledger)
    ledger.evidence.add_evidence(prediction_id, run(ledger, prediction_id), look=1)
    other = run(ledger, prediction_id, seed=2, value=0.9)
    with pytest.raises(LedgerError, match="is decided by"):
        ledger.evidence.add_evidence(prediction_id, other, look=1)


def test_attempts_of_dead_workers_become_crashed(ledger):
    ledger.evidence.start(call(None), worker_id="dead")
    ledger.evidence.start(call(None), worker_id="alive")
    assert ledger.evidence.mark_crashed(alive={"alive"}) == 1
    assert [row.status for row in ledger.evidence.attempts()] == ["crashed", "started"]


def test_a_crashed_attempt_is_not_reused(ledger):
    ledger.evidence.start(call(None), worker_id="dead")
    ledger.evidence.mark_crashed(alive=set())
    assert ledger.evidence.reusable(call(None)) is None


def test_the_same_reuse_is_noted_once(ledger):
    result_id = run(ledger, None)
    for _ in range(2):
        ledger.evidence.reuse(call(None, run_id="later"), result_id, worker_id="w")
    assert [row.status for row in ledger.evidence.attempts(run_id="later")] == ["reused"]


def test_a_result_comes_back_with_its_arrays(ledger):
    result_id = run(ledger, None, value=0.25)
    assert ledger.evidence.result(result_id).arrays["harm"].tolist() == [[0.25, 0.25], [0.25, 0.25]]


def test_a_changed_result_file_is_refused(ledger, tmp_path):
    result_id = run(ledger, None, value=0.25)
    path = tmp_path / "home" / "results" / f"{result_id}.json"
    path.write_text(path.read_text().replace("0.25", "0.95"))
    with pytest.raises(ExperimentError, match="was changed after it was written"):
        ledger.evidence.result(result_id)


def test_missing_arrays_say_what_to_do(ledger, tmp_path):
    result_id = run(ledger, None)
    (tmp_path / "home" / "results" / f"{result_id}.npz").unlink()
    with pytest.raises(LedgerError, match="run the experiment again"):
        ledger.evidence.result(result_id)


def test_evidence_must_name_a_stored_result(ledger):
    with pytest.raises(Exception, match="FOREIGN KEY"), ledger.database.writing() as session:
        session.execute(text("INSERT INTO evidence VALUES ('e', 'p', 'r', 1, 'now')"))


def test_the_same_numbers_again_keep_the_first_provenance(ledger):
    first, second = result(), result()
    later = second.provenance.model_copy(update={"seconds": 99.0})
    for one in (first, second.model_copy(update={"provenance": later})):
        ledger.evidence.add_result(one)
    assert ledger.evidence.result(first.result_id).provenance.seconds == 0.0
    assert ledger.evidence.summary(first.result_id).provenance.seconds == 0.0
