"""Predictions and their registration: what would be measured, how it would be judged, fixed before the data exist.

METHOD sections 4.1, 4.2, 4.4 and 7. A `Registration` is pure data; its canonical JSON hashes to `prereg_hash`, and the
seed of the confirming prompts comes from that hash, so nobody can choose it. A registration whose near-miss table has
an empty row is refused: such a set of predictions could not tell the claim from its neighbour.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent.cards import Role
from agent.claims import METHOD_VERSION, Claim
from agent.errors import ClaimError
from agent.guards import check_predictions
from agent.inference import lineage_alpha
from agent.rules import Rule
from agent.situation import Situation
from tools.result import content_hash

ALPHA = 0.01


class Look(BaseModel):
    """One look at the data: so many confirm prompts, judged at this one-sided alpha."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n: int = Field(ge=2)
    alpha: float = Field(gt=0, lt=0.5)


TWO_LOOKS = (Look(n=32, alpha=0.004), Look(n=128, alpha=0.006))
ONE_LOOK = (Look(n=32, alpha=0.01),)


class Prediction(BaseModel):
    """One experiment with its decision rule. `params` lack what the registration decides: n, split and seed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    role: Role
    experiment: str
    params: dict[str, Any]
    rule: Rule
    looks: tuple[Look, ...] = TWO_LOOKS
    rung: int = Field(default=3, description="rung of the ladder that this kind of evidence reaches")
    needs: str | None = Field(default=None, description="its failure refutes only when this other prediction passes")
    task_prompts: bool = Field(default=True, description="whether the experiment runs on the task's prompts")

    def call(self, look: int, seed: int) -> dict[str, Any]:
        """Parameters of the experiment at look 1, 2, ... on confirm prompts."""
        if not self.task_prompts:
            return {**self.params, "split": "confirm", "seed": seed}
        return {**self.params, "n": self.looks[look - 1].n, "split": "confirm", "seed": seed}


class Registration(BaseModel):
    """The preregistration record of METHOD section 7."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim_id: str
    claim: Claim
    wording: str
    lineage: list[str] = Field(description="claims that this one revises, oldest first")
    situation: Situation
    seen_by_proposer: list[str]
    predictions: tuple[Prediction, ...]
    near_miss_table: dict[str, list[str]]
    alpha: float
    rung_requested: int
    method_version: str = METHOD_VERSION

    @property
    def prereg_hash(self) -> str:
        """sha256 of the canonical JSON of everything above."""
        return content_hash(self.model_dump(mode="json"))

    @property
    def confirm_seed(self) -> int:
        """Seed of the confirming prompts."""
        return int(self.prereg_hash[:8], 16)

    def prediction_id(self, key: str) -> str:
        """Content hash id of one prediction of this registration."""
        return "p" + content_hash({"prereg": self.prereg_hash, "key": key})[:24]

    def critical(self) -> list[Prediction]:
        """The predictions that must all pass."""
        return [prediction for prediction in self.predictions if prediction.role == "critical"]


def register(claim: Claim, situation: Situation, *, lineage: list[str] | None = None) -> Registration:
    """Build the registration of a claim in a situation.

    Raises ClaimError when the claim cannot be tested there or its predictions would not exclude a near miss.
    """
    kind = claim.kind
    predictions = tuple(_share_alpha(one, claim.revision) for one in kind.predictions(claim, situation))
    table = kind.near_misses(claim, predictions)
    check_near_misses(predictions, table)
    check_predictions(predictions)
    return Registration(
        claim_id=claim.claim_id,
        claim=claim.model_copy(update={"said": ""}),
        wording=claim.text,
        lineage=lineage or ([claim.parent_id] if claim.parent_id else []),
        situation=situation,
        seen_by_proposer=situation.disclosure(),
        predictions=predictions,
        near_miss_table=table,
        alpha=lineage_alpha(ALPHA, claim.revision),
        rung_requested=kind.rung(claim),
    )


def check_near_misses(predictions: tuple[Prediction, ...], table: dict[str, list[str]]) -> None:
    """Raise ClaimError unless every near miss is excluded by a critical prediction that exists."""
    critical = {one.key for one in predictions if one.role == "critical"}
    if not critical:
        raise ClaimError("This claim has no critical prediction, so nothing could support or refute it.")
    if not table:
        raise ClaimError("This claim lists no near misses, so its predictions cannot be shown to discriminate.")
    for near_miss, keys in table.items():
        if not critical.intersection(keys):
            raise ClaimError(
                f"No critical prediction would come out false for the near miss {near_miss!r}: such a test would "
                "support it as readily as the claim. Add a prediction that tells them apart."
            )


def _share_alpha(prediction: Prediction, revision: int) -> Prediction:
    """METHOD 4.4: the j-th revision after a verdict has alpha / 2^j."""
    looks = tuple(Look(n=look.n, alpha=lineage_alpha(look.alpha, revision)) for look in prediction.looks)
    return prediction.model_copy(update={"looks": looks})
