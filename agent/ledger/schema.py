"""The tables of the ledger: every claim, prediction, attempt, result, piece of evidence and verdict; runs and their
events; conversations; the catalogue that workers publish.

Ids of claims, predictions, results and evidence are content hashes, so that writing a thing twice is harmless.
Nothing is ever updated except the status of runs and attempts, workers' `beat_at` and catalogue entries. Times are
UTC ISO strings with microseconds, so that they sort as text. JSON columns hold canonical JSON of the pydantic
models named beside them.
"""

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Declarative base of the ledger."""

    type_annotation_map = {dict[str, Any]: JSON}  # noqa: RUF012  # SQLAlchemy's own protocol


class CatalogueRow(Base):
    """What workers offer: kind is experiment, task or model; payload is what the UI builds forms from."""

    __tablename__ = "catalogue"
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    payload: Mapped[dict[str, Any]]
    published_at: Mapped[str] = mapped_column(String(40))


class WorkerRow(Base):
    """A worker process that is or was alive; it is gone when `beat_at` is older than a few seconds."""

    __tablename__ = "workers"
    worker_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    pid: Mapped[int]
    host: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(40))  # starting, ready, busy, stopped
    started_at: Mapped[str] = mapped_column(String(40))
    beat_at: Mapped[str] = mapped_column(String(40))


class ConversationRow(Base):
    """One chat."""

    __tablename__ = "conversations"
    conversation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(String(40))


class MessageRow(Base):
    """One message of a chat; content is `agent.answer.Answer` for the assistant, {"text"} for the user."""

    __tablename__ = "messages"
    message_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.conversation_id"), index=True)
    run_id: Mapped[str | None] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(20))  # user, assistant
    content: Mapped[dict[str, Any]]
    created_at: Mapped[str] = mapped_column(String(40))


class RunRow(Base):
    """One durable job; run_id is the DBOS workflow id, kind one of `agent.queue.QUEUE_OF`."""

    __tablename__ = "runs"
    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    request: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(20), index=True)  # queued, running, done, failed, cancelled
    conversation_id: Mapped[str | None] = mapped_column(String(64), index=True)
    outcome: Mapped[dict[str, Any] | None] = mapped_column(JSON, nullable=True)
    error: Mapped[str | None] = mapped_column(Text)
    cancel_requested_at: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[str] = mapped_column(String(40))
    ended_at: Mapped[str | None] = mapped_column(String(40))


class EventRow(Base):
    """What happened in a run, in order; kinds and payloads are documented in `agent/events.py`."""

    __tablename__ = "events"
    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]]
    at: Mapped[str] = mapped_column(String(40))


class ClaimRow(Base):
    """A claim: `agent.claims.Claim`. parent_id links a revision to what it revises (lineage)."""

    __tablename__ = "claims"
    claim_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    type: Mapped[str] = mapped_column(String(40), index=True)
    text: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]]
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("claims.claim_id"))
    created_at: Mapped[str] = mapped_column(String(40))


class RegistrationRow(Base):
    """The preregistration of a claim (METHOD section 7): append-only, each record carries the previous one's hash."""

    __tablename__ = "registrations"
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    prereg_hash: Mapped[str] = mapped_column(String(64), unique=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey("claims.claim_id"), index=True)
    payload: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(String(64))
    chain_hash: Mapped[str] = mapped_column(String(64))
    registered_at: Mapped[str] = mapped_column(String(40))


class PredictionRow(Base):
    """One registered prediction (`agent.predictions.Prediction`), written in one transaction with its registration."""

    __tablename__ = "predictions"
    prediction_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey("claims.claim_id"), index=True)
    prereg_hash: Mapped[str] = mapped_column(ForeignKey("registrations.prereg_hash"))
    key: Mapped[str] = mapped_column(String(20))  # C1, C2, K1 ...
    role: Mapped[str] = mapped_column(String(20))  # critical, corroborating, assay
    experiment: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]]
    registered_at: Mapped[str] = mapped_column(String(40))


class AttemptRow(Base):
    """Every experiment that was started, finished or not: crashes and cancellations count."""

    __tablename__ = "attempts"
    attempt_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    prediction_id: Mapped[str | None] = mapped_column(ForeignKey("predictions.prediction_id"), index=True)
    run_id: Mapped[str | None] = mapped_column(String(64), index=True)
    worker_id: Mapped[str | None] = mapped_column(String(64))
    call: Mapped[dict[str, Any]]  # {"experiment", "version", "params", "model"}: what was asked
    call_hash: Mapped[str] = mapped_column(String(64), index=True)
    look: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))  # started, done, crashed, cancelled, reused
    result_id: Mapped[str | None] = mapped_column(String(64))
    error: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[str] = mapped_column(String(40))
    ended_at: Mapped[str | None] = mapped_column(String(40))


class ResultRow(Base):
    """A stored result: the JSON of `tools.result.Result`; its arrays are `<results_dir>/<result_id>.npz`."""

    __tablename__ = "results"
    result_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    call_hash: Mapped[str] = mapped_column(String(64), index=True)
    experiment: Mapped[str] = mapped_column(String(80), index=True)
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[str] = mapped_column(String(40))


class EvidenceRow(Base):
    """A result attached to the prediction it was run for; one for each prediction and look."""

    __tablename__ = "evidence"
    evidence_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    prediction_id: Mapped[str] = mapped_column(ForeignKey("predictions.prediction_id"), index=True)
    result_id: Mapped[str] = mapped_column(ForeignKey("results.result_id"))
    look: Mapped[int]
    at: Mapped[str] = mapped_column(String(40))
    __table_args__ = (UniqueConstraint("prediction_id", "look"),)


class VerdictRow(Base):
    """A computed verdict: `agent.judge.Verdict`. The newest of a claim is the one shown; older ones stay."""

    __tablename__ = "verdicts"
    verdict_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    claim_id: Mapped[str] = mapped_column(ForeignKey("claims.claim_id"), index=True)
    verdict: Mapped[str] = mapped_column(String(20))
    rung: Mapped[int]
    method_version: Mapped[str] = mapped_column(String(20))
    payload: Mapped[dict[str, Any]]
    at: Mapped[str] = mapped_column(String(40))
