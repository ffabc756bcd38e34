"""A small report with one of everything, for tests of its words and pages."""

from agent.answer import Citation
from agent.plan import Budget, Cost, Plan, PlannedStep
from agent.report import (
    ClaimLine,
    EdgeCard,
    HypothesisLine,
    LiteratureLine,
    Mechanism,
    NodeCard,
    NodeStatus,
    Number,
    Report,
)


def number(value: float = 0.36, result: str = "r1") -> Number:
    return Number(quantity="resample harm", value=value, low=value - 0.05, high=value + 0.05, n=32, result_id=result)


def node(name: str, layer: int, status: NodeStatus = "supported", role: str = "") -> NodeCard:
    kind = "mlp" if name.startswith("m") else name if name in ("input", "logits") else "head"
    return NodeCard(component=name, kind=kind, layer=layer, status=status, role=role, numbers=[number()])


def edge(source: str, target: str, status: NodeStatus = "supported", sign: int = 1) -> EdgeCard:
    fields = {"source": source, "target": target, "channel": "q", "status": status, "sign": sign}
    return EdgeCard.model_validate(fields)


def claim(claim_id: str, verdict: str | None, q: float | None = 0.001, **fields: object) -> ClaimLine:
    given: dict[str, object] = {
        "claim_id": claim_id,
        "type": "necessity",
        "text": f"{claim_id} is necessary for IOI",
        "components": ["a1.h0"],
        "verdict": verdict,
        "q": q,
        "reason": "because of C1",
        "numbers": [number()] if verdict else [],
    }
    return ClaimLine.model_validate({**given, **fields})


def citation(quote: str = "Name movers copy the other name.") -> Citation:
    return Citation(passage_id="pp1", document_id="ioi-wang-2022", title="IOI", start=0, end=len(quote), quote=quote)


def report(**fields: object) -> Report:
    step = PlannedStep(
        kind="claim", key="c1", what="a1.h0 is necessary", cost=Cost(experiments=4, forward_passes=100, seconds=2)
    )
    graph = Mechanism(
        nodes=[node("input", -1), node("a0.h0", 0), node("a1.h0", 1, "open", "name mover"), node("logits", 9)],
        edges=[edge("a0.h0", "a1.h0"), edge("a1.h0", "logits", "refuted", -1)],
    )
    given: dict[str, object] = {
        "question": "How does it do IOI?",
        "model": "toy",
        "model_sha256": "ab" * 32,
        "task": "ioi",
        "task_version": "1",
        "answer": "Two heads do it.",
        "gate": [Number(quantity="accuracy", value=0.99, result_id="r0")],
        "gate_passed": True,
        "hypotheses": [
            HypothesisLine(key="H1", title="one mover", origin="literature", rationale="as published", claim_ids=["c1"])
        ],
        "claims": [claim("c1", "supported"), claim("c2", "refuted"), claim("c3", "inconclusive"), claim("c4", None)],
        "mechanism": graph,
        "literature": [
            LiteratureLine(
                document_id="ioi-wang-2022",
                title="IOI",
                says="name movers copy",
                models=["GPT-2 small"],
                outcome="found",
                here="a1.h0",
                citation=citation(),
            )
        ],
        "citations": [citation()],
        "explored": ["all heads on 32 explore prompts (r9)"],
        "plan": Plan(steps=(step,), budget=Budget(), spent=Cost(), basis="measured rates"),
        "spent": Cost(experiments=5, forward_passes=200, seconds=3.0),
    }
    return Report.model_validate({**given, **fields})
