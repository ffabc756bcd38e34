"""The causal experiments on planted models, against truths that were written into the weights."""

import numpy as np
import pytest

from tools.errors import ExperimentError
from tools.experiments.activation_patching import ActivationPatching, activation_patching
from tools.experiments.assay import Assay, assay
from tools.experiments.behaviour import Behaviour, behaviour
from tools.experiments.circuit_discovery import CircuitDiscovery, circuit_discovery
from tools.experiments.direct_logit_attribution import DirectLogitAttribution, direct_logit_attribution
from tools.experiments.head_ablation import HeadAblation, head_ablation
from tools.experiments.head_patching import HeadPatching, head_patching
from tools.experiments.path_patching import PathPatching, path_patching
from tools.experiments.screen import Screen, screen

TASK = {"task": "planted-induction", "n": 16}


@pytest.fixture
def induction(lab):
    return lab("planted:induction")


def ablate(lab, **more):
    return head_ablation(lab, HeadAblation(**TASK, **more))


def patch(lab, **more):
    return head_patching(lab, HeadPatching(**TASK, **more))


def paths(lab, **more):
    return path_patching(lab, PathPatching(**TASK, **more))


def test_resample_ablation_separates_the_circuit_from_its_decoys(induction):
    harm = ablate(induction).arrays["harm"]
    expected = [[1.0, 0, 0, 0], [1.04, 0, -0.43, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(harm, expected, atol=0.06)


def test_zero_ablation_wakes_the_backup(induction):
    assert ablate(induction, components=["1.0"], method="zero").estimate("harm").value == pytest.approx(0.43, abs=0.05)
    both = ablate(induction, components=["1.0", "2.0"], joint=True, method="zero")
    assert both.estimate("harm").value == pytest.approx(1.44, abs=0.05)


def test_mean_ablation_agrees_with_resampling(induction):
    assert ablate(induction, components=["0.0"], method="mean").estimate("harm").value == pytest.approx(1.0, abs=0.1)
    assert ablate(induction, components=["0.1"], method="mean").estimate("harm").value == pytest.approx(0, abs=1e-3)


def test_a_serial_stage_is_necessary_and_not_sufficient(induction):
    assert patch(induction, components=["0.0"]).estimate("restore").value == pytest.approx(0, abs=0.05)
    assert patch(induction, components=["1.0"]).estimate("restore").value == pytest.approx(1.43, abs=0.06)


def test_the_direct_effect_of_a_stage_that_writes_nothing_is_zero(induction):
    early, late = (ablate(induction, components=[c]).estimate("direct_effect").value for c in ("0.0", "1.0"))
    assert abs(early) < 1e-3 and late == pytest.approx(1.43, abs=0.06)


def test_a_perfect_backup_repairs_all_that_a_head_stops_writing(lab):
    result = head_ablation(lab("planted:repair"), HeadAblation(task="planted-repair", n=16, components=["1.0"]))
    assert result.estimate("harm").value == pytest.approx(0.0, abs=0.05)
    assert result.estimate("repaired").value == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("method", ["resample", "zero", "mean"])
def test_neurons_and_mlps_are_accounted_like_heads(lab, method):
    """The AND model's MLP writes the whole answer; its neurons share it out, one for each token."""
    task = {"task": "planted-and", "n": 16, "method": method}
    whole = head_ablation(lab("planted:and"), HeadAblation(**task, components=["m1"]))
    assert whole.estimate("direct_effect").value == pytest.approx(whole.estimate("harm").value, abs=1e-4)
    neurons = [f"m1.n{i}" for i in range(26)]
    shared = head_ablation(lab("planted:and"), HeadAblation(**task, components=neurons))
    np.testing.assert_allclose(shared.arrays["direct_per_prompt"].sum(0), whole.arrays["direct_per_prompt"], atol=1e-4)
    np.testing.assert_allclose(shared.arrays["direct_per_prompt"], shared.arrays["harm_per_prompt"], atol=1e-4)


def test_direct_attribution_adds_up(induction):
    result = direct_logit_attribution(induction, DirectLogitAttribution(**TASK))
    assert next(c for c in result.controls if c.name == "sum").passed
    assert result.arrays["dla"][1, 0] == pytest.approx(1.43, abs=0.06)


def test_controls_rank_a_component(induction):
    result = ablate(induction, components=["1.0"], n_controls=39, band=2)
    assert len(result.arrays["control_harm"]) == 11  # all the other heads there are
    assert result.estimate("rank_p").value == pytest.approx(1 / 12)
    assert "a1.h0" not in result.labels["controls"]


def test_named_controls_are_the_ones_measured(induction):
    result = ablate(induction, components=["1.0"], controls=["a1.h1", "0.0"])
    assert result.labels["controls"] == ["a1.h1", "a0.h0"]
    np.testing.assert_allclose(result.arrays["control_harm"], [0.0, 1.0], atol=0.06)


def test_controls_on_a_sweep_are_refused(induction):
    with pytest.raises(ExperimentError, match="one component or one joint set"):
        ablate(induction, n_controls=5)


@pytest.mark.parametrize(
    ("name", "message"),
    [("9.0", "layers 0 to 2"), ("1.7", "heads 0 to 3"), ("m1", "has no MLPs"), ("x", "not a component")],
)
def test_a_component_out_of_range_is_refused_with_the_range(induction, name, message):
    with pytest.raises(ExperimentError, match=message):
        ablate(induction, components=[name])


def test_an_empty_selection_is_refused(induction):
    with pytest.raises(ExperimentError, match="no component was named"):
        ablate(induction, components=[])


def test_the_result_is_the_same_again_and_names_its_call(induction):
    first, second = (ablate(induction, components=["1.0"]) for _ in range(2))
    assert first.result_id == second.result_id and first.call_hash == second.call_hash
    assert first.provenance.forward_passes > 0 and "suffix execution" in first.provenance.code_version


def test_the_previous_token_head_feeds_the_induction_heads_key(induction):
    sweep = paths(induction, receiver="a1.h0<k>")
    assert sweep.tables["paths"][0]["sender"] == "a0.h0"
    one = paths(induction, receiver="a1.h0<k>", senders=["0.0"], n_controls=3)
    assert one.estimate("effect").value == pytest.approx(0.43, abs=0.05)  # the backup takes over
    assert one.estimate("whole_input").value == pytest.approx(one.estimate("effect").value, abs=1e-3)
    assert one.estimate("total_effect").value == pytest.approx(1.0, abs=0.05)
    assert np.abs(one.arrays["control_effect"]).max() < 1e-3


def test_the_previous_token_head_does_not_feed_the_query(induction):
    assert paths(induction, receiver="a1.h0<q>", senders=["0.0"]).estimate("effect").value == pytest.approx(0, abs=1e-3)


def test_paths_report_how_attention_moves(induction):
    labels = behaviour(induction, Behaviour(**TASK)).labels
    assert labels["kept_templates"]
    result = paths(induction, receiver="a1.h0<k>", senders=["0.0"], attention=["END->ANSWER"])
    assert result.estimate("attention_change:END->ANSWER").value < -0.5


def test_noising_and_denoising_by_position_find_where_the_answer_is(induction):
    result = activation_patching(
        induction, ActivationPatching(**TASK, site="z", positions=["END"], direction="denoise")
    )
    assert result.arrays["effect"].shape == (3, 4, 1)
    assert result.arrays["effect"][1, 0, 0] == pytest.approx(1.43, abs=0.06)
    stream = ActivationPatching(**TASK, site="resid_post", layers=[2], positions=["END"], direction="noise")
    assert activation_patching(induction, stream).arrays["effect"].ravel() == pytest.approx([1.0], abs=1e-3)


def test_a_local_effect_is_told_from_its_neighbours(induction):
    result = patch(induction, components=["resid2@END"], neighbours=2)
    assert result.estimate("restore").value == pytest.approx(1.0, abs=0.05)
    assert result.estimate("localisation").value > 0.4
    assert len(result.labels["neighbours"]) == 2


def test_the_assay_passes_on_a_sound_instrument(induction):
    result = assay(induction, Assay(**TASK))
    assert {c.name for c in result.controls if c.passed is False} == set()


def test_the_assay_fails_when_the_engine_uses_the_wrong_head(induction, monkeypatch):
    """The mutation test of METHOD 6.3: a wrong head axis must not go unnoticed."""
    import tools.runner as runner

    right = runner.pick_index
    monkeypatch.setattr(runner, "pick_index", lambda whole, site, index: right(whole, site, (index + 1) % 4))
    monkeypatch.setattr("tools.experiments.assay.run_through_hooks", _true_hooks(right, runner))
    result = assay(
        induction, Assay(**TASK, exclude=["a0.h1", "a0.h2", "a0.h3", "a1.h1", "a1.h3", "a2.h1", "a2.h2", "a2.h3"])
    )
    assert next(c for c in result.controls if c.name == "hooks agree").passed is False


def _true_hooks(right, runner):
    """Plain hooks that are not touched by the mutation."""
    from tools.hook_engine import run_through_hooks

    def run(*args, **more):
        wrong, runner.pick_index = runner.pick_index, right
        try:
            return run_through_hooks(*args, **more)
        finally:
            runner.pick_index = wrong

    return run


def test_the_screen_nominates_the_circuit_first(induction):
    result = screen(induction, Screen(**TASK, top=3))
    assert result.labels["nominated"][0] == "a1.h0"
    assert result.estimate("delta1").value >= 0.05


@pytest.mark.parametrize("model", ["induction", "names"])
def test_discovery_finds_the_planted_circuit(lab, model):
    params = CircuitDiscovery(task=f"planted-{model}", n=16)
    result = circuit_discovery(lab(f"planted:{model}"), params)
    expected = {"induction": {"a0.h0", "a1.h0", "a1.h2"}, "names": {"a0.h0", "a1.h0", "a2.h0", "a2.h1"}}
    assert set(result.labels["circuit"]) == expected[model]
    assert result.estimate("faithfulness").value == pytest.approx(1.0, abs=0.02)


@pytest.mark.smollm2
def test_smollm2_heads_match_what_256_prompts_say(smollm2):
    """Harm of four heads against an independent measurement (n=256, seven templates), within three standard errors."""
    from tools.experiment import Lab

    kept = list(
        behaviour(Lab(smollm2), Behaviour(task="ioi", n=32)).labels["kept_templates"]
    )  # the eighth template is not one the model can do
    params = HeadAblation(task="ioi", n=32, templates=kept, components=["20.0", "17.4", "23.0", "5.1"])
    result = head_ablation(Lab(smollm2), params)
    for name, harm in {"a20.h0": 0.358, "a17.h4": 0.294, "a23.h0": 0.010, "a5.h1": -0.002}.items():
        found = result.estimate(f"harm:{name}")
        assert found.value == pytest.approx(harm, abs=0.10), name
        assert found.low is not None and found.high is not None
    direct = head_ablation(Lab(smollm2), params.model_copy(update={"components": ["23.0"]}))
    assert direct.estimate("direct_effect").value == pytest.approx(0.19, abs=0.07)
