"""The job that puts one claim on trial: `agent/verification.py`, with each experiment as one durable step."""

from typing import TYPE_CHECKING, Any

from agent.asked import Asked
from agent.claim_parser import Shape
from agent.claim_parser_task import known_tasks
from agent.claims import Claim
from agent.job import Job
from agent.laboratory import model_facts, task_facts
from agent.published import Published
from agent.situation import ModelFacts, TaskFacts
from agent.usage import Meter, Rates, usage_of
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


def _read(desk: "Desk", job: Job, lab: DurableLaboratory) -> dict[str, Any]:
    from agent.chat.llm import build_llm
    from agent.chat.reading import Reader

    request, known = job.request, Published(job.ledger)
    job.status(f"{desk.config.llm} reads the sentence")
    llm, name = build_llm(desk.config, [])
    reader = Reader(llm, name, Meter(Rates.of(desk.config), job.emit, usage_of(job.ledger.runs.events(job.run_id))))
    shape = Shape(lab.model.n_layers, lab.model.n_heads)
    claim = reader.read(
        request["text"], model=request["model"], task=request["task"], shape=shape, tasks=known.tasks() or known_tasks()
    )
    return claim.model_dump(mode="json")


def verify(desk: "Desk", job: Job) -> dict[str, Any]:
    """Put the claim of the request on trial; the outcome names it. What the parser could not read, the llm reads."""
    lab = DurableLaboratory(desk, job, job.request["model"])
    stated = job.request.get("claim") or job.step("read the sentence", lambda: _read(desk, job, lab))
    claim = Claim.model_validate(stated)
    if "claim" not in job.request:
        job.emit("read", {"said": claim.said, "claim": claim.text, "llm": desk.config.llm})
    verdict = put_on_trial(claim, lab, job.ledger, job.emit)
    return {"claim_id": verdict.claim_id, "verdict": verdict.verdict}
