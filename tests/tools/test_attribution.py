"""Direct attribution adds up exactly, with the final norm's own weight, on every family."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tools.attribution import attribute, pull_back
from tools.decoder import Norm
from tools.engine import Engine


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
