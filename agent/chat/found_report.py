"""An investigation's report as a finding of the chat: its answer, every claim with its verdict, and where it stands.

All words and numbers are the report's own (`agent/report.py`); the whole of it is on the Investigations page, which the
marker `[^i:RUN_ID]` opens.
"""

from agent.chat.found import Found
from agent.report import ClaimLine, Report

SHOWN = 12


def report_found(report: Report, run_id: str) -> Found:
    """The report as the llm reads it, and as the built-in analyst words it."""
    groups = {
        "supported": report.supported(),
        "refuted": report.refuted(),
        "open": report.still_open(),
        "not tested": report.untested(),
    }
    lines = [f"Report [^i:{run_id}] on {report.task} in {report.model}: {report.answer}"]
    for name, claims in groups.items():
        lines += [f"{name}: {_line(claim)}" for claim in claims]
    lines += [f"literature: {line.says} ({line.title}): {line.outcome} here; {line.here}" for line in report.literature]
    lines.append(f"Spent: {report.spent.experiments} experiments, {report.spent.says()}.")
    if report.plan is not None:
        lines.append(f"Plan: {report.plan.says()}")
    return Found(
        kind="report",
        text="\n".join(lines),
        claims=[claim.claim_id for claim in report.claims],
        results=report.results,
        investigations=[run_id],
        data={
            "run_id": run_id,
            "answer": report.answer,
            "groups": {name: [_line(claim) for claim in claims[:SHOWN]] for name, claims in groups.items()},
            "counts": {name: len(claims) for name, claims in groups.items()},
            "literature": [
                line.model_dump(mode="json", include={"says", "title", "outcome", "here"}) for line in report.literature
            ],
            "spent": f"{report.spent.experiments} experiments, {report.spent.says()}",
            "approved": report.approved,
        },
    )


def _line(claim: ClaimLine) -> str:
    """One claim with its first number; what is refuted says why, what is open what would settle it."""
    number = f": {claim.numbers[0].says()}" if claim.numbers else ""
    if claim.verdict == "refuted":
        return f"{claim.text} [^c:{claim.claim_id}] — {claim.reason}"
    settle = f" — {claim.missing[0]}" if claim.status == "open" and claim.verdict is not None and claim.missing else ""
    return f"{claim.text}{number} [^c:{claim.claim_id}]{settle}"
