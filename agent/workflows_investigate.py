"""The job that investigates a question: `agent/investigation.py`, durable, with a wait for approval when it is dear.

It runs beside the laboratory's queue and shares its bench, so that an investigation that waits for a person holds
nobody up.
"""

from typing import TYPE_CHECKING, Any

from dbos import DBOS

from agent.job import Job
from agent.library import open_library
from agent.plan import Budget
from agent.queue import APPROVAL
from agent.usage import Meter, Rates, usage_of
from agent.workflows_verify import DurableLaboratory
from tools.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.hypotheses_llm import Proposal
    from agent.workflows import Desk

WAIT_SECONDS = 30 * 24 * 3600.0


def investigate(desk: "Desk", job: Job) -> dict[str, Any]:
    """Investigate the question of the request; the outcome is the report's JSON."""
    from agent.investigation import Host
    from agent.investigation import investigate as look_into

    request = job.request
    lab = DurableLaboratory(desk, job, request["model"])
    with open_library(desk.config) as library:
        host = Host(
            approve=lambda text, seconds, passes: approved(job, text, seconds, passes),
            library=library,
            once=job.step,
            propose=proposer(desk, job),
            llm=desk.config.llm or "",
        )
        report = look_into(
            request["question"],
            lab,
            job.ledger,
            task=request["task"],
            budget=Budget(seconds=request["seconds"], forward_passes=request["forward_passes"]),
            host=host,
            tell=job.emit,
        )
    if (usage := usage_of(job.ledger.runs.events(job.run_id))).calls:
        report = report.model_copy(update={"usage": usage})
    return report.model_dump(mode="json")


def proposer(desk: "Desk", job: Job) -> "Callable[[str, str], Proposal] | None":
    """How hypotheses are asked for from the configured llm, counted and limited; None when none is configured."""
    if not desk.config.llm:
        return None

    def ask(question: str, seen: str) -> "Proposal":
        from agent.chat.llm import build_llm
        from agent.chat.proposing import propose_by_llm
        from agent.chat.reading import Reader

        llm, name = build_llm(desk.config, [])
        spent = usage_of(job.ledger.runs.events(job.run_id))
        return propose_by_llm(Reader(llm, name, Meter(Rates.of(desk.config), job.emit, spent)), question, seen)

    return ask


def approved(job: Job, text: str, seconds: float, forward_passes: int) -> bool:
    """Ask a person and wait, through restarts, for a yes or a no. Raises CancelledError when the job is stopped."""
    payload = {"estimate_seconds": seconds, "estimate_forward_passes": forward_passes, "text": text}
    job.emit("approval", payload)
    answer = DBOS.recv(APPROVAL, timeout_seconds=WAIT_SECONDS)
    if job.cancelled.afresh():
        raise CancelledError("stopped on request")
    said_yes = bool(answer and answer["approved"])
    job.emit("approved", {"approved": said_yes})
    return said_yes
