"""Statistics against hand-worked numbers."""

import numpy as np
import pytest
from scipy import stats

from agent import inference as inf


def test_t_bounds_match_hand_worked_numbers():
    bounds = inf.t_bounds(inf.as_values([0.0, 0.1, 0.2, 0.3]), alpha=0.025)
    # mean .15, sd .1291, se .06455, t(3, .975) = 3.1824
    assert bounds.mean == pytest.approx(0.15)
    assert bounds.low == pytest.approx(0.15 - 3.1824 * 0.06455, abs=1e-4)
    assert bounds.high == pytest.approx(0.15 + 3.1824 * 0.06455, abs=1e-4)


def test_p_above_equals_scipy_t_test():
    sample = np.random.default_rng(0).normal(0.1, 0.2, 40)
    expected = stats.ttest_1samp(sample, 0.02, alternative="greater").pvalue
    assert inf.p_above(sample, 0.02) == pytest.approx(expected)


def test_p_below_is_the_other_tail():
    sample = np.random.default_rng(1).normal(0.0, 0.2, 40)
    expected = stats.ttest_1samp(sample, 0.05, alternative="less").pvalue
    assert inf.p_below(sample, 0.05) == pytest.approx(expected)


def test_a_constant_sample_is_certain():
    sample = inf.as_values([0.0] * 8)
    assert inf.t_bounds(sample, 0.01)[:3] == (0.0, 0.0, 0.0)
    assert (inf.p_above(sample, 0.02), inf.p_below(sample, 0.05)) == (1.0, 0.0)


def test_rank_p_counts_ties_against_the_component():
    assert inf.rank_p(0.5, [0.1] * 38 + [0.5]) == pytest.approx(2 / 40)
    assert inf.rank_p(0.5, [0.1] * 39) == pytest.approx(1 / 40)


def test_holm_steps_down_by_hand():
    assert inf.holm([0.001, 0.04, 0.02], [0.05] * 3) == [True, True, True]
    assert inf.holm([0.001, 0.04, 0.03], [0.05] * 3) == [True, False, False]


def test_holm_measures_each_p_in_its_own_alpha():
    assert inf.holm([0.005, 0.005], [0.004, 0.05]) == [False, True]


def test_benjamini_hochberg_by_hand():
    assert inf.benjamini_hochberg([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_benjamini_yekutieli_multiplies_by_the_harmonic_number():
    assert inf.benjamini_hochberg([0.01, 0.5], dependent=True) == pytest.approx([0.03, 0.75])


def test_sample_size_formula_of_method():
    assert inf.required_n(0.13, 0.05, 0.02) in range(243, 246)
    assert inf.required_n(0.13, 0.10, 0.02) in range(33, 36)
    assert inf.required_n(0.13, 0.01, 0.02) is None


def test_clopper_pearson_of_no_success():
    low, high = inf.clopper_pearson(0, 59, alpha=0.10)
    assert low == 0.0
    assert high == pytest.approx(0.05, abs=0.001)


def test_samples_must_be_finite():
    with pytest.raises(ValueError, match="finite"):
        inf.as_values([0.1, float("nan")])


def test_group_signs():
    share, means = inf.same_sign_share(np.array([1.0, 1.0, -1.0]), ["a", "b", "b"])
    assert share == 0.5
    assert means == {"a": 1.0, "b": 0.0}
