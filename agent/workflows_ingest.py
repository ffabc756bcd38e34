"""The job that adds files and folders to the library: a handful of notes, or one paper, is one durable step.

A job that is taken up again after its worker died does the step it was on again (an unchanged document is left alone)
and goes on. Reading, cutting and embedding stand in `kb/`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.job import Job
from agent.library import open_library
from kb.library import Library
from kb.records import IngestReport, ItemReport
from tools.errors import CancelledError

if TYPE_CHECKING:
    from agent.workflows import Desk

TOGETHER = 20  # notes in one step: they take milliseconds, keeping a step takes longer
STOPPED = "Stopped before this item."
QUICK = (".md", ".markdown", ".txt")


def ingest(desk: "Desk", job: Job) -> dict[str, Any]:
    """Add what the request names; the outcome is a `kb.records.IngestReport`.

    A stop leaves what is in, in; the outcome then names what was not done as cancelled.
    """
    with open_library(desk.config) as library:
        plans = [job.step(f"list {source}", lambda s=source: _plan(library, s)) for source in job.request["sources"]]
        total = max(sum(len(plan["files"]) for plan in plans), 1)
        items: list[dict[str, Any]] = []
        try:
            for plan in plans:
                for files in batches(plan["files"]):
                    done = job.step(f"add {files[0]}", lambda f=files, o=plan["origin"]: _add(library, f, o))
                    items += done["items"]
                    text = f"{len(items)} of {total}: {Path(files[-1]).name}"
                    job.emit("progress", {"done": len(items) / total, "text": text, "experiment": "ingest"})
                items += job.step(f"follow deletions in {plan['origin']}", lambda p=plan: _gone(library, p))["items"]
        except CancelledError:
            left = [ItemReport(source=file, state="cancelled", message=STOPPED) for file in _not_done(plans, items)]
            outcome = _finish(library, [*items, *(item.model_dump(mode="json") for item in left)])
            job.emit.flush()
            job.ledger.runs.end(job.run_id, "cancelled", outcome=outcome)
            raise
        job.status("bringing the vectors up to date")
        return job.step("finish", lambda: _finish(library, items))


def _plan(library: Library, source: str) -> dict[str, Any]:
    files, origin = library.sources(Path(source))
    return {"files": [str(file) for file in files], "origin": origin, "folder": Path(source).is_dir()}


def batches(files: list[str]) -> list[list[str]]:
    """The files of each step, in order: notes together, anything that takes longer alone."""
    grouped: list[list[str]] = []
    for file in files:
        quick = file.lower().endswith(QUICK)
        if grouped and quick and grouped[-1][0].lower().endswith(QUICK) and len(grouped[-1]) < TOGETHER:
            grouped[-1].append(file)
        else:
            grouped.append([file])
    return grouped


def _not_done(plans: list[dict[str, Any]], items: list[dict[str, Any]]) -> list[str]:
    done = {item["source"] for item in items}
    return [file for plan in plans for file in plan["files"] if file not in done]


def _add(library: Library, files: list[str], origin: str) -> dict[str, Any]:
    return {"items": [library.ingest.one(Path(file), origin).model_dump(mode="json") for file in files]}


def _gone(library: Library, plan: dict[str, Any]) -> dict[str, Any]:
    present = [Path(file) for file in plan["files"]]
    removed = library.ingest.gone(plan["origin"], present) if plan["folder"] else ()
    return {"items": [item.model_dump(mode="json") for item in removed]}


def _finish(library: Library, items: list[dict[str, Any]]) -> dict[str, Any]:
    library.ingest.finish()
    reports = tuple(ItemReport.model_validate(item) for item in items)
    return IngestReport(items=reports, problems=library.problems()).model_dump(mode="json")
