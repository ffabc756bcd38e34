"""The near-miss simulation of METHOD section 4 on the shipped judge: error at most alpha."""

import pytest

from agent.inference import clopper_pearson
from agent.simulation import TRUTHS, simulate

RUNS = 300


@pytest.mark.parametrize("truth", [name for name in TRUTHS if "miss" in name or name == "all at the floor"])
def test_false_claims_are_supported_at_most_at_alpha(truth: str):
    rates = simulate(truth, RUNS)
    low, _ = clopper_pearson(round(rates.court_supported * RUNS), RUNS, alpha=0.02)
    assert low <= 0.01, rates


def test_rules_for_the_global_null_support_every_near_miss():
    rates = simulate("near miss: 2 strong, 1 at the floor", RUNS)
    assert min(rates.popper_product, rates.fisher, rates.two_of_three) > 0.95


def test_strong_true_claims_are_supported():
    assert simulate("all true, strong", RUNS).court_supported > 0.95


def test_claims_exactly_as_strong_as_worded_are_not_refuted():
    rates = simulate("all exactly as claimed", RUNS)
    low, _ = clopper_pearson(round(rates.court_refuted * RUNS), RUNS, alpha=0.02)
    assert low <= 0.01, rates
