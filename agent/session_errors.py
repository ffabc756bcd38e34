"""Error control over all claims of a ledger (METHOD 4.3): q-values, and which "supported" may be a headline.

Every registered claim counts, those refuted, open and abandoned too; leaving them out is how false discoveries are
made. A claim without a p-value (never tested, or the gate failed) counts with p = 1.
"""

from typing import NamedTuple

from agent.inference import session_q
from agent.ledger.store import Ledger

HEADLINE_Q = 0.05


class SessionRow(NamedTuple):
    """One claim among all: its verdict, p and q, and whether its support holds for the whole session."""

    claim_id: str
    verdict: str | None
    p: float
    q: float
    headline: bool


def session_rows(ledger: Ledger) -> list[SessionRow]:
    """Every claim of the ledger with its q-value, newest claim first."""
    verdicts = ledger.registry.verdicts()
    claims = ledger.registry.claims()
    p_values = [_p_of(verdicts[row.claim_id].payload) if row.claim_id in verdicts else 1.0 for row in claims]
    q_values = session_q(p_values) if p_values else []
    rows: list[SessionRow] = []
    for claim, p, q in zip(claims, p_values, q_values, strict=True):
        word = verdicts[claim.claim_id].verdict if claim.claim_id in verdicts else None
        rows.append(SessionRow(claim.claim_id, word, p, q, word == "supported" and q <= HEADLINE_Q))
    return rows


def _p_of(payload: dict[str, object]) -> float:
    p = payload.get("p_hypothesis")
    return float(p) if isinstance(p, int | float) else 1.0
