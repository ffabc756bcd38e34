"""Rules on samples with exactly known means."""

import numpy as np
import pytest

from agent.findings import prompts_needed
from agent.rules import (
    ChangeRule,
    DifferenceRule,
    EffectRule,
    EitherRule,
    EverRule,
    EverywhereRule,
    NoGainRule,
    RangeRule,
    RankRule,
    ReportRule,
    ShareRule,
    WithinRule,
)
from tests.agent.made import result, sample
from tools.result import Estimate

ALPHA = 0.01


def of(values: np.ndarray):
    return [result(arrays={"x": values})]


def decide(rule, values: np.ndarray, others=None):
    return rule.decide(of(values), ALPHA, others or {}).outcome


@pytest.mark.parametrize(("mean", "outcome"), [(0.0, "pass"), (0.2, "fail"), (-0.2, "fail"), (0.05, "open")])
def test_equivalence(mean: float, outcome: str):
    assert decide(WithinRule(array="x", quantity="harm", delta1=0.05), sample(mean, 0.03)) == outcome


@pytest.mark.parametrize(("worst", "outcome"), [(0.0, "pass"), (0.04, "open"), (0.3, "fail")])
def test_one_prompt_refutes_what_holds_everywhere(worst: float, outcome: str):
    values = np.zeros(64)
    values[7] = worst
    assert decide(EverywhereRule(array="x", quantity="harm", bound=0.02, delta1=0.05), values) == outcome


def test_differences_are_paired_by_prompt():
    common = sample(0.0, 1.0)
    rule = DifferenceRule(array="x", quantity="difference", minus_key="K1", delta0=0.01, delta1=0.03)
    assert decide(rule, common + 0.1, {"K1": of(common)}) == "pass"
    assert decide(rule, common, {"K1": of(common)}) == "fail"


def test_a_difference_without_its_partner_is_open():
    rule = DifferenceRule(array="x", quantity="difference", minus_key="K1", delta0=0.01, delta1=0.03)
    assert decide(rule, sample(0.1)) == "open"


def test_a_backup_shows_only_on_top_of_what_it_backs_up():
    rule = NoGainRule(array="x", quantity="extra harm", minus_key="K1", delta1=0.05)
    assert decide(rule, sample(0.4, 0.1), {"K1": of(sample(0.4, 0.1))}) == "pass"
    assert decide(rule, sample(1.4, 0.1), {"K1": of(sample(0.4, 0.1))}) == "fail"


@pytest.mark.parametrize(
    ("own", "other", "outcome"), [(0.5, 0.0, "pass"), (0.0, 0.5, "pass"), (0.0, 0.0, "fail"), (0.0, 0.008, "open")]
)
def test_either_of_two_interventions_is_enough(own: float, other: float, outcome: str):
    rule = EitherRule(array="x", quantity="effect", or_key="K1", delta0=0.003, delta1=0.01)
    assert decide(rule, sample(own, 0.01), {"K1": of(sample(other, 0.01))}) == outcome


def test_effects_of_both_signs_are_something():
    values = np.array([0.3, -0.3] * 16)
    assert decide(EverRule(array="x", quantity="whole input", least=0.02), values) == "pass"
    assert decide(EverRule(array="x", quantity="whole input", least=0.02), np.zeros(32)) == "open"


def estimated(value: float, low: float | None = None, high: float | None = None):
    found = result()
    return [found.model_copy(update={"estimates": [Estimate(name="f", value=value, low=low, high=high, n=64)]})]


@pytest.mark.parametrize(
    ("value", "low", "high", "outcome"),
    [
        (0.95, 0.90, 1.00, "pass"),
        (0.95, 0.60, 1.30, "open"),
        (1.70, 1.60, 1.80, "fail"),
        (0.40, 0.30, 0.50, "fail"),
        (0.75, 0.65, 0.85, "open"),
    ],
)
def test_faithfulness_has_two_sides(value: float, low: float, high: float, outcome: str):
    rule = RangeRule(quantity="faithfulness", estimate="f", least=0.8, most=1.2, slack=0.1)
    assert rule.decide(estimated(value, low, high), ALPHA, {}).outcome == outcome


def test_a_share_without_an_interval_is_compared_as_it_is():
    rule = RangeRule(quantity="random circuits beaten", estimate="f", least=0.95)
    assert rule.decide(estimated(0.97), ALPHA, {}).outcome == "pass"
    assert rule.decide(estimated(0.60), ALPHA, {}).outcome == "fail"


def test_a_range_with_slack_has_the_p_of_its_interval_and_a_gate_has_none():
    wide = RangeRule(quantity="faithfulness", estimate="f", least=0.8, most=1.2, slack=0.1)
    gate = RangeRule(quantity="agreement", estimate="f", least=0.6)
    found = wide.decide(estimated(0.95, 0.90, 1.00), ALPHA, {})
    assert found.p_plus is not None and 0 < found.p_plus < 1e-6
    assert gate.decide(estimated(0.95, 0.90, 1.00), ALPHA, {}).p_plus is None


def test_an_estimate_that_could_not_be_measured_stays_open():
    rule = RangeRule(quantity="share of random circuits beaten", estimate="random_beaten", least=0.95)
    found = rule.decide(estimated(0.97), ALPHA, {})
    assert (found.outcome, found.p_plus) == ("open", None)
    assert "could not be measured here (no random_beaten" in found.reason


@pytest.mark.parametrize(("mean", "outcome"), [(0.5, "pass"), (-0.5, "pass"), (0.0, "fail"), (0.05, "open")])
def test_a_change_has_no_direction(mean: float, outcome: str):
    rule = ChangeRule(array="x", quantity="change", delta0=0.02, delta1=0.05)
    assert decide(rule, sample(mean, sd=0.1)) == outcome


@pytest.mark.parametrize(("mean", "outcome"), [(0.3, "pass"), (0.0, "open"), (-0.3, "open")])
def test_what_is_only_described_never_fails(mean: float, outcome: str):
    rule = ReportRule(array="x", quantity="direct effect", delta0=0.02, delta1=0.05)
    assert decide(rule, sample(mean, sd=0.05)) == outcome


@pytest.mark.parametrize(("small", "outcome"), [(0.1, "pass"), (0.5, "fail"), (0.25, "open")])
def test_a_share_of_another_effect(small: float, outcome: str):
    rule = ShareRule(array="x", quantity="harm elsewhere", of_key="C1")
    others = {"C1": of(sample(0.5, sd=0.1, n=128))}
    assert decide(rule, sample(small, sd=0.1, n=64, seed=3), others) == outcome


def test_a_share_of_what_was_not_measured_is_open():
    rule = ShareRule(array="x", quantity="harm elsewhere", of_key="C1", minus_key="K2")
    assert decide(rule, sample(0.1)) == "open"
    assert decide(rule, sample(0.1), {"K2": of(sample(0.0))}) == "open"


def test_an_open_effect_below_its_bar_asks_for_no_prompts():
    assert prompts_needed(0.06, 0.13, 32, (0.02, 0.05), 0.01) == "about 138 prompts would settle it"
    below = prompts_needed(0.04, 0.13, 32, (0.02, 0.05), 0.01)
    assert below == "no number of prompts is expected to support it, 0.040 being below 0.05; about 2200 would refute it"
    assert "refute" not in prompts_needed(0.0499, 0.13, 32, (0.02, 0.05), 0.01)


def test_a_rule_says_where_the_shown_estimate_must_lie():
    floors = {"array": "harm_per_prompt", "quantity": "harm", "delta1": 0.05}
    assert EffectRule(**floors, delta0=0.02).passes_in() == [(0.05, None)]
    assert EffectRule(**floors, delta0=0.02, sign=-1).passes_in() == [(None, -0.05)]
    assert WithinRule(**floors).passes_in() == [(-0.05, 0.05)]
    assert RankRule(array="harm_per_prompt", controls="control_harm", quantity="harm").passes_in() == []
