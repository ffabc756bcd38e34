"""The traps of TransformerLens that give wrong numbers without a word, one regression test each.

Elsewhere: an unknown hook, a hook that did not fire, hooks left after an exception, names of aliases and token ids that
get a BOS (test_models.py); the final norm's weight in direct attribution (test_attribution.py); the Bridge's
`hook_resid_mid` (test_engine.py); components out of range and empty selections (experiments/test_causal.py).
"""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tools.component import Component, parse_component
from tools.decoder import run_layers
from tools.edges import write_out_groups
from tools.engine import Engine
from tools.errors import ExperimentError
from tools.experiment import Lab
from tools.experiments.activation_patching import ActivationPatching, activation_patching
from tools.experiments.head_ablation import HeadAblation, head_ablation
from tools.experiments.head_scores import HeadScores, head_scores
from tools.hook_engine import HookEngine
from tools.interventions import Intervention, Where, intervene
from tools.models import load_model
from tools.paths import path, read_receiver
from tools.result import Estimate
from tools.selftest import record, run_hooked
from tools.statistics import bootstrap


def test_transformerlens_itself_ignores_an_unknown_hook(tiny):
    """If this fails, TransformerLens has changed and our own check can go."""
    model = tiny("llama").bridge
    tokens = torch.arange(6)[None]
    _, cache = model.run_with_cache(tokens, names_filter="blocks.0.attn.hook_bogus")
    assert len(cache) == 0


def test_recording_an_unknown_hook_is_an_error_and_not_an_empty_cache(tiny):
    with pytest.raises(ValueError, match="no hook is called"):
        record(tiny("llama").bridge, torch.arange(6)[None], ["blocks.0.attn.hook_bogus"])


def test_an_intervention_on_a_missing_site_is_an_error_on_both_engines(lab):
    model = lab("planted:induction").model  # attention only: it has no MLPs
    prompts = model_prompts(model)
    variant = (Intervention(0, "mlp_out", None, "zero"),)
    with pytest.raises(ValueError, match="do not exist"):
        Engine(prompts=prompts, decoder=model.decoder).run([variant])
    with pytest.raises(ValueError, match="did not fire"):
        HookEngine(prompts=prompts, bridge=model.bridge).run([variant])


def model_prompts(model):
    from tools.task_spec import Draw
    from tools.tasks import find_task

    return find_task(model.spec.replace(":", "-")).draw(None, Draw(4))


def test_rows_of_several_lengths_are_never_padded_into_each_other(tiny, pairs):
    """PITFALLS 10: in a batch padded on the right, the last logit of a short row is that of its padding."""
    model, prompts = tiny("llama"), pairs(n=6, lengths=(5, 8, 9))
    variant = (intervene(Component("head", 1, 2), "corrupted", n_layers=3),)
    together = Engine(prompts=prompts, decoder=model.decoder).run([variant]).metric[0]
    alone = [Engine(prompts=prompts.subset([i]), decoder=model.decoder).run([variant]).metric[0, 0] for i in range(6)]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert all(group.clean.shape[1] == len(prompts.clean_tokens[group.rows[0]]) for group in prompts.groups())


@pytest.mark.parametrize("channel", ["k", "v"])
def test_a_path_into_one_heads_key_moves_that_head_only_in_grouped_query_models(tiny, pairs, channel):
    """PITFALLS 6: heads 2 and 3 share group 1; the path into head 3 must not reach head 2."""
    model, prompts = tiny("llama"), pairs()
    separate = write_out_groups(model.decoder)
    receiver, sender = read_receiver(f"a2.h3<{channel}>"), parse_component("a0.h1")
    grouped = Engine(prompts=prompts, decoder=model.decoder).run([(path(model.decoder, (sender,), receiver),)]).metric
    written = Engine(prompts=prompts, decoder=separate).run([(path(separate, (sender,), receiver),)]).metric
    np.testing.assert_allclose(grouped, written, atol=1e-5)
    group = (Intervention(2, channel, 1, "corrupted"),)
    whole = Engine(prompts=prompts, decoder=model.decoder).run([group]).metric
    assert np.abs(whole - grouped).max() > 1e-3


def test_keys_are_labelled_as_heads_where_each_has_its_own(lab):
    own = activation_patching(lab("planted:induction"), ActivationPatching(task="planted-induction", n=4, site="k"))
    assert own.labels["items"] == ["h0", "h1", "h2", "h3"]


def test_written_out_groups_give_the_same_logits(tiny):
    decoder, tokens = tiny("llama").decoder, torch.arange(12).view(2, 6)
    both = [
        one.logits(run_layers(one, one.embed(tokens), torch.arange(6), layers=range(3)))
        for one in (decoder, write_out_groups(decoder))
    ]
    torch.testing.assert_close(*both)


def broken(lab, value):
    """The planted model with one number of its unembedding replaced."""
    model = lab("planted:induction").model
    w_u = model.decoder.w_u.clone()
    w_u[3, :] = value
    return Lab(replace(model, decoder=replace(model.decoder, w_u=w_u), cache={}))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_not_finite_ends_the_experiment(lab, value):
    with pytest.raises(ExperimentError, match="not finite"):
        head_ablation(broken(lab, value), HeadAblation(task="planted-induction", n=16))


def test_a_result_with_a_number_that_is_not_finite_is_refused(lab):
    result = head_ablation(lab("planted:induction"), HeadAblation(task="planted-induction", n=8, components=["1.0"]))
    bad = result.model_copy(update={"estimates": [Estimate(name="harm", value=1.0, low=-math.inf, high=2.0)]})
    with pytest.raises(ExperimentError, match="non-finite harm"):
        bad.check_finite()
    with pytest.raises(ExperimentError, match="non-finite values in 'harm'"):
        result.model_copy(update={"arrays": {"harm": np.array([np.nan])}}).check_finite()


def test_intervals_of_numbers_that_are_not_finite_are_refused():
    with pytest.raises(ExperimentError, match="not finite"):
        bootstrap(np.array([[1.0, np.nan]]), ["a", "a"])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"site": "z", "layers": []}, "layers 0 to 2"),
        ({"site": "z", "layers": [3]}, r"layers \[3\] do not exist: this model has layers 0 to 2"),
        ({"site": "neurons", "layers": [0]}, "has no MLPs"),
        ({"site": "z", "positions": ["S9"]}, "no position 'S9'"),
    ],
)
def test_selections_that_are_empty_or_out_of_range_name_the_valid_ones(lab, params, message):
    with pytest.raises(ExperimentError, match=message):
        activation_patching(lab("planted:induction"), ActivationPatching(task="planted-induction", n=4, **params))


def test_neurons_out_of_range_name_the_valid_ones(lab):
    with pytest.raises(ExperimentError, match="neurons 0 to 25"):
        head_ablation(lab("planted:or"), HeadAblation(task="planted-or", n=4, components=["m1.n26"]))


@pytest.fixture
def saved(tiny, tmp_path):
    """Load the small Llama again in another number format."""

    def load(dtype):
        return load_model(tiny("llama").spec, models_dir=tmp_path, dtype=dtype)

    return load


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-4), ("bfloat16", 0.6)])
def test_a_model_in_another_number_format_gives_the_same_numbers_to_its_precision(saved, tiny, pairs, dtype, tolerance):
    model, prompts = saved(dtype), pairs()
    assert model.dtype == dtype and model.decoder.w_u.dtype == getattr(torch, dtype)
    variants = [(intervene(Component("head", 1, h), "corrupted", n_layers=3),) for h in range(4)]
    exact = Engine(prompts=prompts, decoder=tiny("llama").decoder).run(variants).metric
    found = Engine(prompts=prompts, decoder=model.decoder).run(variants).metric
    np.testing.assert_allclose(found, exact, atol=tolerance)


def test_how_a_run_could_be_repeated_is_recorded(lab):
    result = head_ablation(lab("planted:induction"), HeadAblation(task="planted-induction", n=4, components=["1.0"]))
    made = result.provenance
    assert made.device == "cpu" and made.model_dtype == "float32" and made.threads
    assert set(made.determinism) == {"deterministic_algorithms", "cudnn_deterministic", "cudnn_benchmark", "tf32"}


@pytest.mark.parametrize("family", ["llama", "gpt2"])
@pytest.mark.parametrize(("site", "index"), [("pattern", 1), ("q", 2), ("k", 1), ("v", 0), ("neurons", 7), ("z", 3)])
def test_every_part_of_a_head_can_be_patched_at_one_position(tiny, pairs, family, site, index):
    """Against a hook written out here: one position of one head (group, neuron) takes its corrupted value."""
    model, prompts = tiny(family), pairs()
    ours = Engine(prompts=prompts, decoder=model.decoder).run(
        [(Intervention(1, site, index, "corrupted", Where("MID")),)]
    )
    name = {"neurons": "blocks.1.mlp.hook_post"}.get(site, f"blocks.1.attn.hook_{site}")
    plain = np.zeros(len(prompts))
    for group in prompts.groups():
        other = record(model.bridge, torch.tensor(group.corrupted), [name])[name]

        def put(value, hook, other=other, group=group):
            value = value.clone()
            for row, at in enumerate(group.positions["MID"]):
                place = (row, index, at) if site == "pattern" else (row, at, index)
                value[place] = other[place]
            return value

        logits = run_hooked(model.bridge, torch.tensor(group.clean), [(name, put)])
        plain[group.rows] = group.readouts.of_logits(logits.numpy(), len(group.rows))
    np.testing.assert_allclose(ours.metric[0], plain, atol=1e-4)
    assert np.abs(plain - Engine(prompts=prompts, decoder=model.decoder).baseline("clean").metric).max() > 1e-5


def test_head_scores_need_two_periods(lab):
    with pytest.raises(ExperimentError, match="two"):
        head_scores(lab("planted:induction"), HeadScores(periods=[6]))
