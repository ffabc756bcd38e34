"""From what explore prompts showed, and from the literature, to hypotheses: sets of claims with a reason.

A proposer is a function from what is known to hypotheses; adding a kind of hypothesis is adding one to `PROPOSERS`.
The literature's mechanism is transposed by role: whoever shows a role's pattern here stands in for the head that was
named elsewhere. A rival is another head with the same pattern, or another role for the same head: both are put on
trial. A proposer only uses claim types that exist. It proposes; it judges nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.claims import Claim, claim_types, listed, spoken
from agent.investigation_literature import Literature
from agent.investigation_patterns import ROLES, Readings, candidates
from agent.investigation_survey import Observation, Survey, in_order
from agent.situation import Situation

MOST_NODES = 12
MOST_RIVALS = 2

# how urgent a claim is when the budget is short
NODE, CIRCUIT, EDGE, ROLE, GROUP, RIVAL = range(6)


class Hypothesis(BaseModel):
    """A mechanism, or a part of one: claims, why they are made, from which passages, and which hypotheses it rivals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    origin: Literal["data", "literature"]
    rationale: str
    claims: tuple[Claim, ...]
    urgency: int
    passages: tuple[str, ...] = ()
    rivals: tuple[str, ...] = Field(default=(), description="titles of the hypotheses that cannot hold beside this one")


@dataclass(frozen=True)
class Known:
    """Everything that a proposer may look at: all of it from explore prompts and from the library."""

    situation: Situation
    survey: Survey
    readings: Readings
    literature: Literature

    def claim(self, kind: str, components: Iterable[str], **fields: Any) -> Claim:
        """A claim about this model and task."""
        return Claim(
            type=kind,
            model=self.situation.model.spec,
            task=self.situation.task.name,
            components=tuple(components),
            **fields,
        )

    def can_claim(self, kind: str) -> bool:
        """Whether a claim type of that name exists."""
        return kind in claim_types()

    def core(self) -> list[Observation]:
        """The components worth a claim, at most so many in a large model."""
        found = self.survey.core()
        screen = self.situation.screen
        return found if screen is not None and screen.exact else found[:MOST_NODES]


Proposer = Callable[[Known], list[Hypothesis]]


def propose(known: Known) -> list[Hypothesis]:
    """Every proposer's hypotheses, those without a claim left out, each title once."""
    found: dict[str, Hypothesis] = {}
    for proposer in PROPOSERS:
        for hypothesis in proposer(known):
            if hypothesis.claims and hypothesis.title not in found:
                found[hypothesis.title] = hypothesis
    return list(found.values())


def propose_parts(known: Known) -> list[Hypothesis]:
    """Each component with an effect: needed, in the way, or enough to restore (METHOD T1, T2)."""
    found = []
    for seen in known.core():
        claims = effect_claims(known, seen)
        if claims:
            what = spoken(seen.component)
            reason = f"On explore prompts {what} {_effects(seen)} of the gap."
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


def role_candidates(known: Known) -> dict[str, list[str]]:
    """Heads by role pattern, those with an effect first."""
    floor, observed = known.survey.floor, known.survey.of
    found = {pattern.role: candidates(pattern, known.readings, observed, floor) for pattern in ROLES}
    return {role: heads for role, heads in found.items() if heads}


def active(known: Known, heads: Sequence[str]) -> list[str]:
    """The heads among these that had an effect on explore prompts, or that are backups."""
    backups = {pair.backup for pair in known.survey.backups}
    return [h for h in heads if known.survey.of(h).strength >= known.survey.floor or h in backups]


def role_title(role: str, component: str) -> str:
    """`head a5.h1 is an induction head`."""
    article = "an" if role[0] in "aeiou" else "a"
    return f"{spoken(component)} is {article} {role.replace('-', ' ')} head"


PROPOSERS: list[Proposer] = [propose_parts, propose_backups]
"""Proposers in order; other modules of `agent` append theirs."""


def rival_words(known: Known, role: str, component: str) -> str:
    """Why a head with the pattern and without an effect is put on trial."""
    del known
    return (
        f"{spoken(component)} shows the pattern of the role {role!r} on explore prompts without an effect there; "
        "patterns alone are wrong about 7 times in 10."
    )


def all_claims(hypotheses: Sequence[Hypothesis]) -> list[tuple[Claim, int]]:
    """Every claim once with its urgency, most urgent first; within one urgency in the order they were proposed."""
    urgency: dict[str, int] = {}
    claims: dict[str, Claim] = {}
    for hypothesis in hypotheses:
        for claim in hypothesis.claims:
            claims.setdefault(claim.claim_id, claim)
            urgency[claim.claim_id] = min(hypothesis.urgency, urgency.get(claim.claim_id, RIVAL))
    return [(claims[key], urgency[key]) for key in sorted(claims, key=lambda key: urgency[key])]


def named(components: Sequence[str]) -> str:
    """Components in a sentence."""
    return listed([spoken(name) for name in components])
