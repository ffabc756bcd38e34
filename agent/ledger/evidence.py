"""Attempts, results and evidence: every experiment that was started counts, and none counts twice.

The rules are enforced here, whatever the caller does: evidence needs an attempt of the same prediction that ended
well, and that attempt started after the prediction was registered.
"""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from agent.errors import LedgerError
from agent.ledger.engine import Database, now
from agent.ledger.schema import AttemptRow, EvidenceRow, PredictionRow, ResultRow
from tools.result import Result, content_hash, load_result, save_result

FINISHED = ("done", "reused")


@dataclass(frozen=True)
class Call:
    """One question to the laboratory, as asked for by one prediction (or by a person, when there is none)."""

    experiment: str
    version: int
    params: dict[str, Any]
    model: str
    call_hash: str
    prediction_id: str | None = None
    look: int = 1
    run_id: str | None = None


class EvidenceStore:
    """The laboratory's part of the ledger; result arrays lie in `results_dir`."""

    def __init__(self, database: Database, results_dir: Path) -> None:
        self._database = database
        self.results_dir = results_dir

    def start(self, call: Call, *, worker_id: str) -> str:
        """Write down that an experiment starts now; return the attempt's id."""
        return self._attempt(call, worker_id=worker_id, status="started", result_id=None)

    def _attempt(self, call: Call, *, worker_id: str, status: str, result_id: str | None) -> str:
        attempt_id, at = uuid.uuid4().hex, now()
        asked = {
            "experiment": call.experiment,
            "version": call.version,
            "params": call.params,
            "model": call.model,
        }
        with self._database.writing() as session:
            session.add(
                AttemptRow(
                    attempt_id=attempt_id,
                    prediction_id=call.prediction_id,
                    run_id=call.run_id,
                    worker_id=worker_id,
                    call=asked,
                    call_hash=call.call_hash,
                    look=call.look,
                    status=status,
                    result_id=result_id,
                    started_at=at,
                    ended_at=None if status == "started" else at,
                )
            )
        return attempt_id

    def reusable(self, call: Call, *, own_run_only: bool = False) -> str | None:
        """The result of an earlier, finished run of the same call that this one may stand on.

        For a prediction, only a run that started after the registration: data older than it prove nothing.
        `own_run_only`: what other runs finished does not count.
        """
        query = (
            select(AttemptRow.result_id)
            .where(AttemptRow.call_hash == call.call_hash, AttemptRow.status.in_(FINISHED))
            .order_by(AttemptRow.started_at.desc())
            .limit(1)
        )
        if own_run_only:
            query = query.where(AttemptRow.run_id == call.run_id)
        with self._database.reading() as session:
            if call.prediction_id is not None:
                prediction = session.get_one(PredictionRow, call.prediction_id)
                query = query.where(AttemptRow.started_at > prediction.registered_at, AttemptRow.status == "done")
            return session.scalar(query)

    def reuse(self, call: Call, result_id: str, *, worker_id: str) -> str:
        """Write down that a finished result answers this call too; the same reuse is noted once."""
        same = select(AttemptRow.attempt_id).where(
            AttemptRow.call_hash == call.call_hash,
            AttemptRow.result_id == result_id,
            AttemptRow.prediction_id == call.prediction_id,
            AttemptRow.run_id == call.run_id,
            AttemptRow.look == call.look,
            AttemptRow.status.in_(FINISHED),
        )
        with self._database.reading() as session:
            if found := session.scalar(same.limit(1)):
                return found
        return self._attempt(call, worker_id=worker_id, status="reused", result_id=result_id)

    def finish(self, attempt_id: str, result: Result) -> str:
        """Store the result and end the attempt well, in one transaction; return the result's id."""
        stored = self._stored(result)
        with self._database.writing() as session:
            _add_row(session, stored)
            row = session.get_one(AttemptRow, attempt_id)
            row.status, row.result_id, row.ended_at = "done", result.result_id, now()
        return result.result_id

    def fail(self, attempt_id: str, status: str, error: str) -> None:
        """End the attempt as `crashed` or `cancelled`, with one sentence."""
        with self._database.writing() as session:
            row = session.get_one(AttemptRow, attempt_id)
            if row.status == "started":
                row.status, row.error, row.ended_at = status, error, now()

    def mark_crashed(self, *, alive: set[str]) -> int:
        """End the attempts that dead workers left behind; return how many there were."""
        with self._database.writing() as session:
            rows = session.scalars(select(AttemptRow).where(AttemptRow.status == "started")).all()
            dead = [row for row in rows if row.worker_id not in alive]
            for row in dead:
                row.status, row.ended_at = "crashed", now()
                row.error = "the worker died while the experiment ran"
        return len(dead)

    def add_result(self, result: Result) -> str:
        """Store a result's files and row; the same numbers are stored once."""
        stored = self._stored(result)
        with self._database.writing() as session:
            _add_row(session, stored)
        return result.result_id

    def _stored(self, result: Result) -> Result:
        """The result as its files hold it: those of the first run that gave these numbers stay."""
        path = self.results_dir / f"{result.result_id}.json"
        if path.exists() and path.with_suffix(".npz").exists():
            return load_result(path)
        save_result(result, self.results_dir)
        return result

    def add_evidence(self, prediction_id: str, result_id: str, *, look: int) -> str:
        """Attach a result to the prediction that it was run for; doing it again changes nothing.

        Raises LedgerError unless an attempt of this prediction, started after it was registered, gave this result,
        and when another result was attached for the same look.
        """
        evidence_id = "e" + content_hash({"prediction": prediction_id, "result": result_id, "look": look})[:24]
        with self._database.writing() as session:
            if session.get(EvidenceRow, evidence_id) is not None:
                return evidence_id
            prediction = session.get(PredictionRow, prediction_id)
            if prediction is None:
                raise LedgerError(f"Prediction {prediction_id!r} is not registered, so nothing can be evidence for it.")
            taken = select(EvidenceRow).where(EvidenceRow.prediction_id == prediction_id, EvidenceRow.look == look)
            if other := session.scalar(taken):
                raise LedgerError(f"Look {look} of prediction {prediction_id} is decided by {other.result_id} already.")
            own = aliased(AttemptRow)
            source = select(AttemptRow).where(
                AttemptRow.result_id == result_id,
                AttemptRow.status == "done",
                AttemptRow.started_at > prediction.registered_at,
                exists().where(
                    own.prediction_id == prediction_id,
                    own.result_id == result_id,
                    own.look == look,
                    own.status.in_(FINISHED),
                ),
            )
            at = now()
            if session.scalar(source.limit(1)) is None or at <= prediction.registered_at:
                raise LedgerError(
                    f"Result {result_id} is no evidence for prediction {prediction_id}: no experiment that started "
                    "after the prediction was registered gave it."
                )
            session.add(
                EvidenceRow(evidence_id=evidence_id, prediction_id=prediction_id, result_id=result_id, look=look, at=at)
            )
        return evidence_id

    def evidence(self, prediction_ids: list[str]) -> list[EvidenceRow]:
        """The evidence for these predictions, by look."""
        with self._database.reading() as session:
            query = select(EvidenceRow).where(EvidenceRow.prediction_id.in_(prediction_ids))
            return list(session.scalars(query.order_by(EvidenceRow.look)))

    def attempts(self, *, prediction_ids: list[str] | None = None, run_id: str | None = None) -> list[AttemptRow]:
        """Attempts in the order they were started, of these predictions or of a run, or all."""
        query = select(AttemptRow).order_by(AttemptRow.started_at)
        if prediction_ids is not None:
            query = query.where(AttemptRow.prediction_id.in_(prediction_ids))
        if run_id is not None:
            query = query.where(AttemptRow.run_id == run_id)
        with self._database.reading() as session:
            return list(session.scalars(query))

    def summary(self, result_id: str) -> Result:
        """A stored result without its arrays. Raises LedgerError when there is none of that id."""
        with self._database.reading() as session:
            row = session.get(ResultRow, result_id)
        if row is None:
            raise LedgerError(f"There is no result {result_id!r}.")
        return Result.model_validate(row.payload)

    def model_of(self, result_id: str) -> str | None:
        """The spec of the model that a result was measured on, as it was asked for."""
        query = select(AttemptRow.call).where(AttemptRow.result_id == result_id).limit(1)
        with self._database.reading() as session:
            call = session.scalar(query)
        return call["model"] if call else None

    def result(self, result_id: str) -> Result:
        """A stored result with its arrays. Raises LedgerError when there is none, or its file is gone."""
        self.summary(result_id)
        path = self.results_dir / f"{result_id}.json"
        if not path.exists() or not path.with_suffix(".npz").exists():
            raise LedgerError(
                f"The arrays of {result_id} are missing from {self.results_dir}; run the experiment again."
            )
        return load_result(path)


def _add_row(session: Session, result: Result) -> None:
    if session.get(ResultRow, result.result_id) is None:
        session.add(
            ResultRow(
                result_id=result.result_id,
                call_hash=result.call_hash,
                experiment=result.experiment,
                payload=result.model_dump(mode="json"),
                created_at=now(),
            )
        )
