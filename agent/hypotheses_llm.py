"""Hypotheses that an llm proposes in an investigation: read by code into claims, marked as its own, tried like all others.

The llm is told what the survey saw and what is claimed already, and answers with claims as typed fields. What is no claim
about this model is left out and said so in the report. Nothing that the llm says is evidence; this module asks no llm
(`agent/chat/proposing.py` does).
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from agent.claim_fields import ClaimFields, claim_from
from agent.claim_parser import Shape
from agent.claims import Claim
from agent.errors import ClaimError
from agent.hypotheses import ROLE, Hypothesis, Known
from agent.hypotheses_roles import roles_by_head

MOST = 6
TOLD = 24


class ProposedHypothesis(BaseModel):
    """One hypothesis about how the model does the task: a title, why, and the claims that would be tested."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(description="the mechanism in a few words")
    rationale: str = Field(description="one sentence: which observation or passage suggests it")
    claims: list[ClaimFields] = Field(description="what must hold if it is true; leave `question` and `task` empty")


class Proposal(BaseModel):
    """Hypotheses that the observations suggest and that are not claimed yet; none is an answer too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hypotheses: list[ProposedHypothesis] = Field(default_factory=list)


def what_was_seen(known: Known, proposed: Sequence[Hypothesis]) -> str:
    """The explore phase in words: everything that the llm is told, and all that it is told."""
    situation = known.situation
    roles = roles_by_head(known)
    strongest = sorted(known.survey.observations, key=lambda seen: -seen.strength)[:TOLD]
    lines = [
        f"Model: {situation.model.name}, {situation.model.n_layers} layers, {situation.model.n_heads} heads a layer, "
        + ("with MLPs." if situation.model.has_mlps else "attention only."),
        f"Task: {situation.task.name} ({situation.task.title}).",
        "Effects on explore prompts, shares of the clean-to-corrupted gap (harm of removal, restore, direct write):",
    ]
    for seen in strongest:
        effects = {"harm": seen.harm, "restore": seen.restore, "direct": seen.direct}
        words = ", ".join(f"{name} {value:.2f}" for name, value in effects.items() if value is not None)
        pattern = f"; looks like: {', '.join(roles[seen.component])}" if seen.component in roles else ""
        lines.append(f"- {seen.component}: {words}{pattern}")
    lines += [
        f"- connection {e.source}->{e.target}<{e.channel}>: {e.effect:.2f}" for e in known.connections.edges[:TOLD]
    ]
    lines.append("Claimed already:")
    lines += [f"- {claim.text}" for hypothesis in proposed for claim in hypothesis.claims][: 2 * TOLD]
    return "\n".join(lines)


def accepted(proposal: Proposal, known: Known, llm: str) -> tuple[list[Hypothesis], list[str]]:
    """The hypotheses that make claims about this model, at most six claims in all; and why others were left out."""
    found: list[Hypothesis] = []
    remarks: list[str] = []
    left = MOST
    for one in proposal.hypotheses:
        claims: dict[str, Claim] = {}
        for fields in one.claims:
            try:
                claim = _claim(fields, known)
            except ClaimError as error:
                remarks.append(f"{llm} proposed {one.title!r} with a claim that is not testable here: {error}")
                continue
            if left > len(claims):
                claims[claim.claim_id] = claim
        if claims:
            left -= len(claims)
            found.append(
                Hypothesis(
                    title=f"{one.title} (proposed by {llm})",
                    origin="llm",
                    rationale=one.rationale,
                    claims=tuple(claims.values()),
                    urgency=ROLE,
                )
            )
    return found, remarks


def _claim(fields: ClaimFields, known: Known) -> Claim:
    situation = known.situation
    if fields.question:
        raise ClaimError(fields.question)
    shape = Shape(situation.model.n_layers, situation.model.n_heads)
    spec, task = situation.model.spec, situation.task.name
    stated = fields.model_copy(update={"task": ""})
    return claim_from(stated, "", model=spec, task=task, shape=shape, tasks=[])
