"""Every proposer, and the list of claims that their hypotheses come to, most urgent first."""

from collections import Counter
from collections.abc import Callable, Sequence

from agent.claims import Claim
from agent.hypotheses import EDGE, RIVAL, ROLE, Hypothesis, Known
from agent.hypotheses_circuit import propose_circuit
from agent.hypotheses_edges import propose_edges, propose_links
from agent.hypotheses_parts import propose_backups, propose_parts
from agent.hypotheses_roles import propose_mechanisms, propose_roles, propose_targets

PROPOSERS: tuple[Callable[[Known], list[Hypothesis]], ...] = (
    propose_parts,
    propose_circuit,
    propose_mechanisms,
    propose_links,
    propose_edges,
    propose_roles,
    propose_targets,
    propose_backups,
)


def propose(known: Known) -> list[Hypothesis]:
    """Every proposer's hypotheses, those without a claim left out, each title once."""
    found: dict[str, Hypothesis] = {}
    for proposer in PROPOSERS:
        for hypothesis in proposer(known):
            if hypothesis.claims and hypothesis.title not in found:
                found[hypothesis.title] = hypothesis
    return list(found.values())


def all_claims(hypotheses: Sequence[Hypothesis]) -> list[tuple[Claim, int]]:
    """Every claim once with its urgency, most urgent first; within one urgency in the order they were proposed.

    Connections and roles take turns: a budget that ends early has then reached the strongest of both.
    """
    urgency: dict[str, int] = {}
    claims: dict[str, Claim] = {}
    for hypothesis in hypotheses:
        for claim in hypothesis.claims:
            claims.setdefault(claim.claim_id, claim)
            urgency[claim.claim_id] = min(hypothesis.urgency, urgency.get(claim.claim_id, RIVAL))
    order: dict[str, tuple[int, int, int]] = {}
    counts: Counter[int] = Counter()
    for key in claims:
        kind = urgency[key]
        order[key] = (EDGE if kind == ROLE else kind, counts[kind], kind)
        counts[kind] += 1
    return [(claims[key], urgency[key]) for key in sorted(claims, key=order.__getitem__)]
