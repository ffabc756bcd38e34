"""Claims and their preregistrations: append-only, chained by hash, closed once evidence exists.

Method: METHOD.md section 7. Every registration carries the hash of the one before it, so that a record changed,
removed or slipped in later breaks the chain from there on, and `verify_chain` names the place. This module does not
know what a claim means; it stores what `agent.claims` and `agent.predictions` hand over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent.errors import LedgerError
from agent.ledger.engine import Database, add_once, now
from agent.ledger.schema import ClaimRow, EvidenceRow, PredictionRow, RegistrationRow, VerdictRow
from tools.result import content_hash

GENESIS = "0" * 64


@dataclass(frozen=True)
class NewPrediction:
    """A prediction to be registered; `payload` is the JSON of `agent.predictions.Prediction`."""

    prediction_id: str
    key: str
    role: str
    experiment: str
    payload: dict[str, Any]


class Registry:
    """The claims' part of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_claim(
        self, claim_id: str, *, type: str, text: str, payload: dict[str, Any], parent_id: str | None = None
    ) -> None:
        """Store a claim; storing it again changes nothing."""
        with self._database.writing() as session:
            row = ClaimRow(claim_id=claim_id, type=type, text=text, payload=payload, created_at=now())
            row.parent_id = parent_id
            add_once(session, row)

    def register(self, claim_id: str, payload: dict[str, Any], predictions: list[NewPrediction]) -> RegistrationRow:
        """Register a claim's predictions in one transaction; registering the same again returns the first record.

        Raises LedgerError when the claim is unknown or has evidence already: what is tested is fixed before the
        data exist, so anything new is a new, linked claim.
        """
        prereg_hash = content_hash(payload)
        with self._database.writing() as session:
            existing = session.scalar(select(RegistrationRow).where(RegistrationRow.prereg_hash == prereg_hash))
            if existing is not None:
                return existing
            self._check_open(session, claim_id)
            at = now()
            row = append_registration(session, claim_id, payload, predictions, at=at)
            session.add_all(
                PredictionRow(
                    prediction_id=new.prediction_id,
                    claim_id=claim_id,
                    prereg_hash=prereg_hash,
                    key=new.key,
                    role=new.role,
                    experiment=new.experiment,
                    payload=new.payload,
                    registered_at=at,
                )
                for new in predictions
            )
            return row

    @staticmethod
    def _check_open(session: Session, claim_id: str) -> None:
        if session.get(ClaimRow, claim_id) is None:
            raise LedgerError(f"There is no claim {claim_id!r} to register predictions for; add the claim first.")
        tested = session.scalar(
            select(func.count())
            .select_from(EvidenceRow)
            .join(PredictionRow, PredictionRow.prediction_id == EvidenceRow.prediction_id)
            .where(PredictionRow.claim_id == claim_id)
        )
        if tested:
            raise LedgerError(
                f"Claim {claim_id} has evidence already, so no prediction can be added to it. "
                "State a new claim that names this one as its parent."
            )

    def add_verdict(
        self, claim_id: str, *, verdict: str, rung: int, method_version: str, payload: dict[str, Any]
    ) -> str:
        """Store a computed verdict and return its id; the same one twice in a row is stored once."""
        with self._database.writing() as session:
            newest = _newest_verdict(session, claim_id)
            if newest is not None and (newest.payload, newest.method_version) == (payload, method_version):
                return newest.verdict_id
            after = newest.verdict_id if newest else None
            body = {"claim": claim_id, "method": method_version, "payload": payload, "after": after}
            row = VerdictRow(
                verdict_id="v" + content_hash(body)[:24],
                claim_id=claim_id,
                verdict=verdict,
                rung=rung,
                method_version=method_version,
                payload=payload,
                at=now(),
            )
            session.add(row)
            return row.verdict_id

    def claim(self, claim_id: str) -> ClaimRow:
        """By id or by a prefix that only one claim has. Raises LedgerError naming the nearest ids."""
        with self._database.reading() as session:
            if row := session.get(ClaimRow, claim_id):
                return row
            pattern = claim_id.replace("%", "").replace("_", "") + "%"
            found = list(session.scalars(select(ClaimRow).where(ClaimRow.claim_id.like(pattern)).limit(6)))
            if len(found) == 1 and claim_id:
                return found[0]
            if found and claim_id:
                raise LedgerError(f"{claim_id!r} fits several claims: {', '.join(r.claim_id for r in found)}.")
            newest = session.scalars(select(ClaimRow.claim_id).order_by(ClaimRow.created_at.desc()).limit(5))
            known = ", ".join(newest)
        raise LedgerError(
            f"There is no claim {claim_id!r}. "
            + (f"The newest are: {known}." if known else "The ledger holds none yet.")
        )

    def claims(self) -> list[ClaimRow]:
        """All claims, newest first."""
        with self._database.reading() as session:
            return list(session.scalars(select(ClaimRow).order_by(ClaimRow.created_at.desc())))

    def registration(self, claim_id: str) -> RegistrationRow | None:
        """The newest registration of a claim, None before there is one."""
        with self._database.reading() as session:
            return session.scalar(
                select(RegistrationRow)
                .where(RegistrationRow.claim_id == claim_id)
                .order_by(RegistrationRow.position.desc())
                .limit(1)
            )

    def predictions(self, prereg_hash: str) -> list[PredictionRow]:
        """The predictions of one registration, by key."""
        with self._database.reading() as session:
            query = select(PredictionRow).where(PredictionRow.prereg_hash == prereg_hash)
            return list(session.scalars(query.order_by(PredictionRow.key)))

    def verdict(self, claim_id: str) -> VerdictRow | None:
        """The newest verdict on a claim."""
        with self._database.reading() as session:
            return _newest_verdict(session, claim_id)

    def verdicts(self) -> dict[str, VerdictRow]:
        """The newest verdict of every claim that has one, by claim id."""
        with self._database.reading() as session:
            rows = session.scalars(select(VerdictRow).order_by(VerdictRow.at))
            return {row.claim_id: row for row in rows}

    def verify_chain(self) -> int:
        """Check every registration against its hash and its predecessor; return how many there are.

        Raises LedgerError naming the first record that does not fit.
        """
        with self._database.reading() as session:
            rows = list(session.scalars(select(RegistrationRow).order_by(RegistrationRow.position)))
            predictions = list(session.scalars(select(PredictionRow)))
        previous = GENESIS
        for row in rows:
            if row.previous_hash != previous:
                raise LedgerError(f"The chain of registrations breaks at number {row.position} ({row.claim_id}).")
            own = [one for one in predictions if one.prereg_hash == row.prereg_hash]
            if faults := check_link(row, own):
                raise LedgerError(f"{faults[0]}.")
            previous = row.chain_hash
        return len(rows)


def append_registration(
    session: Session,
    claim_id: str,
    payload: dict[str, Any],
    predictions: Sequence[NewPrediction | PredictionRow],
    *,
    at: str,
) -> RegistrationRow:
    """Put a registration at the end of the chain; its predictions are written by the caller."""
    last = session.scalar(select(RegistrationRow).order_by(RegistrationRow.position.desc()).limit(1))
    previous, prereg_hash = (last.chain_hash if last else GENESIS), content_hash(payload)
    row = RegistrationRow(
        position=(last.position if last else 0) + 1,
        prereg_hash=prereg_hash,
        claim_id=claim_id,
        payload=payload,
        previous_hash=previous,
        chain_hash=_chain_hash(previous, prereg_hash, claim_id, at, _fingerprint(predictions)),
        registered_at=at,
    )
    session.add(row)
    session.flush()
    return row


def check_link(row: RegistrationRow, predictions: Sequence[PredictionRow]) -> list[str]:
    """What is wrong with one registration and its predictions, in words; empty when they are as they were written."""
    if content_hash(row.payload) != row.prereg_hash:
        return [f"registration {row.position} of {row.claim_id} was changed after it was written"]
    expected = _chain_hash(
        row.previous_hash, row.prereg_hash, row.claim_id, row.registered_at, _fingerprint(predictions)
    )
    if row.chain_hash != expected:
        return [f"the chain of registrations breaks at number {row.position} ({row.claim_id})"]
    late = [one.prediction_id for one in predictions if one.registered_at != row.registered_at]
    return [f"prediction {name} was not written together with its registration" for name in late]


def _newest_verdict(session: Session, claim_id: str) -> VerdictRow | None:
    query = select(VerdictRow).where(VerdictRow.claim_id == claim_id).order_by(VerdictRow.at.desc()).limit(1)
    return session.scalar(query)


def _fingerprint(predictions: Sequence[NewPrediction | PredictionRow]) -> str:
    """Hash of what was predicted: a prediction that is changed, removed or slipped in later changes it."""
    said = {one.prediction_id: [one.key, one.role, one.experiment, one.payload] for one in predictions}
    return content_hash(said)


def _chain_hash(previous: str, prereg_hash: str, claim_id: str, at: str, predictions: str) -> str:
    link = {"previous": previous, "prereg": prereg_hash, "claim": claim_id, "at": at, "predictions": predictions}
    return content_hash(link)
