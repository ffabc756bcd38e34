"""Intervals against hand-worked numbers and by simulation of their coverage."""

import numpy as np
import pytest

from tools.errors import ExperimentError
from tools.statistics import bootstrap, rank_p, strata_of, t_interval


def test_t_interval_by_hand():
    mean, low, high = t_interval(np.array([1.0, 2.0, 3.0]), level=0.95)
    assert mean == 2.0
    assert high - mean == pytest.approx(4.302653 * 1 / np.sqrt(3), rel=1e-5)
    assert mean - low == pytest.approx(high - mean)


def test_rank_p_counts_ties_against_the_component():
    assert rank_p(0.5, np.array([0.1, 0.5, 0.9])) == pytest.approx(3 / 4)
    assert rank_p(1.0, np.zeros(39)) == pytest.approx(0.025)


def test_a_bootstrap_of_equal_values_has_no_width():
    mean, low, high = bootstrap(np.full((1, 8), 0.3), ["a"] * 8)
    assert mean[0] == low[0] == high[0] == pytest.approx(0.3)


def test_differences_between_templates_do_not_widen_the_interval():
    values = np.array([[0.0] * 8 + [1.0] * 8])
    _, low, high = bootstrap(values, ["a"] * 8 + ["b"] * 8)
    assert high[0] - low[0] < 1e-12
    _, low, high = bootstrap(values, ["a"] * 16)
    assert high[0] - low[0] > 0.2


def test_strata_of_one_prompt_are_pooled():
    assert [list(rows) for rows in strata_of(["a", "b", "a", "c"])] == [[0, 2], [1, 3]]
    assert [list(rows) for rows in strata_of(["a", "a", "b"])] == [[0, 1, 2]]


def test_coverage_with_four_prompts_per_template_is_near_nominal():
    rng = np.random.default_rng(0)
    names = [f"t{i % 8}" for i in range(32)]
    values = rng.normal(0.1, 0.13, (1500, 32))
    _, low, high = bootstrap(values, names, level=0.95)
    inside = ((low <= 0.1) & (high >= 0.1)).mean()
    assert 0.92 <= inside <= 0.97


def test_a_non_finite_value_is_refused():
    with pytest.raises(ExperimentError, match="not finite"):
        bootstrap(np.array([[1.0, np.nan]]), ["a", "a"])


def test_one_prompt_has_no_interval():
    with pytest.raises(ExperimentError, match="at least 2 prompts, got 1"):
        bootstrap(np.array([[1.0]]), ["a"])
