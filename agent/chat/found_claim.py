"""A claim of the ledger and a result as findings of the chat: verdict, predictions and numbers as the llm reads them."""

from agent.cards import ClaimCard
from agent.chat.found import Found
from agent.errors import LedgerError
from tools.result import Result


def claim_found(card: ClaimCard) -> Found:
    """A claim with everything about it that may be said, as the llm reads it."""
    if card.verdict is None:
        raise LedgerError(f"claim {card.claim_id} has no verdict yet ({card.status}).")
    lines = [
        f"Claim [^c:{card.claim_id}]: {card.text}",
        f"Verdict: {card.verdict} (rung {card.rung}). {card.reason}",
        f"What the evidence carries: {card.displayed}",
        f"Scope: {card.scope}",
    ]
    results: list[str] = []
    for p in card.predictions:
        seen = "not run"
        if p.estimate is not None:
            interval = f" [{p.interval[0]:.3f}, {p.interval[1]:.3f}]" if p.interval else ""
            seen = f"{p.quantity} {p.estimate:.3f}{interval}, n {p.n}, {p.outcome}"
        marks = "".join(f"[^r:{r}]" for r in p.result_ids)
        lines.append(f"- {p.key} ({p.role}, {p.experiment}): expects {p.expects}; {seen} {p.reason} {marks}")
        results += [r for r in p.result_ids if r not in results]
    lines += [f"Remark: {remark}" for remark in card.remarks]
    lines += [f"What would change this: {item}" for item in card.missing]
    return Found(
        kind="claim",
        text="\n".join(lines),
        results=results,
        claims=[card.claim_id],
        data={"card": card.model_dump(mode="json")},
    )


def result_text(result: Result) -> str:
    """A result as the llm reads it: summary, estimates with intervals, failed controls."""
    lines = [f"{result.summary} [^r:{result.result_id}]"]
    for e in result.estimates[:40]:
        interval = f" [{e.low:.4g}, {e.high:.4g}]" if e.low is not None and e.high is not None else ""
        lines.append(f"- {e.name}: {e.value:.4g}{interval} {e.unit}" + (f", n {e.n}" if e.n else ""))
    lines += [
        f"- control {c.name} FAILED: {c.observed} (expected {c.expected})" for c in result.controls if c.passed is False
    ]
    return "\n".join(lines)
