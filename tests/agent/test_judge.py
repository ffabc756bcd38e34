"""Verdicts from made numbers: every branch of METHOD 1.3, 3.1 and 4.1."""

import numpy as np
import pytest

from agent.judge import judge, needs_look
from agent.predictions import register
from tests.agent.made import assay, claim, necessity_evidence, registration, result, sample, situation


def test_a_large_effect_above_its_controls_is_supported():
    verdict = judge(registration(), necessity_evidence(0.36))
    assert verdict.verdict == "supported"
    assert verdict.rung == 3
    assert verdict.displayed.startswith("head a20.h0 contributes to IOI (removing it costs 0.36 [")


def test_a_negligible_effect_is_refuted():
    verdict = judge(registration(), necessity_evidence(0.0, sd=0.02))
    assert verdict.verdict == "refuted"
    assert "negligible" in verdict.reason


def test_a_real_but_small_effect_is_refuted_and_said_to_be_real():
    verdict = judge(registration(), necessity_evidence(0.035, sd=0.015))
    assert verdict.verdict == "refuted"
    assert any("real but small" in remark for remark in verdict.remarks)


def test_the_opposite_direction_is_named():
    verdict = judge(registration("a24.h4"), necessity_evidence(-0.16))
    assert verdict.verdict == "refuted"
    assert "opposite direction" in verdict.reason


def test_the_claim_that_removal_helps_is_supported_by_negative_harm():
    evidence = necessity_evidence(-0.16)
    verdict = judge(registration("a24.h4", direction="hurts"), evidence)
    assert verdict.verdict == "supported"
    assert "holds IOI back" in verdict.displayed


def test_self_repair_stays_refuted_with_the_remark():
    verdict = judge(registration("a23.h0"), necessity_evidence(0.01, direct=0.19, sd=0.04))
    assert verdict.verdict == "refuted"
    assert any("masked by downstream compensation (direct 0.19, total 0.01)" in r for r in verdict.remarks)


def test_no_self_repair_remark_without_a_direct_effect():
    verdict = judge(registration(), necessity_evidence(0.0, sd=0.02))
    assert not any("masked" in remark for remark in verdict.remarks)


def test_an_effect_between_the_floors_stays_open_and_asks_for_prompts():
    verdict = judge(registration(), necessity_evidence(0.06, sd=0.13))
    assert verdict.verdict == "inconclusive"
    assert any("prompts would settle" in line for line in verdict.missing)


def test_disagreeing_ablations_leave_it_open():
    verdict = judge(registration(), necessity_evidence(0.3, mean_harm=-0.1))
    assert verdict.verdict == "inconclusive"
    assert any("ablations disagree" in remark for remark in verdict.remarks)


def test_an_effect_that_controls_reach_stays_open():
    verdict = judge(registration(), necessity_evidence(0.1, sd=0.05, top_control=0.3))
    assert verdict.verdict == "inconclusive"
    assert "matched controls reach it" in verdict.reason


def test_a_failed_assay_means_no_verdict():
    evidence = {**necessity_evidence(0.36), "A1": [assay(passed=False)]}
    verdict = judge(registration(), evidence)
    assert verdict.verdict == "inconclusive"
    assert "invalid experiment" in verdict.reason


def test_a_missing_assay_supports_nothing():
    evidence = {key: value for key, value in necessity_evidence(0.36).items() if key != "A1"}
    assert judge(registration(), evidence).verdict == "inconclusive"


def test_a_missing_critical_prediction_supports_nothing():
    evidence = {key: value for key, value in necessity_evidence(0.36).items() if key != "C2"}
    verdict = judge(registration(), evidence)
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "not tested yet: C2")


def test_a_model_that_fails_the_task_gives_no_verdict():
    verdict = judge(register(claim(), situation(passed=False)), {})
    assert verdict.verdict == "inconclusive"
    assert "behaviour gate failed" in verdict.reason


def test_every_first_look_is_wanted_before_any_second():
    assert [(one.key, look) for one, look in needs_look(registration(), {})] == [
        ("A1", 1),
        ("C1", 1),
        ("C2", 1),
        ("K1", 1),
        ("C3", 1),
    ]


def test_only_open_critical_predictions_get_a_second_look():
    wanted = needs_look(registration(), necessity_evidence(0.06, sd=0.13, mean_harm=0.3))
    assert [(one.key, look) for one, look in wanted] == [("C1", 2)]


def test_a_refutation_ends_the_looking():
    assert needs_look(registration(), necessity_evidence(0.0, sd=0.02)) == []


def test_the_second_look_is_judged_at_its_own_alpha():
    evidence = necessity_evidence(0.06, sd=0.13)
    evidence["C1"].append(result(arrays={"harm_per_prompt": sample(0.06, 0.10, n=128)}))
    finding = judge(registration(), evidence).findings["C1"]
    assert finding.level == pytest.approx(1 - 2 * 0.006)
    assert finding.outcome == "pass"


def test_few_controls_must_all_stay_below():
    evidence = necessity_evidence(0.3)
    evidence["C3"][0].arrays["control_harm"] = np.array([0.0, 0.01, 0.4])
    verdict = judge(registration(), evidence)
    assert verdict.verdict == "inconclusive"
    evidence["C3"][0].arrays["control_harm"] = np.array([0.0, 0.01])
    assert judge(registration(), evidence).verdict == "supported"


def test_templates_that_disagree_are_named():
    arrays = {"harm_per_prompt": np.concatenate([sample(0.5, 0.05, 16), sample(-0.1, 0.05, 16)])}
    evidence = necessity_evidence(0.2)
    evidence["C1"] = [result(arrays=arrays, labels={"prompts": ["t0"] * 16 + ["t1"] * 16})]
    verdict = judge(registration(), evidence)
    assert any("only 50% of the templates" in remark and "t1" in remark for remark in verdict.remarks)


def test_the_scope_names_model_task_and_ablations():
    scope = judge(registration(), necessity_evidence(0.36)).scope
    for part in ("SmolLM2", "abababab", "ioi@1", "ABC", "resample ablation and mean ablation"):
        assert part in scope


def test_the_strength_is_that_of_the_weakest_prediction():
    strength = judge(registration(), necessity_evidence(0.36)).strength
    assert strength["weakest"] == "C1"
    assert strength["margin"] > 1
    assert strength["corroborating"] == [0, 1]


def test_localised_needs_necessity_too():
    patched = {"A1": [assay()], "C1": [result(arrays={"restore_per_prompt": sample(0.34, 0.05)})]}
    patched["C2"] = [result(arrays={**patched["C1"][0].arrays, "control_restore": np.linspace(0, 0.02, 39)})]
    harm = [result(arrays={"harm_per_prompt": sample(0.01, 0.03)})]
    only_restores = registration("a23.h0", type="localisation")
    localised = registration("a23.h0", type="localisation", details={"localised": True})
    assert (judge(only_restores, patched).verdict, judge(only_restores, patched).rung) == ("supported", 3)
    verdict = judge(localised, {**patched, "N1": harm, "N2": harm})
    assert verdict.verdict == "refuted"
    assert "removing it costs only" in verdict.displayed
