"""The hypothesis about the whole: these components, alone, do the task (METHOD T5)."""

from agent.claims import Claim
from agent.hypotheses import CIRCUIT, Hypothesis, Known

COMPLETE = 0.20


def propose_circuit(known: Known) -> list[Hypothesis]:
    """The set that did the task on explore prompts, or came nearest."""
    chosen = known.circuits.chosen
    if chosen is None or not known.can_claim("circuit"):
        return []
    state = "did" if chosen.holds else "came nearest to doing"
    reason = f"On explore prompts these {len(chosen.components)} components alone {state} the task: {chosen.says()}."
    claims: list[Claim] = [known.claim("circuit", chosen.components)]
    if chosen.complement <= COMPLETE:
        claims.append(known.claim("circuit", chosen.components, details={"complete": True}))
    return [
        Hypothesis(
            title=f"{len(chosen.components)} components do the task",
            origin="data",
            rationale=reason,
            claims=tuple(claims),
            urgency=CIRCUIT,
        )
    ]
