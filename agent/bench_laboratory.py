"""A laboratory without a queue: experiments run at once on the bench, attempts and results go to the ledger.

Used by tests and by calibration; the worker's own laboratory is durable (`agent/workflows_verify.py`). Needs torch.
"""

import uuid
from typing import Any

from agent.asked import Asked
from agent.bench import Bench
from agent.laboratory import model_facts, task_facts
from agent.ledger.store import Ledger
from agent.situation import ModelFacts, TaskFacts
from tools.result import Result


class BenchLaboratory:
    """One model on the bench; the run id groups the attempts of one caller."""

    def __init__(self, bench: Bench, ledger: Ledger, spec: str) -> None:
        self._bench, self._ledger, self._spec = bench, ledger, spec
        self._run_id = f"bench-{uuid.uuid4().hex[:12]}"
        self._model = model_facts(bench.model(spec).card())

    @property
    def model(self) -> ModelFacts:
        """The model under study."""
        return self._model

    def task(self, name: str) -> TaskFacts:
        """Raises ExperimentError when no task has that name."""
        return task_facts(name)

    def run(
        self, experiment: str, params: dict[str, Any], *, prediction_id: str | None = None, look: int = 1
    ) -> tuple[str, Result]:
        """One experiment now, or what the same call gave before."""
        asked = Asked(
            experiment=experiment,
            params=params,
            model=self._spec,
            run_id=self._run_id,
            prediction_id=prediction_id,
            look=look,
        )
        result_id = self._bench.measure(asked, progress=lambda done, text: None, cancelled=lambda: False)
        return result_id, self._ledger.evidence.result(result_id)
