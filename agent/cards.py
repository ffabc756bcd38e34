"""What people are shown of a claim, ready to draw: computed from the ledger, never from prose.

`ui/` builds its pages, its JSON and its notebooks from these and from nothing else. Every number here comes from a
stored result. Import costs nothing heavy.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.result import Control

VerdictWord = Literal["supported", "refuted", "inconclusive"]
Outcome = Literal["pass", "fail", "open"]
Role = Literal["critical", "corroborating", "assay"]


class Card(BaseModel):
    """Base: strict and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PredictionCard(Card):
    """One registered prediction, expected against observed."""

    prediction_id: str
    key: str = Field(description="C1, C2, ... as in METHOD; K1 ... corroborating; A1 ... assay")
    role: Role
    experiment: str
    params: dict[str, Any]
    expects: str = Field(description="the decision rule in words, e.g. 'resample harm at least 0.05, above 0.02'")
    quantity: str = Field(description="name of the estimate, e.g. harm")
    delta0: float | None = None
    delta1: float | None = None
    passes_in: list[tuple[float | None, float | None]] = Field(
        default_factory=list, description="where the estimate lies when the rule passes; null: without end"
    )
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    level: float | None = None
    n: int | None = None
    looks: int = 0
    outcome: Outcome | None = Field(default=None, description="null before any evidence")
    reason: str = ""
    controls: list[Control] = Field(default_factory=list)
    control_values: list[float] = Field(
        default_factory=list, description="matched controls' estimates, for the histogram"
    )
    control_labels: list[str] = Field(default_factory=list)
    p_rank: float | None = None
    result_ids: list[str] = Field(default_factory=list)
    registered_at: str = ""
    evidence_at: str | None = None


class ClaimSummary(Card):
    """A row of the claims list."""

    claim_id: str
    type: str
    text: str
    model: str
    task: str
    components: list[str]
    verdict: VerdictWord | None = Field(description="null while it is being tested or was never finished")
    reason: str
    rung: int
    scope: str = Field(description="model, revision, prompts, metric and ablation that the verdict is about")
    status: Literal["registered", "running", "judged", "stale"] = "judged"
    created_at: str
    judged_at: str | None = None


class ClaimCard(ClaimSummary):
    """The whole claim as the Claims page and `verify --json` show it."""

    displayed: str = Field(description="the sentence that the evidence carries, e.g. 'a20.h0 contributes to IOI (...)'")
    remarks: list[str] = Field(
        default_factory=list, description="self-repair, ablation disagreement, template heterogeneity"
    )
    missing: list[str] = Field(default_factory=list, description="what would change this: more prompts, another test")
    predictions: list[PredictionCard]
    strength: dict[str, Any] = Field(default_factory=dict, description="margin, weakest prediction, n, looks, lineage")
    prereg_hash: str
    confirm_seed: int
    registered_at: str
    method_version: str
    track_record: str = Field(default="", description="how often verdicts of this type were right where truth is known")
    heatmap_result_id: str | None = Field(
        default=None, description="result whose array `harm` or `effect` is [layers, heads]"
    )
    passages: list[str] = Field(default_factory=list, description="passage ids of the literature beside the claim")
    provenance: dict[str, Any] = Field(default_factory=dict)
    attempts: list[dict[str, Any]] = Field(default_factory=list)


class RunCard(Card):
    """One durable job as people see it."""

    run_id: str
    kind: str
    request: dict[str, Any]
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    conversation_id: str | None = None
    outcome: dict[str, Any] | None = None
    error: str | None = None
    created_at: str
    ended_at: str | None = None
