"""The door that the app, the command line and MCP use: ask, verify, run, cancel, read. It needs no torch.

A `Court` writes jobs into the queue and reads everything else from the ledger; a worker does the work.
"""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.answer import Answer
from agent.cards import ClaimCard, ClaimSummary, RunCard
from agent.claims import Claim
from agent.config import Config
from agent.docket import claim_card, claim_summaries
from agent.errors import LedgerError, UnreadError, WorkerError
from agent.events import Event
from agent.ledger.schema import RunRow
from agent.ledger.store import Ledger
from agent.liveness import living_workers
from agent.published import Published
from agent.queue import APPROVAL, JobQueue
from tools.errors import ExperimentError
from tools.result import Result, content_hash

if TYPE_CHECKING:
    from agent.bundle_import import Imported

POLL_SECONDS = 0.05


class Court:
    """One data folder's court. Every method raises only errors of `agent.errors.USER_ERRORS`."""

    def __init__(self, config: Config, *, patience: float = 30.0, parent_run: str | None = None) -> None:
        """Open the ledger of `config`, migrated when needed.

        `patience`: seconds that `follow` waits for a worker. `parent_run`: the run on whose behalf jobs are queued;
        such jobs stop with it, and the same job is queued once however often the parent is repeated.
        """
        self.config = config
        self.ledger = Ledger.open(config)
        self._queue = JobQueue(config.queue_url)
        self._patience = patience
        self._parent_run = parent_run

    def close(self) -> None:
        """Give the databases back."""
        self._queue.close()
        self.ledger.close()

    # jobs: each returns the run id at once; the worker writes events
    def _submit(self, kind: str, request: dict[str, Any], *, conversation_id: str | None = None) -> str:
        run_id = uuid.uuid4().hex
        if self._parent_run is not None:
            request = {**request, "parent_run": self._parent_run}
            run_id = content_hash({"kind": kind, "request": request})[:32]
        self.ledger.runs.create(run_id, kind, request, conversation_id=conversation_id)
        self._queue.put(run_id, kind)
        return run_id

    def ask(self, question: str, *, conversation_id: str | None = None, model: str | None = None) -> str:
        """Queue one chat turn; the question is stored as a message first, so nothing is lost."""
        words = question.strip()
        if not words:
            raise ExperimentError("The question is empty. Ask, for example: which heads matter for IOI in this model?")
        runs = self.ledger.runs
        conversation = runs.converse(conversation_id, title=words)
        run_id = uuid.uuid4().hex
        runs.say(conversation, "user", {"text": words}, run_id=run_id)
        request = {"question": words, "model": absolute(model or self.config.model)}
        runs.create(run_id, "ask", request, conversation_id=conversation)
        self._queue.put(run_id, "ask")
        return run_id

    def verify(self, text: str, *, model: str | None = None, task: str | None = None) -> str:
        """Parse and queue the verification of one claim. Raises ClaimError before anything is queued.

        With an llm configured, a sentence that the parser cannot read is queued for the llm to read.
        """
        try:
            claim = self.parse(text, model=model, task=task)
        except UnreadError:
            if not self.config.llm:
                raise
            spec = absolute(model or self.config.model)
            return self._submit("verify", {"text": text, "model": spec, "task": absolute(task or self._task_of(spec))})
        request = {"text": text, "model": claim.model, "task": claim.task, "claim_id": claim.claim_id}
        return self._submit("verify", request | {"claim": claim.model_dump(mode="json")})

    def parse(self, text: str, *, model: str | None = None, task: str | None = None) -> Claim:
        """The claim that a sentence states, with nothing queued. Raises ClaimError that asks back or says why not."""
        from agent.claim_parser import parse_claim  # reads every claim type: wanted only here

        spec = absolute(model or self.config.model)
        known = Published(self.ledger)
        task = absolute(task or self._task_of(spec))
        return parse_claim(text, model=spec, task=task, shape=known.shape(spec), tasks=known.tasks())

    def _task_of(self, spec: str) -> str:
        """The task that is meant when none is named: a planted model's own, else the configured one."""
        return spec if spec.startswith(("planted:", "case:")) else self.config.task

    def stored_verdict(self, text: str, *, model: str | None = None, task: str | None = None) -> ClaimCard | None:
        """The judged claim for this sentence when the ledger already holds it for the same model, task and method."""
        try:
            claim = self.parse(text, model=model, task=task)
        except UnreadError:
            if not self.config.llm:
                raise
            return None
        verdict = self.ledger.registry.verdict(claim.claim_id)
        if verdict is None or not Published(self.ledger).current(claim.model_dump(mode="json"), verdict.payload):
            return None
        return claim_card(self.ledger, claim.claim_id)

    def run_experiment(self, name: str, params: dict[str, Any], *, model: str | None = None) -> str:
        """Queue one experiment; outcome of the run is {"result_id"}."""
        known = [entry["name"] for entry in self.ledger.catalogue.entries("experiment")]
        if known and name not in known:  # before a worker ever published them, the worker itself will say so
            raise ExperimentError(f"No experiment is called {name!r}; there are: {', '.join(known)}.")
        return self._submit(
            "experiment", {"name": name, "params": params, "model": absolute(model or self.config.model)}
        )

    def add_to_library(self, sources: list[str]) -> str:
        """Queue an ingest of files or folders; outcome is the report."""
        if not sources:
            raise ExperimentError("Name at least one file or folder to add.")
        return self._submit("ingest", {"sources": [_source(source) for source in sources]})

    def check_model(self, model: str) -> str:
        """Queue loading and self-testing a model; outcome is its self-test report."""
        return self._submit("check_model", {"model": absolute(model)})

    def replicate(self, claim_id: str) -> str:
        """Queue running a claim's evidence again; outcome is an `agent.replication.Replication`."""
        return self._submit("replicate", {"claim_id": self.ledger.registry.claim(claim_id).claim_id})

    def notebook(self, result_id: str, *, model: str | None = None) -> str:
        """Queue writing a result as a notebook in plain TransformerLens; outcome is {"path"}."""
        self.ledger.evidence.summary(result_id)
        spec = model or self.ledger.evidence.model_of(result_id) or self.config.model
        return self._submit("notebook", {"result_id": result_id, "model": absolute(spec)})

    def rejudge(self, claim_id: str) -> ClaimCard:
        """Compute a verdict again from the ledger alone and store it when it differs."""
        from agent.verification import rejudge  # reads every rule: wanted only here

        return claim_card(self.ledger, rejudge(claim_id, self.ledger).claim_id)

    def export_bundle(self, claim_ids: list[str], file: Path) -> Path:
        """Write claims with all their evidence into one file that another installation can check."""
        from agent.bundle import export_bundle

        return export_bundle(self.ledger, claim_ids, file)

    def import_bundle(self, file: Path) -> "Imported":
        """Check a bundle from elsewhere and take its claims in; those that this ledger has itself stay as they are."""
        from agent.bundle_import import import_bundle

        return import_bundle(self.ledger, file)

    def imported(self) -> dict[str, str]:
        """The bundle that a claim came from, by claim id, for claims that were not put on trial here."""
        from agent.bundle_import import imported_claims

        return imported_claims(self.ledger)

    def investigate(
        self,
        question: str,
        *,
        model: str | None = None,
        task: str | None = None,
        seconds: float | None = None,
        forward_passes: int | None = None,
    ) -> str:
        """Queue an investigation. What is estimated to cost more than the budget waits for `approve`."""
        if not question.strip():
            raise ExperimentError("The question is empty. Ask, for example: how does this model do IOI?")
        from agent.question import asked_task  # reads the claim parser: wanted only here

        spec, known = absolute(model or self.config.model), Published(self.ledger).tasks()
        request = {
            "question": question.strip(),
            "model": spec,
            "task": absolute(task)
            if task
            else asked_task(question, model=spec, default=self._task_of(spec), tasks=known),
            "seconds": seconds or self.config.budget_seconds,
            "forward_passes": forward_passes or self.config.budget_forward_passes,
        }
        return self._submit("investigate", request)

    def approve(self, run_id: str, *, yes: bool) -> None:
        """Answer a run that waits for approval, or the turn of a chat whose investigation does.

        Raises LedgerError when it does not wait.
        """
        waiting = self._waiting(run_id)
        if waiting is None:
            raise LedgerError(f"Run {run_id} does not wait for approval.")
        self._queue.send(waiting, {"approved": yes}, topic=APPROVAL)

    def _waiting(self, run_id: str) -> str | None:
        """The run that waits for a yes: this one, or for a chat's turn the one that it follows; None when none does."""
        if self.run(run_id).status != "running":
            return None
        asked = [event for event in self.events(run_id) if event.kind in ("approval", "approved")]
        if not asked or asked[-1].kind == "approved":
            return None
        return asked[-1].payload.get("run_id", run_id)

    def cancel(self, run_id: str) -> None:
        """Ask a queued or running job to stop."""
        runs = self.ledger.runs
        status = runs.get(run_id).status
        runs.request_cancel(run_id)
        if status == "queued" or not self.worker_alive():
            self._queue.cancel(run_id)
            runs.end(run_id, "cancelled")
        elif self._waiting(run_id) == run_id:
            self._queue.send(run_id, {"approved": False}, topic=APPROVAL)  # wakes it, so that it sees the flag
        for child in runs.list(active=True):
            if child.request.get("parent_run") == run_id:
                self.cancel(child.run_id)

    # reading
    def run(self, run_id: str) -> RunCard:
        """Raises LedgerError when there is no such run."""
        return _run_card(self.ledger.runs.get(run_id))

    def runs(self, *, active: bool = False) -> list[RunCard]:
        """Newest first; only those queued or running when `active`."""
        return [_run_card(row) for row in self.ledger.runs.list(active=active)]

    def events(self, run_id: str, *, after: int = 0) -> list[Event]:
        """The events numbered above `after`, in order."""
        return self.ledger.runs.events(run_id, after=after)

    def follow(self, run_id: str, *, after: int = 0) -> Iterator[Event]:
        """Yield events as they come until `ended`; raises WorkerError when no worker lives for 30 s."""
        seen, last_life = after, time.monotonic()
        next_check = last_life + 1.0
        while True:
            ended = self.ledger.runs.get(run_id).ended_at is not None
            for event in self.ledger.runs.events(run_id, after=seen):
                seen = event.seq
                yield event
                if event.kind == "ended":
                    return
            if ended:
                return
            if time.monotonic() >= next_check:
                next_check = time.monotonic() + 1.0
                if self.worker_alive():
                    last_life = time.monotonic()
            if time.monotonic() - last_life > self._patience:
                raise WorkerError(
                    "No worker is running, so nothing will happen. Start one with: circuit-court worker "
                    f"(run {run_id} stays queued and goes on then)."
                )
            time.sleep(POLL_SECONDS)

    def claims(self, *, model: str | None = None, task: str | None = None) -> list[ClaimSummary]:
        """Newest first."""
        rows = claim_summaries(self.ledger)
        return [row for row in rows if model in (None, row.model) and task in (None, row.task)]

    def claim(self, claim_id: str) -> ClaimCard:
        """By id or unique prefix. Raises LedgerError naming the nearest ids."""
        return claim_card(self.ledger, self.ledger.registry.claim(claim_id).claim_id)

    def result(self, result_id: str) -> Result:
        """With arrays."""
        return self.ledger.evidence.result(result_id)

    def conversations(self) -> list[dict[str, str]]:
        """Newest first: {"conversation_id", "title", "created_at"}."""
        rows = self.ledger.runs.conversations()
        return [
            {"conversation_id": row.conversation_id, "title": row.title, "created_at": row.created_at} for row in rows
        ]

    def messages(self, conversation_id: str) -> list[dict[str, Any]]:
        """Oldest first: {"role", "content", "run_id", "created_at"}; content is {"text"} or an Answer's JSON."""
        rows = self.ledger.runs.messages(conversation_id)
        return [
            {"role": row.role, "content": row.content, "run_id": row.run_id, "created_at": row.created_at}
            for row in rows
        ]

    def answer(self, run_id: str) -> Answer | None:
        """The answer of an `ask` run, None before there is one."""
        for event in reversed(self.events(run_id)):
            if event.kind == "answer":
                return Answer.model_validate(event.payload)
        return None

    def catalogue(self, kind: str) -> list[dict[str, Any]]:
        """Published experiments, tasks or models. Raises WorkerError with a remedy when no worker ever published."""
        entries = self.ledger.catalogue.entries(kind)
        if not entries:
            raise WorkerError(
                f"No worker has published its {kind}s yet. Start one with: circuit-court worker "
                "(circuit-court app starts its own)."
            )
        return entries

    def worker_alive(self) -> bool:
        """Whether some worker gave a sign of life in the last seconds."""
        return bool(living_workers(self.ledger))

    # the library, read-only and without torch
    def library_home(self) -> Path:
        """The folder of the library; `kb.library` opens it."""
        return self.config.home / "library"


def absolute(name: str) -> str:
    """A model, task or source that is named by a path, made independent of the folder this process stands in."""
    path = Path(name.removeprefix("case:")).expanduser()
    is_file = path.suffix in (".yaml", ".yml", ".csv", ".jsonl")
    named_by_path = is_file or "/" in name or name.startswith((".", "case:"))
    if not named_by_path or not path.exists():
        return name
    return ("case:" if name.startswith("case:") else "") + str(path.resolve())


def _source(name: str) -> str:
    path = Path(name).expanduser()
    return str(path.resolve()) if path.exists() else name


def _run_card(row: RunRow) -> RunCard:
    fields = {name: getattr(row, name) for name in RunCard.model_fields}
    return RunCard.model_validate(fields)
