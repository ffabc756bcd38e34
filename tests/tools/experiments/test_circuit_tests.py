"""Shi's tests on planted circuits, their corrections by hand, and their error rates by simulation."""

import numpy as np
import pytest

from tools.circuit_tests import dependence, dependence_p, gaussian_gram, holm, independence_p
from tools.errors import ExperimentError
from tools.experiments.circuit_tests import CircuitTests, circuit_tests

CIRCUIT = ["a0.h3", "a1.h2"]


def run(lab, spec, *components, **params):
    task = f"planted-{spec}"
    return circuit_tests(
        lab(f"planted:{spec}"), CircuitTests(**{"task": task, "n": 64, "components": components} | params)
    )


def holds(result):
    return {row["test"] for row in result.tables["tests"] if row["holds"]}


def test_the_planted_circuit_is_sufficient_and_necessary(lab):
    assert {"sufficient", "necessary"} <= holds(run(lab, "decoys", *CIRCUIT))


def test_what_the_embedding_writes_by_itself_is_left_without_the_circuit(lab):
    """The model's direct noise lies outside every circuit of heads, and the independence test sees it."""
    result = run(lab, "decoys", *CIRCUIT)
    assert result.estimate("p_dependent").value < 0.05 and "independent" not in holds(result)


def test_where_nothing_is_left_the_rest_is_independent_of_the_model(lab):
    result = run(lab, "pathway", "a0.h0", "a1.h0")
    assert "independent" in holds(result) and result.estimate("dependence").value == pytest.approx(0, abs=1e-9)


def test_half_of_a_serial_circuit_is_not_sufficient(lab):
    assert "sufficient" not in holds(run(lab, "decoys", "a1.h2"))


def test_a_circuit_of_decoys_is_neither_and_the_rest_follows_the_model(lab):
    result = run(lab, "decoys", "a0.h0", "a1.h0")
    assert not holds(result) & {"sufficient", "necessary", "independent"}
    assert result.estimate("p_dependent").value < 0.01 and result.estimate("dependence").value > 0.9


def test_junk_is_not_minimal(lab):
    rows = {row["component"]: row["p"] for row in run(lab, "decoys", *CIRCUIT, "a1.h0").tables["members"]}
    assert rows["a1.h2"] < 0.5 and rows["a1.h0"] == 1.0


def test_equivalence_says_how_many_prompts_it_needs(lab):
    result = run(lab, "decoys", *CIRCUIT, n=8, epsilon=0.1)
    assert "equivalent" not in holds(result) and result.estimate("prompts_needed").value > 200


def test_a_whole_model_says_what_it_cannot_test(lab):
    result = run(lab, "decoys", *(f"a{layer}.h{h}" for layer in range(2) for h in range(6)))
    with pytest.raises(ExperimentError, match="did not measure p_sufficient"):
        result.estimate("p_sufficient")
    assert len(result.tables["tests"]) == 2


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0]) and holm([]) == []


def test_dependence_is_one_for_the_same_and_none_for_what_does_not_vary():
    x = np.random.default_rng(0).normal(size=30)
    assert dependence(gaussian_gram(x), gaussian_gram(x)) == pytest.approx(1.0)
    assert dependence(gaussian_gram(x), gaussian_gram(np.zeros(30))) == 0.0


def sample(n, rho, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)


def test_independence_is_seldom_found_where_there_is_dependence():
    """Correlation .6 is a dependence of about .22: a bound of .1 must hold against it."""
    wrong = sum(independence_p(*sample(48, 0.6, seed), 0.1) < 0.05 for seed in range(60))
    assert wrong <= 7  # 5 % of 60 is 3; 8 or more has probability below 1 in 100


def test_independence_is_found_with_enough_prompts_and_not_with_few():
    found = [sum(independence_p(*sample(n, 0.0, seed), 0.1) < 0.05 for seed in range(20)) for n in (12, 100)]
    assert found[0] <= 12 and found[1] >= 18


def test_the_permutation_test_keeps_its_level_and_sees_dependence():
    level = sum(dependence_p(*sample(32, 0.0, seed), permutations=99)[1] <= 0.05 for seed in range(60))
    power = sum(dependence_p(*sample(32, 0.8, seed), permutations=99)[1] <= 0.05 for seed in range(20))
    assert level <= 8 and power >= 17
