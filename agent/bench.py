"""The laboratory's bench: one model under study at a time, and one experiment on it, for the record.

Every experiment that starts leaves an attempt in the ledger, finished or not; what was measured already is not
measured again. Only the worker imports this module: it needs torch.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any

import torch
from pydantic import ValidationError

from agent.asked import Asked
from agent.config import Config
from agent.errors import WorkerError
from agent.ledger.evidence import Call
from agent.ledger.store import Ledger
from agent.memory import give_back
from agent.model_files import model_files
from tools.errors import CancelledError, ExperimentError
from tools.experiment import Experiment, Lab, Params, find_experiment
from tools.models import LoadedModel, load_model
from tools.result import Result, call_hash
from tools.tasks import find_task

log = logging.getLogger(__name__)
Progress = Callable[[float, str], None]
MAX_CRASHES = 8
THREADS = torch.get_num_threads()
SMALL = 4096


class Bench:
    """Holds the loaded model; `measure` is the one way to run an experiment."""

    def __init__(self, config: Config, ledger: Ledger, *, worker_id: str) -> None:
        self._config, self.ledger, self._worker_id = config, ledger, worker_id
        self._lock = threading.RLock()
        self._loaded: LoadedModel | None = None

    def model(self, spec: str, *, fresh: bool = False) -> LoadedModel:
        """The model of that spec, loaded and self-tested when it is not the one at hand; its entry is published.

        Raises what `tools.models.load_model` raises.
        """
        with self._lock:
            if fresh or self._loaded is None or self._loaded.spec != spec:
                self._loaded = None  # let the old one go before the next is loaded
                config = self._config
                self._loaded = load_model(spec, models_dir=config.models_dir, device=config.device, dtype=config.dtype)
                torch.set_num_threads(1 if _is_small(self._loaded) else THREADS)
                card = self._loaded.card() | {"files": model_files(spec, config.models_dir)}
                self.ledger.catalogue.publish("model", {spec: card}, replace=False)
            return self._loaded

    def measure(self, asked: Asked, *, progress: Progress, cancelled: Callable[[], bool]) -> str:
        """Run one experiment and return its result's id; a finished run of the same call is taken instead.

        Jobs that share the bench take turns, experiment by experiment. Raises ExperimentError for wrong parameters,
        CancelledError when stopped, WorkerError when the same call has taken the worker down eight times.
        """
        experiment = find_experiment(asked.experiment)
        params = _validated(experiment, asked.params)
        evidence = self.ledger.evidence
        with self._turn(cancelled):
            model = self.model(asked.model)
            call = _call(asked, experiment, params, model)
            result_id = evidence.reusable(call, own_run_only=asked.afresh)
            if result_id is not None:
                evidence.reuse(call, result_id, worker_id=self._worker_id)
            else:
                self._check_crashes(call)
                lab = Lab(model=model, progress=progress, cancelled=cancelled)
                try:
                    result_id = self._run(call, lambda: experiment.run(lab, params))
                finally:
                    if not _is_small(model):
                        give_back()
        if asked.prediction_id is not None:
            evidence.add_evidence(asked.prediction_id, result_id, look=asked.look)
        return result_id

    def _run(self, call: Call, run: Callable[[], Result]) -> str:
        """Run the experiment of a call as one attempt; store its result."""
        evidence = self.ledger.evidence
        with _Attempt(evidence.start(call, worker_id=self._worker_id), self.ledger) as attempt:
            result = run()
            if result.call_hash != call.call_hash:
                raise ExperimentError(
                    f"{call.experiment} reports other parameters, model or task than it was given; "
                    "its numbers cannot be stored. This is a defect of the experiment."
                )
            return evidence.finish(attempt, result)

    @contextmanager
    def _turn(self, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Wait for the bench. Raises CancelledError when stopped meanwhile."""
        while not self._lock.acquire(timeout=0.2):
            if cancelled():
                raise CancelledError("stopped on request")
        try:
            yield
        finally:
            self._lock.release()

    def _check_crashes(self, call: Call) -> None:
        earlier = self.ledger.evidence.attempts(run_id=call.run_id)
        died = [a for a in earlier if a.call_hash == call.call_hash and a.status == "crashed"]
        if len(died) >= MAX_CRASHES:
            raise WorkerError(
                f"{call.experiment} took the worker down {len(died)} times and is not tried again. "
                f"Ask for fewer prompts, or read {self._config.logs_dir / 'worker.log'}."
            )


class _Attempt(AbstractContextManager[str]):
    """Ends an attempt as crashed or cancelled when its experiment raises."""

    def __init__(self, attempt_id: str, ledger: Ledger) -> None:
        self._attempt_id, self._ledger = attempt_id, ledger

    def __enter__(self) -> str:
        return self._attempt_id

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            status = "cancelled" if isinstance(error, CancelledError) else "crashed"
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            self._ledger.evidence.fail(self._attempt_id, status, reason)


def _is_small(model: LoadedModel) -> bool:
    """Threads that wait for each other cost such a model more than they bring, above all on a busy machine."""
    return model.n_layers * model.d_model < SMALL


def _call(asked: Asked, experiment: Experiment, params: Params, model: LoadedModel) -> Call:
    values, task = params.model_dump(mode="json"), getattr(params, "task", None)
    version = find_task(task).info.version if task else None
    key = call_hash(experiment.name, experiment.version, values, model_sha256=model.sha256, task_version=version)
    return Call(
        experiment=experiment.name,
        version=experiment.version,
        params=values,
        model=asked.model,
        call_hash=key,
        prediction_id=asked.prediction_id,
        look=asked.look,
        run_id=asked.run_id,
    )


def _validated(experiment: Experiment, params: dict[str, Any]) -> Params:
    """The parameters as the experiment wants them. Raises ExperimentError naming each wrong field."""
    try:
        return experiment.params.model_validate(params)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'parameters'}: {e['msg']}" for e in error.errors()[:5])
        known = ", ".join(experiment.params.model_fields)
        raise ExperimentError(
            f"{experiment.name} cannot run with these parameters ({wrong}). It takes: {known}."
        ) from None
