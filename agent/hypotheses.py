"""A hypothesis: claims with a reason; and what proposers of hypotheses may look at.

A rival is another head with the same pattern, or another role for the same head: both are put on trial. A proposer is
a function from what is known to hypotheses; it only uses claim types that exist, and it judges nothing. The proposers
stand in `agent/hypotheses_*.py` and are listed in `agent/hypotheses_all.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.claims import Claim, claim_types, listed, spoken
from agent.investigation_circuit import Circuits
from agent.investigation_edges import Connections
from agent.investigation_literature import Literature
from agent.investigation_patterns import Readings
from agent.investigation_survey import Observation, Survey
from agent.situation import Situation

MOST_NODES = 7

# how urgent a claim is when the budget is short
CIRCUIT, NODE, EDGE, ROLE, GROUP, RIVAL = range(6)


class Hypothesis(BaseModel):
    """A mechanism, or a part of one: claims, why they are made, from which passages, and which hypotheses it rivals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    origin: Literal["data", "literature", "llm"]
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
    connections: Connections = field(default_factory=Connections)
    circuits: Circuits = field(default_factory=Circuits)

    @property
    def small(self) -> bool:
        """Whether everything in this model was measured exactly."""
        return self.situation.screen is not None and self.situation.screen.exact

    def claim(self, kind: str, components: Iterable[str], **fields: Any) -> Claim:
        """A claim about this model and task."""
        return Claim(
            type=kind,
            model=self.situation.model.spec,
            task=self.situation.task.name,
            components=tuple(components),
            **fields,
        )

    def seen(self) -> list[str]:
        """What was looked at on explore prompts beside gate and screen, with result ids."""
        return [*self.survey.seen, *self.readings.seen, *self.connections.seen, *self.circuits.seen]

    def can_claim(self, kind: str) -> bool:
        """Whether a claim type of that name exists."""
        return kind in claim_types()

    def core(self) -> list[Observation]:
        """The components worth a claim, at most so many in a large model."""
        found = self.survey.core()
        return found if self.small else found[:MOST_NODES]


def named(components: Sequence[str]) -> str:
    """Components in a sentence."""
    return listed([spoken(name) for name in components])
