"""The hypothesis about the whole: these components, alone, do the task (METHOD T5)."""

from agent.hypotheses import CIRCUIT, ROLE, Hypothesis, Known

COMPLETE = 0.20


def propose_circuit(known: Known) -> list[Hypothesis]:
    """The set that did the task on explore prompts, or came nearest."""
    chosen = known.circuits.chosen
    if chosen is None or not known.can_claim("circuit"):
        return []
    state = "did" if chosen.holds else "came nearest to doing"
    reason = f"On explore prompts these {len(chosen.components)} components alone {state} the task: {chosen.says()}."
    title = f"{len(chosen.components)} components do the task"
    faithful = Hypothesis(
        title=title,
        origin="data",
        rationale=reason,
        claims=(known.claim("circuit", chosen.components),),
        urgency=CIRCUIT,
    )
    if chosen.complement > COMPLETE or len(chosen.components) < 2:  # halves of one component say nothing
        return [faithful]
    complete = Hypothesis(
        title=f"{title}, and nothing else does",
        origin="data",
        rationale=f"On explore prompts the rest without them kept {chosen.complement:.2f} of the behaviour.",
        claims=(known.claim("circuit", chosen.components, details={"complete": True}),),
        urgency=ROLE,
    )
    return [faithful, complete]
