"""Hypotheses about connections: who feeds whom through which input (METHOD T4), and the literature's links by role."""

from agent.claims import Claim
from agent.hypotheses import EDGE, Hypothesis, Known
from agent.hypotheses_roles import roles_by_head
from agent.investigation_edges import EdgeSeen

MOST_EDGES = 5
MOST_LINKS = 2


def edge_claim(known: Known, edge: EdgeSeen) -> Claim:
    """The claim that a connection matters, in the direction that it showed."""
    details = {"channel": edge.channel} if edge.channel else {}
    direction = "helps" if edge.effect > 0 else "hurts"
    return known.claim("edge", [edge.source, edge.target], direction=direction, details=details)


def propose_edges(known: Known) -> list[Hypothesis]:
    """The connections that exact path patching found on explore prompts, strongest first."""
    if not known.can_claim("edge"):
        return []
    edges = known.connections.edges if known.small else _within_reason(known)
    return [
        Hypothesis(
            title=f"{edge.name} carries something",
            origin="data",
            rationale=f"On explore prompts corrupting this connection costs {edge.effect:.3f} of the gap ({edge.method}).",
            claims=(edge_claim(known, edge),),
            urgency=EDGE,
        )
        for edge in edges
    ]


def _within_reason(known: Known) -> list[EdgeSeen]:
    """Connections between components first, writes to the logits after them; at most so many."""
    edges = known.connections.edges
    between = [edge for edge in edges if edge.target != "logits"]
    return [*between, *(edge for edge in edges if edge.target == "logits")][:MOST_EDGES]


def propose_links(known: Known) -> list[Hypothesis]:
    """The links of each published mechanism between the heads that stand in for its roles here."""
    if not known.can_claim("edge"):
        return []
    roles = roles_by_head(known)
    found: list[Hypothesis] = []
    for document in known.literature.documents:
        for link in document.links:
            fitting = [
                edge
                for edge in known.connections.edges
                if edge.channel == link.channel
                and link.source in roles.get(edge.source, [])
                and link.target in roles.get(edge.target, [])
            ][:MOST_LINKS]
            cited = document.citation(link.target)
            found.append(
                Hypothesis(
                    title=f"{link.says} ({document.document_id})",
                    origin="literature",
                    rationale=f"{document.title} describes this link; here its ends are played by other heads.",
                    claims=tuple(edge_claim(known, edge) for edge in fitting),
                    urgency=EDGE,
                    passages=(cited.passage_id,) if cited else (),
                )
            )
    return found
