"""Circuits on planted models whose truth is known, and the tests' arithmetic by hand."""

import numpy as np
import pytest

from tools.circuit_tests import beats_random_p, equivalence_p, minimality_p
from tools.circuits import area, random_like, sizes_for_curve
from tools.component import Component, parse_component
from tools.errors import ExperimentError
from tools.experiment import Lab
from tools.experiments.circuit_evaluation import CircuitEvaluation, circuit_evaluation
from tools.models import load_model


@pytest.fixture(scope="module")
def induction(tmp_path_factory):
    return Lab(load_model("planted:induction", models_dir=tmp_path_factory.mktemp("none")))


def evaluate(lab, *names, **more):
    params = CircuitEvaluation(task="planted-induction", n=16, components=list(names), **{"n_random": 40, **more})
    return circuit_evaluation(lab, params)


def value(result, name):
    return result.estimate(name).value


def test_the_planted_circuit_is_faithful_and_complete(induction):
    result = evaluate(induction, "a0.h0", "a1.h0", "a1.h2", "a2.h0")
    assert value(result, "faithfulness") == pytest.approx(1.0, abs=1e-3)
    assert value(result, "faithfulness_mean") == pytest.approx(1.0, abs=1e-3)
    assert value(result, "complement") == pytest.approx(0.0, abs=1e-3)
    assert value(result, "incompleteness") < 1e-3 and value(result, "deviation") < 1e-3
    assert value(result, "random_beaten") == 1.0


def test_leaving_out_the_negative_head_overshoots(induction):
    result = evaluate(induction, "a0.h0", "a1.h0")
    assert value(result, "faithfulness") == pytest.approx(1.43, abs=0.02)
    assert value(result, "deviation") > 0.35


def test_one_half_of_a_serial_circuit_does_nothing(induction):
    assert value(evaluate(induction, "a0.h0"), "faithfulness") == pytest.approx(0.0, abs=0.02)


def test_junk_contributes_nothing_and_is_named(induction):
    result = evaluate(induction, "a0.h0", "a1.h0", "a1.h2", "a0.h1")
    rows = {row["component"]: row["contribution"] for row in result.tables["members"]}
    assert rows["a0.h1"] < 1e-3 < 0.4 < rows["a1.h2"]
    assert value(result, "smallest_part") < 1e-3


def test_a_circuit_outside_its_universe_is_refused(induction):
    with pytest.raises(ExperimentError, match="has no MLPs"):
        evaluate(induction, "m0")


def test_random_circuits_keep_the_layer_profile():
    universe = [Component("head", layer, h) for layer in range(4) for h in range(6)]
    circuit = frozenset(parse_component(n) for n in ("a0.h0", "a0.h1", "a3.h5"))
    for other in random_like(circuit, universe, 20, 0, profile=True):
        assert sorted(c.layer for c in other) == [0, 0, 3] and other != circuit


def test_winning_against_95_of_99_is_not_enough_to_beat_nine_tenths_at_one_percent():
    random = np.arange(99.0)
    assert beats_random_p(98.5, random) == pytest.approx(0.9**99)
    assert beats_random_p(94.5, random) > 0.01 > beats_random_p(96.5, random)


def test_equivalence_needs_enough_prompts():
    few, many = np.tile([1.0, -1.0], 5), np.tile([1.0, -1.0], 300)
    assert equivalence_p(few, np.zeros(10)) > 0.05
    assert equivalence_p(many, np.zeros(600)) < 0.01
    assert equivalence_p(np.ones(600), np.zeros(600)) == pytest.approx(1.0)


def test_minimality_is_corrected_for_the_number_of_members():
    members = {Component("head", 0, i): 1.0 for i in range(4)}
    assert minimality_p(members, np.zeros(39))[Component("head", 0, 0)] == pytest.approx(4 / 40)


def test_the_curve_covers_mib_shares():
    assert sizes_for_curve(300) == [0, 1, 2, 3, 6, 15, 30, 60, 150, 300]
    assert area([0.0, 0.5, 1.0], [0.0, 1.0, 1.0]) == pytest.approx(0.75)


def test_a_redundant_member_contributes_once_its_partner_is_away(tmp_path):
    """Either induction head of the OR model is enough: removed alone it shows nothing, and it is no junk."""
    lab = Lab(load_model("planted:or", models_dir=tmp_path))
    members = ["a0.h0", "a1.h0", "a1.h1", "a1.h2"]
    params = CircuitEvaluation(task="planted-or", n=16, components=members, n_random=5, minimal_sets=12)
    rows = {row["component"]: row for row in circuit_evaluation(lab, params).tables["members"]}
    assert rows["a1.h0"]["alone"] < 0.05 and rows["a1.h0"]["contribution"] > 0.3
    assert rows["a1.h2"]["contribution"] < 1e-3  # the decoy is junk whatever is away


def test_a_single_member_is_tried_for_completeness_too(induction):
    result = evaluate(induction, "a1.h0")
    complement = value(result, "complement")
    assert value(result, "incompleteness") == pytest.approx(abs(0 - complement), abs=1e-3)


def test_the_whole_model_has_no_random_rivals_and_says_so(induction):
    result = evaluate(induction, *(f"a{layer}.h{h}" for layer in range(3) for h in range(4)), n_random_any=5)
    assert value(result, "faithfulness") == pytest.approx(1.0) and "whole universe" in result.summary
    with pytest.raises(ExperimentError, match="did not measure random_beaten: the circuit is the only one"):
        result.estimate("random_beaten")
    with pytest.raises(ExperimentError, match="did not measure p_minimal"):
        result.estimate("p_minimal")
    silent = [c for c in result.controls if c.name.startswith("random") and "not measured" in c.expected]
    assert len(silent) == 2 and all(row["p_minimal"] is None for row in result.tables["members"])


def test_a_full_layer_leaves_no_rival_of_the_same_profile_but_some_of_the_same_size(induction):
    result = evaluate(induction, *(f"a1.h{h}" for h in range(4)), n_random_any=5)
    assert result.labels["not_measured"][0].startswith("random_beaten:")
    assert value(result, "random_beaten_any") >= 0


def test_random_circuits_differ_from_each_other():
    universe = [Component("head", 0, h) for h in range(4)]
    assert len(random_like(frozenset(universe[:2]), universe, 40, 0, profile=False)) == 5  # 4 choose 2, without its own
