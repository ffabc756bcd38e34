"""The jobs that a worker does, as DBOS workflows: ask, experiment and check_model here, the others in their modules.

Each takes its run's id and nothing else; what was asked stands in the ledger. `register_workflows` is called once by
the worker before DBOS is launched. The reasoning is elsewhere: chat turns in `agent/chat/`, the trial of a claim in
`agent/verification.py`, measuring in `agent/bench.py`.
"""

import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dbos import DBOS

from agent.answer import Answer
from agent.asked import Asked
from agent.config import Config
from agent.errors import WorkerError
from agent.job import Job, JobEnd
from agent.ledger.store import Ledger
from tools.errors import CancelledError

if TYPE_CHECKING:
    from agent.bench import Bench

MAX_DEATHS = 30
Body = Callable[["Desk", Job], dict[str, Any]]


@dataclass
class Desk:
    """What the worker's jobs share. The bench comes when it is wanted: importing torch takes seconds."""

    config: Config
    ledger: Ledger
    worker_id: str
    wanted: threading.Event = field(default_factory=threading.Event)
    _bench: "Bench | None" = None
    _bench_ready: threading.Event = field(default_factory=threading.Event)

    def set_bench(self, bench: "Bench") -> None:
        """The laboratory is open."""
        self._bench = bench
        self._bench_ready.set()

    def bench(self, job: Job) -> "Bench":
        """The laboratory's bench, once it is open. Raises CancelledError when the job is stopped meanwhile."""
        self.wanted.set()
        if not self._bench_ready.is_set():
            job.status("opening the laboratory")
        while not self._bench_ready.wait(timeout=0.2):
            if job.cancelled():
                raise CancelledError("stopped on request")
        assert self._bench is not None
        return self._bench


def register_workflows(desk: Desk) -> None:
    """Tell DBOS the jobs of this worker."""
    bodies: dict[str, Body] = {
        "ask": _ask,
        "experiment": _experiment,
        "check_model": _check_model,
        "verify": _late("agent.workflows_verify", "verify"),
        "ingest": _late("agent.workflows_ingest", "ingest"),
        "investigate": _late("agent.workflows_investigate", "investigate"),
        "replicate": _late("agent.workflows_evidence", "replicate"),
        "notebook": _late("agent.workflows_evidence", "notebook"),
    }
    for name, body in bodies.items():
        _register(name, body, desk)


def _late(module: str, function: str) -> Body:
    """A body whose module is imported when the first such job comes."""

    def body(desk: Desk, job: Job) -> dict[str, Any]:
        return getattr(importlib.import_module(module), function)(desk, job)

    return body


def _register(name: str, body: Body, desk: Desk) -> None:
    @DBOS.workflow(name=name, max_recovery_attempts=None)
    def _workflow(run_id: str) -> None:
        if not desk.ledger.runs.start(run_id):
            return
        job = Job.of(run_id, desk.ledger)
        log_path = str(desk.config.logs_dir / "worker.log")
        with JobEnd(job, log_path) as end:
            if (deaths := desk.ledger.runs.take_up(run_id)) >= MAX_DEATHS:
                raise WorkerError(
                    f"The worker died {deaths} times in a row at the same place of this run and does not try again. "
                    f"Often memory is short: ask for fewer prompts or a smaller model. Details: {log_path}"
                )
            end.outcome = body(desk, job)


def _experiment(desk: Desk, job: Job) -> dict[str, Any]:
    """One experiment for a person: exploratory, evidence for nothing."""
    name, params, model = job.request["name"], job.request["params"], job.request["model"]

    def work() -> dict[str, Any]:
        def progress(done: float, text: str) -> None:
            job.emit("progress", {"done": done, "text": text, "experiment": name})

        asked = Asked(experiment=name, params=params, model=model, run_id=job.run_id)
        return {"result_id": desk.bench(job).measure(asked, progress=progress, cancelled=job.cancelled)}

    job.status(f"running {name} on {model}")
    return job.step(f"experiment {name}", work)


def _check_model(desk: Desk, job: Job) -> dict[str, Any]:
    """Load a model anew and run its self-test."""
    model = job.request["model"]
    job.status(f"loading {model} and testing it")
    return job.step("check model", lambda: desk.bench(job).model(model, fresh=True).card())


def _ask(desk: Desk, job: Job) -> dict[str, Any]:
    """One chat turn: the answer is an event and a message of the conversation."""
    assert job.conversation_id is not None, job.run_id
    job.status("reading the question")
    answer = job.step("turn", lambda: _turn(desk, job))
    job.ledger.runs.say(job.conversation_id, "assistant", answer, run_id=job.run_id)
    return {"claims": answer["claims"], "results": answer["results"]}


def _turn(desk: Desk, job: Job) -> dict[str, Any]:
    from agent.chat.llm import build_llm
    from agent.chat.toolbox import Toolbox
    from agent.chat.turn import run_turn
    from agent.court import Court
    from agent.library import open_library
    from agent.usage import Meter, Rates, usage_of

    events = job.ledger.runs.events(job.run_id)
    for event in events:
        if event.kind == "answer":  # said already, by a worker that died before it could note the step as done
            return Answer.model_validate(event.payload).model_dump(mode="json")
    if any(event.kind in ("tool", "delta") for event in events):
        job.status("the worker was restarted; starting this answer again")
    assert job.conversation_id is not None
    history = [
        {"role": row.role, "content": row.content}
        for row in job.ledger.runs.messages(job.conversation_id)
        if row.run_id != job.run_id
    ]
    court = Court(desk.config, parent_run=job.run_id)
    try:
        experiments = [entry["name"] for entry in court.ledger.catalogue.entries("experiment")]
        llm, name = build_llm(desk.config, experiments)
        toolbox = Toolbox(
            court=court,
            library=open_library(desk.config),
            model=job.request["model"],
            task=desk.config.task,
            emit=job.emit,
            cancelled=job.cancelled,
            meter=Meter(Rates.of(desk.config), job.emit, usage_of(events)),
        )
        answer = run_turn(job.request["question"], history, toolbox=toolbox, llm=llm, name=name)
    finally:
        court.close()
    return answer.model_dump(mode="json")
