"""Hypotheses about single components: who takes part, who holds the behaviour back, who steps in for whom.

From effects on explore prompts: removal suggests necessity, patching in suggests localisation (METHOD T1, T2), and a
pair whose joint removal costs more than both alone suggests a backup (T1b).
"""

from agent.claims import Claim, spoken
from agent.hypotheses import GROUP, NODE, Hypothesis, Known
from agent.investigation_survey import Observation, in_order


def propose_parts(known: Known) -> list[Hypothesis]:
    """Each component with an effect: needed, in the way, or enough to restore (METHOD T1, T2)."""
    found = []
    for seen in known.core():
        claims = effect_claims(known, seen)
        if claims:
            what = spoken(seen.component)
            reason = f"On explore prompts {what} {_effects(seen)} (shares of the gap)."
            title = f"{what} takes part"
            found.append(Hypothesis(title=title, origin="data", rationale=reason, claims=claims, urgency=NODE))
    return found


def effect_claims(known: Known, seen: Observation) -> tuple[Claim, ...]:
    """The claims that a component's own effects suggest, strongest kind first."""
    floor, name = known.survey.floor, seen.component
    claims: list[Claim] = []
    if abs(seen.harm or 0.0) >= floor:
        direction = "helps" if (seen.harm or 0.0) > 0 else "hurts"
        claims.append(known.claim("necessity", [name], direction=direction))
    if (seen.restore or 0.0) >= floor:
        claims.append(known.claim("localisation", [name]))
    return tuple(claims)


def _effects(seen: Observation) -> str:
    parts = [
        f"costs {seen.harm:.2f} when removed" if seen.harm is not None else "",
        f"restores {seen.restore:.2f} when patched in" if seen.restore is not None else "",
        f"writes {seen.direct:.2f} straight toward the answer" if seen.direct is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def propose_backups(known: Known) -> list[Hypothesis]:
    """Pairs in which one takes over when the other is gone (METHOD T1b)."""
    found = []
    for pair in known.survey.backups:
        backup, main = spoken(pair.backup), spoken(pair.main)
        claims = [known.claim("backup", [pair.backup, pair.main])] if known.can_claim("backup") else []
        if known.can_claim("group-necessity"):
            claims.append(known.claim("group-necessity", in_order([pair.main, pair.backup])))
        reason = (
            f"On explore prompts zeroing {main} alone costs {pair.alone:.2f} of the gap, and zeroing {backup} too "
            f"costs {pair.gain:.2f} more than it costs alone."
        )
        title = f"{backup} backs up {main}"
        found.append(Hypothesis(title=title, origin="data", rationale=reason, claims=tuple(claims), urgency=GROUP))
    return found
