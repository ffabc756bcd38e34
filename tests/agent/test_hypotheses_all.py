"""The order in which claims of an investigation are tried."""

from agent.claims import Claim
from agent.hypotheses import EDGE, NODE, ROLE, Hypothesis
from agent.hypotheses_all import all_claims


def hypothesis(title: str, urgency: int, *claims: Claim) -> Hypothesis:
    return Hypothesis(title=title, origin="data", rationale="", claims=claims, urgency=urgency)


def necessity(head: str) -> Claim:
    return Claim(type="necessity", model="planted:copy", task="planted-copy", components=(head,))


def test_connections_and_roles_take_turns_after_single_components():
    node, *others = [necessity(f"a{k}.h0") for k in range(5)]
    made = [
        hypothesis("edges", EDGE, others[0], others[1]),
        hypothesis("roles", ROLE, others[2], others[3]),
        hypothesis("node", NODE, node),
    ]
    assert [claim for claim, _ in all_claims(made)] == [node, others[0], others[2], others[1], others[3]]


def test_a_claim_that_two_hypotheses_make_is_tried_once_at_its_most_urgent():
    one = necessity("a0.h0")
    assert all_claims([hypothesis("role", ROLE, one), hypothesis("node", NODE, one)]) == [(one, NODE)]
