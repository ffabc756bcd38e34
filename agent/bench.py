"""The laboratory's bench: one model under study at a time, and one experiment on it, for the record.

Every experiment that starts leaves an attempt in the ledger, finished or not; what was measured already is not
measured again. Only the worker imports this module: it needs torch.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from pydantic import ValidationError

from agent.config import Config
from agent.errors import WorkerError
from agent.ledger.evidence import Call
from agent.ledger.store import Ledger
from agent.model_files import model_files
from tools.errors import CancelledError, ExperimentError
from tools.experiment import Experiment, Lab, Params, find_experiment
from tools.models import LoadedModel, load_model
from tools.result import call_hash
from tools.tasks import find_task

log = logging.getLogger(__name__)
Progress = Callable[[float, str], None]
MAX_CRASHES = 8


@dataclass(frozen=True)
class Asked:
    """What somebody wants measured; `prediction_ids` are the registered predictions it is evidence for."""

    experiment: str
    params: dict[str, Any]
    model: str
    run_id: str
    prediction_ids: tuple[str, ...] = field(default=())
    look: int = 1


class Bench:
    """Holds the loaded model; `measure` is the one way to run an experiment."""

    def __init__(self, config: Config, ledger: Ledger, *, worker_id: str) -> None:
        self._config, self._ledger, self._worker_id = config, ledger, worker_id
        self._lock = threading.Lock()
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
                card = self._loaded.card() | {"files": model_files(spec, config.models_dir)}
                self._ledger.catalogue.publish("model", {spec: card}, replace=False)
            return self._loaded

    def measure(self, asked: Asked, *, progress: Progress, cancelled: Callable[[], bool]) -> str:
        """Run one experiment and return its result's id; a finished run of the same call is taken instead.

        Raises ExperimentError for wrong parameters, CancelledError when stopped, WorkerError when the same call
        has taken the worker down eight times.
        """
        experiment = find_experiment(asked.experiment)
        params = _validated(experiment, asked.params)
        model = self.model(asked.model)
        task = getattr(params, "task", None)
        calls = self._calls(asked, experiment, params, model, find_task(task).info.version if task else None)
        first, *others = calls
        evidence = self._ledger.evidence
        result_id = evidence.reusable(first)
        if result_id is not None:
            others = calls
        else:
            self._check_crashes(first)
            with _Attempt(evidence.start(first, worker_id=self._worker_id), self._ledger) as attempt:
                lab = Lab(model=model, progress=progress, cancelled=cancelled)
                result = experiment.run(lab, params)
                if result.call_hash != first.call_hash:
                    raise ExperimentError(
                        f"{experiment.name} reports other parameters, model or task than it was given; "
                        "its numbers cannot be stored. This is a defect of the experiment."
                    )
                result_id = evidence.finish(attempt, result)
        for call in others:
            evidence.reuse(call, result_id, worker_id=self._worker_id)
        for prediction_id in asked.prediction_ids:
            evidence.add_evidence(prediction_id, result_id, look=asked.look)
        return result_id

    def _calls(
        self, asked: Asked, experiment: Experiment, params: Params, model: LoadedModel, task_version: str | None
    ) -> list[Call]:
        values = params.model_dump(mode="json")
        key = call_hash(
            experiment.name, experiment.version, values, model_sha256=model.sha256, task_version=task_version
        )
        return [
            Call(
                experiment=experiment.name,
                version=experiment.version,
                params=values,
                model=asked.model,
                call_hash=key,
                prediction_id=prediction_id,
                look=asked.look,
                run_id=asked.run_id,
            )
            for prediction_id in asked.prediction_ids or (None,)
        ]

    def _check_crashes(self, call: Call) -> None:
        earlier = self._ledger.evidence.attempts(run_id=call.run_id)
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
