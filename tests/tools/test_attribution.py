"""Direct attribution adds up exactly, with the final norm's own weight, on every family."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tools.attribution import attribute, direct_losses, pull_back
from tools.component import parse_component
from tools.decoder import Norm
from tools.engine import Engine
from tools.errors import ExperimentError
from tools.interventions import Intervention, intervene
from tools.means import MeanBank


@pytest.mark.parametrize("family", ["llama", "gpt2", "neox"])
def test_the_parts_add_up_to_the_metric(tiny, pairs, family):
    engine = Engine(prompts=pairs(), decoder=tiny(family).decoder)
    parts = attribute(engine, "clean")
    np.testing.assert_allclose(parts.total(), engine.baseline("clean").metric[0], atol=2e-5)


def test_leaving_out_the_norms_weight_would_not_add_up(tiny, pairs):
    """PITFALLS 8: stock attribution on a raw Bridge ignores the final norm's weight."""
    decoder = tiny("llama").decoder
    engine = Engine(prompts=pairs(), decoder=decoder)
    metric = engine.baseline("clean").metric[0]
    bare = replace(decoder, final_norm=replace(decoder.final_norm, weight=None))
    wrong = attribute(Engine(prompts=pairs(), decoder=bare), "clean").total()
    assert np.abs(wrong - metric).max() > 0.05


@pytest.mark.parametrize("kind", ["rms", "layer", "none"])
def test_pulling_a_direction_back_equals_the_frozen_norm(kind):
    torch.manual_seed(0)
    norm = Norm(kind, torch.randn(6), torch.zeros(6) if kind == "layer" else None)
    reference, part, direction = torch.randn(4, 6), torch.randn(4, 6), torch.randn(4, 6)
    forward = (norm.frozen(part, reference) * direction).sum(-1)
    backward = (part * pull_back(norm, direction, reference)).sum(-1)
    torch.testing.assert_close(forward, backward)


def test_a_frozen_norm_at_its_own_input_is_the_norm():
    x = torch.randn(3, 6)
    norm = Norm("layer", torch.randn(6), torch.randn(6))
    torch.testing.assert_close(norm.frozen(x, x) + norm.bias, norm(x))


@pytest.mark.parametrize("source", ["corrupted", "zero", "mean"])
@pytest.mark.parametrize("name", ["a2.h1", "m2", "m2.n5", "a2", "a2.h1@END"])
def test_what_the_last_layer_stops_writing_is_its_whole_effect_when_the_norm_is_frozen(tiny, pairs, source, name):
    """In the last layer nothing repairs; with a norm that does not rescale, direct and total are the same."""
    model, prompts = tiny("gpt2"), pairs()
    bare = replace(model.decoder, final_norm=Norm("none"))
    engine = Engine(prompts=prompts, decoder=bare)
    engine.means = MeanBank(engine.record, pairs(n=40, seed=1))
    variant = (intervene(parse_component(name), source, n_layers=3),)
    total = engine.baseline("clean").metric - engine.run([variant]).metric
    if name == "a2" or name.startswith("a2.h"):  # the last MLP reads what attention writes: hold it
        variant = (*variant, Intervention(2, "mlp_out", None, "clean"))
        total = engine.baseline("clean").metric - engine.run([variant]).metric
        variant = variant[:1]
    np.testing.assert_allclose(direct_losses(engine, [variant]), total, atol=1e-4)
    assert np.abs(total).max() > 1e-4


def test_direct_losses_equal_the_split_of_the_metric(tiny, pairs):
    engine = Engine(prompts=pairs(), decoder=tiny("llama").decoder)
    clean, other = attribute(engine, "clean"), attribute(engine, "corrupted", frozen_at="clean")
    found = direct_losses(engine, [(intervene(parse_component(n), "corrupted", n_layers=3),) for n in ("a1.h2", "m0")])
    np.testing.assert_allclose(found[0], clean.heads[1, 2] - other.heads[1, 2], atol=1e-5)
    np.testing.assert_allclose(found[1], clean.mlps[0] - other.mlps[0], atol=1e-5)


def test_a_stream_writes_nothing_of_its_own(tiny, pairs):
    engine = Engine(prompts=pairs(), decoder=tiny("llama").decoder)
    with pytest.raises(ExperimentError, match="no direct effect"):
        direct_losses(engine, [(Intervention(1, "resid_pre", None, "corrupted"),)])
