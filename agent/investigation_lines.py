"""From verdicts to the lines and the graph of a report: which component stands, which connection, what is open.

A component stands when a causal claim about it alone is supported over the whole session (removal, patching in, a
connection into or out of it, or as a backup); it is refuted when every such claim was; else it is open. The role of a
component is that of its best role claim. Reads claims from the ledger's cards and computes nothing from arrays.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from agent.cards import ClaimCard, PredictionCard
from agent.claims import Claim
from agent.inference import session_q
from agent.investigation_patterns import role_spoken
from agent.investigation_survey import depth, in_order
from agent.report import ClaimLine, EdgeCard, Mechanism, NodeCard, NodeStatus, Number
from tools.component import parse_component

ROLES = ("head-role", "target-role")
ABOUT_ONE = ("necessity", "localisation", "backup", "edge", *ROLES)
MOST_NUMBERS = 3
RANK: dict[NodeStatus, int] = {"supported": 0, "open": 1, "refuted": 2}


def tested_line(claim: Claim, card: ClaimCard, p: float | None, hypotheses: Sequence[str]) -> ClaimLine:
    """A claim that has its verdict; q follows when all of the session are known."""
    numbers = [_number(one) for one in card.predictions if _shown(one)]
    return ClaimLine(
        claim_id=claim.claim_id,
        type=claim.type,
        text=claim.text,
        components=list(claim.components),
        channel=str(claim.details.get("channel", "")),
        role=role_of(claim),
        verdict=card.verdict,
        displayed=card.displayed,
        reason=card.reason,
        rung=card.rung,
        p=p,
        numbers=numbers[:MOST_NUMBERS],
        remarks=card.remarks,
        missing=card.missing,
        scope=card.scope,
        hypotheses=list(hypotheses),
        sign=_sign(claim, numbers),
    )


def untested_line(claim: Claim, hypotheses: Sequence[str], reason: str) -> ClaimLine:
    """A claim that the budget did not reach, or that cannot be tested here."""
    return ClaimLine(
        claim_id=claim.claim_id,
        type=claim.type,
        text=claim.text,
        components=list(claim.components),
        channel=str(claim.details.get("channel", "")),
        role=role_of(claim),
        verdict=None,
        reason=reason,
        hypotheses=list(hypotheses),
        sign=_sign(claim, []),
    )


def role_of(claim: Claim) -> str:
    """The role that a claim gives a head, in a few words; empty when it gives none."""
    if claim.type == "target-role":
        return f"copies from {claim.details['target']}"
    return str(claim.details.get("role", ""))


def with_q(lines: Sequence[ClaimLine]) -> list[ClaimLine]:
    """The lines with q-values over every claim of the session that was put on trial (METHOD 4.3)."""
    tried = [line for line in lines if line.verdict is not None]
    q_values = session_q([1.0 if line.p is None else line.p for line in tried]) if tried else []
    q_of = {line.claim_id: q for line, q in zip(tried, q_values, strict=True)}
    return [line.model_copy(update={"q": q_of.get(line.claim_id)}) for line in lines]


def _shown(prediction: PredictionCard) -> bool:
    """Critical effects; ranks among controls and assay controls are on the claim's own card."""
    ranked = prediction.p_rank is not None
    return prediction.role == "critical" and prediction.estimate is not None and not ranked


def _number(prediction: PredictionCard) -> Number:
    assert prediction.estimate is not None, prediction.key
    low, high = prediction.interval or (None, None)
    return Number(
        quantity=prediction.quantity,
        value=prediction.estimate,
        low=low,
        high=high,
        n=prediction.n,
        result_id=prediction.result_ids[-1],
    )


def _sign(claim: Claim, numbers: Sequence[Number]) -> Literal[1, -1]:
    if claim.type == "edge" and numbers:
        return 1 if numbers[0].value >= 0 else -1
    return -1 if claim.direction == "hurts" else 1


def mechanism_of(lines: Sequence[ClaimLine]) -> Mechanism:
    """The graph of everything that was put on trial."""
    tried = [line for line in lines if line.verdict is not None]
    edges = [_edge(line) for line in tried if line.type == "edge"]
    names = {name for line in tried if line.type in ABOUT_ONE for name in line.components}
    nodes = [_node(name, tried) for name in in_order(names)]
    ends = [_end(name, nodes) for name in ("input", "logits") if any(name in (e.source, e.target) for e in edges)]
    placed = sorted([*(n for n in nodes if n.kind not in ("input", "logits")), *ends], key=lambda n: depth(n.component))
    return Mechanism(nodes=placed, edges=sorted(edges, key=lambda e: (depth(e.source), depth(e.target), e.channel)))


def _edge(line: ClaimLine) -> EdgeCard:
    source, target = line.components
    return EdgeCard(
        source=source,
        target=target,
        channel=line.channel,
        status=line.status,
        sign=line.sign,
        claim_ids=[line.claim_id],
        numbers=line.numbers[:1],
    )


def _end(name: str, nodes: Sequence[NodeCard]) -> NodeCard:
    layer = -1 if name == "input" else max((n.layer for n in nodes), default=0) + 1
    return NodeCard(component=name, kind=name, layer=layer, status="supported")


def _node(name: str, lines: Sequence[ClaimLine]) -> NodeCard:
    causal = [line for line in lines if name in line.components and line.type in ABOUT_ONE and line.type not in ROLES]
    backup_of_other = [line for line in causal if line.type == "backup" and line.components[0] != name]
    causal = [line for line in causal if line not in backup_of_other]
    role = best_role(name, lines)
    own = [line for line in causal if line.type != "edge"]
    part = parse_component(name)
    return NodeCard(
        component=name,
        kind=part.kind,
        layer=part.layer,
        status=joint_status([line.status for line in causal] or ([role.status] if role else [])),
        role=role_name(name, role, lines),
        role_status=role.status if role else None,
        sign=-1 if any(line.sign < 0 and line.status == "supported" for line in own) else 1,
        claim_ids=[line.claim_id for line in [*own, *([role] if role else [])]],
        numbers=[number for line in own for number in line.numbers[:1]],
    )


def joint_status(statuses: Sequence[NodeStatus]) -> NodeStatus:
    """Supported when one is, refuted when all are, else open."""
    if "supported" in statuses:
        return "supported"
    return "refuted" if statuses and all(status == "refuted" for status in statuses) else "open"


def best_role(name: str, lines: Sequence[ClaimLine]) -> ClaimLine | None:
    """The role claim about a component that fared best."""
    roles = [line for line in lines if line.type in ROLES and line.components[0] == name]
    return min(roles, key=lambda line: RANK[line.status], default=None)


def role_name(name: str, role: ClaimLine | None, lines: Sequence[ClaimLine]) -> str:
    """The role in words; a supported backup is named as one."""
    backs_up = any(
        line.type == "backup" and line.components[0] == name and line.status == "supported" for line in lines
    )
    words = role_spoken(role.role) if role else ""
    if backs_up:
        return f"backup, {words}" if words else "backup"
    return words


def by_role(lines: Sequence[ClaimLine]) -> Mapping[str, list[ClaimLine]]:
    """Role claims by role."""
    found: dict[str, list[ClaimLine]] = {}
    for line in lines:
        if line.type in ROLES:
            found.setdefault(line.role, []).append(line)
    return found
