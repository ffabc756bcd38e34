"""The job that puts one claim on trial: `agent/verification.py`, with each experiment as one durable step."""

from typing import TYPE_CHECKING, Any

from agent.asked import Asked
from agent.claims import Claim
from agent.job import Job
from agent.laboratory import model_facts, task_facts
from agent.situation import ModelFacts, TaskFacts
from agent.verification import verify as put_on_trial
from tools.result import Result

if TYPE_CHECKING:
    from agent.workflows import Desk


class DurableLaboratory:
    """The worker's laboratory as the trial sees it; an experiment that was finished is never run again."""

    def __init__(self, desk: "Desk", job: Job, spec: str) -> None:
        self._desk, self._job, self._spec = desk, job, spec
        job.status(f"loading {spec}")
        card = job.step(f"load {spec}", lambda: desk.bench(job).model(spec).card())
        self._model = model_facts(card)

    @property
    def model(self) -> ModelFacts:
        """The model under study."""
        return self._model

    def task(self, name: str) -> TaskFacts:
        """Raises ExperimentError when there is none of that name."""
        return task_facts(name)

    def run(
        self, experiment: str, params: dict[str, Any], *, prediction_id: str | None = None, look: int = 1
    ) -> tuple[str, Result]:
        """One experiment, once; its result id and the result with its arrays."""
        job = self._job
        asked = Asked(
            experiment=experiment,
            params=params,
            model=self._spec,
            run_id=job.run_id,
            prediction_id=prediction_id,
            look=look,
        )

        def progress(done: float, text: str) -> None:
            job.emit("progress", {"done": done, "text": text, "experiment": experiment})

        def work() -> dict[str, Any]:
            bench = self._desk.bench(job)
            return {"result_id": bench.measure(asked, progress=progress, cancelled=job.cancelled)}

        result_id = job.step(f"{experiment} for {prediction_id or 'exploration'}, look {look}", work)["result_id"]
        return result_id, job.ledger.evidence.result(result_id)


def verify(desk: "Desk", job: Job) -> dict[str, Any]:
    """Put the claim of the request on trial; the outcome names it."""
    claim = Claim.model_validate(job.request["claim"])
    verdict = put_on_trial(claim, DurableLaboratory(desk, job, claim.model), job.ledger, job.emit)
    return {"claim_id": verdict.claim_id, "verdict": verdict.verdict}
