"""Jobs about evidence that is stored: run it again (replicate), write it down for others (notebook)."""

from typing import TYPE_CHECKING, Any

from agent.asked import Asked
from agent.job import Job
from agent.replication import replicate as compare
from agent.verification import registered
from tools.result import Result

if TYPE_CHECKING:
    from agent.workflows import Desk


def replicate(desk: "Desk", job: Job) -> dict[str, Any]:
    """Run the evidence of a claim again; the outcome is an `agent.replication.Replication`."""
    claim_id = job.request["claim_id"]
    spec = registered(claim_id, job.ledger).claim.model

    def again(stored: Result, key: str, look: int) -> Result:
        def progress(done: float, text: str) -> None:
            job.emit("progress", {"done": done, "text": text, "experiment": stored.experiment})

        def work() -> dict[str, Any]:
            asked = Asked(stored.experiment, stored.params, spec, run_id=job.run_id, afresh=True)
            return {"result_id": desk.bench(job).measure(asked, progress=progress, cancelled=job.cancelled)}

        job.status(f"running {stored.experiment} for {key} again")
        result_id = job.step(f"{stored.experiment} again for {key}, look {look}", work)["result_id"]
        return job.ledger.evidence.result(result_id)

    return compare(claim_id, job.ledger, again).model_dump(mode="json")


def notebook(desk: "Desk", job: Job) -> dict[str, Any]:
    """Write a result as a notebook into the data folder; the outcome is its path."""
    result = job.ledger.evidence.result(job.request["result_id"])

    def work() -> dict[str, Any]:
        from agent.notebooks import write_notebook

        model = desk.bench(job).model(job.request["model"])
        folder = desk.config.home / "notebooks"
        return {"path": str(write_notebook(result, model, folder, models_dir=desk.config.models_dir))}

    job.status(f"writing {result.result_id} as a notebook")
    return job.step("notebook", work)
