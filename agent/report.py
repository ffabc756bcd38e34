"""The report of an investigation as data: the mechanism as a graph, the verdicts, what stayed open, what it cost.

Computed from verdicts and stored results; every number carries the id of the result that it stands in. The words are
put around it elsewhere (`agent/report_text.py`, `ui/report_page.py`), the drawing too (`ui/figures_circuit.py`). A
verdict counts as a headline only when the session's q-value holds (METHOD 4.3).
"""

from typing import Literal

from pydantic import Field

from agent.answer import Citation
from agent.cards import Card, VerdictWord
from agent.plan import Cost, Plan
from agent.usage import Usage

NodeStatus = Literal["supported", "refuted", "open"]
Q_MAX = 0.05


class Number(Card):
    """One number of the report: what it measures, its interval, and the result it is stored in."""

    quantity: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    result_id: str

    def says(self) -> str:
        """`resample harm 0.36 [0.31, 0.41]`."""
        bounds = f" [{self.low:.2f}, {self.high:.2f}]" if self.low is not None and self.high is not None else ""
        return f"{self.quantity} {self.value:.2f}{bounds}"


class ClaimLine(Card):
    """One claim of the session with its verdict, or without one when it was not tested."""

    claim_id: str
    type: str
    text: str
    components: list[str]
    channel: str = ""
    role: str = ""
    verdict: VerdictWord | None = Field(description="null when the budget did not reach it")
    displayed: str = ""
    reason: str = ""
    rung: int = 0
    p: float | None = None
    q: float | None = Field(default=None, description="over all claims of the session (METHOD 4.3)")
    numbers: list[Number] = Field(default_factory=list)
    remarks: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list, description="what would settle or change it")
    scope: str = ""
    hypotheses: list[str] = Field(default_factory=list, description="keys of the hypotheses that made it")
    sign: Literal[1, -1] = 1

    @property
    def headline(self) -> bool:
        """Supported, and still so over the whole session."""
        return self.verdict == "supported" and self.q is not None and self.q <= Q_MAX

    @property
    def status(self) -> NodeStatus:
        """What may be drawn of it."""
        if self.verdict == "refuted":
            return "refuted"
        return "supported" if self.headline else "open"


class HypothesisLine(Card):
    """One hypothesis: where it came from, why it was made, what it claims, which hypotheses it rivals."""

    key: str
    title: str
    origin: Literal["data", "literature", "llm"]
    rationale: str
    claim_ids: list[str]
    passages: list[str] = Field(default_factory=list)
    rivals: list[str] = Field(default_factory=list)


class NodeCard(Card):
    """One component of the mechanism. `role` is filled when a role claim about it was made."""

    component: str
    kind: str
    layer: int
    status: NodeStatus
    role: str = ""
    role_status: NodeStatus | None = None
    sign: Literal[1, -1] = 1
    claim_ids: list[str] = Field(default_factory=list)
    numbers: list[Number] = Field(default_factory=list)


class EdgeCard(Card):
    """One connection of the mechanism; `channel` is the receiver's input."""

    source: str
    target: str
    channel: str
    status: NodeStatus
    sign: Literal[1, -1] = 1
    claim_ids: list[str] = Field(default_factory=list)
    numbers: list[Number] = Field(default_factory=list)


class Mechanism(Card):
    """The graph: supported, open and refuted parts together, each marked as what it is."""

    nodes: list[NodeCard]
    edges: list[EdgeCard]

    def part(self, status: NodeStatus) -> "Mechanism":
        """Only the nodes and edges of one status."""
        return Mechanism(
            nodes=[node for node in self.nodes if node.status == status],
            edges=[edge for edge in self.edges if edge.status == status],
        )


class LiteratureLine(Card):
    """What a document says about a role or a connection, beside what was found here."""

    document_id: str
    title: str
    says: str
    models: list[str] = Field(default_factory=list)
    outcome: Literal["found", "not found", "open", "not tested"]
    here: str
    claim_ids: list[str] = Field(default_factory=list)
    citation: Citation | None = None


class Report(Card):
    """Everything an investigation found, ready for the page, the terminal, Markdown and JSON."""

    question: str
    model: str
    model_sha256: str
    task: str
    task_version: str
    answer: str = Field(description="the mechanism in one or two sentences, computed from the verdicts")
    gate: list[Number] = Field(default_factory=list)
    gate_passed: bool
    gate_reason: str = ""
    hypotheses: list[HypothesisLine] = Field(default_factory=list)
    claims: list[ClaimLine] = Field(default_factory=list)
    mechanism: Mechanism = Field(default_factory=lambda: Mechanism(nodes=[], edges=[]))
    literature: list[LiteratureLine] = Field(default_factory=list)
    citations: list[Citation] = Field(default_factory=list)
    explored: list[str] = Field(default_factory=list, description="what was looked at on explore prompts")
    plan: Plan | None = None
    approved: bool | None = Field(default=None, description="null when nobody had to be asked")
    spent: Cost
    results: list[str] = Field(default_factory=list, description="every result this report rests on")
    remarks: list[str] = Field(default_factory=list)
    usage: Usage | None = Field(default=None, description="what the llm took; null when none was asked")

    def supported(self) -> list[ClaimLine]:
        """Claims that stand over the whole session."""
        return [claim for claim in self.claims if claim.status == "supported"]

    def refuted(self) -> list[ClaimLine]:
        """Claims that were refuted: kept, because that is a finding too."""
        return [claim for claim in self.claims if claim.verdict == "refuted"]

    def still_open(self) -> list[ClaimLine]:
        """Claims that were tested and not decided, those whose q-value is too large among them."""
        return [claim for claim in self.claims if claim.verdict is not None and claim.status == "open"]

    def untested(self) -> list[ClaimLine]:
        """Claims that the budget did not reach."""
        return [claim for claim in self.claims if claim.verdict is None]
