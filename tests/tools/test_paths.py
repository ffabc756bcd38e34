"""Path patching equals TransformerLens with split inputs: the sender's change added to one input, nothing else."""

import numpy as np
import pytest
import torch

from tools.component import parse_component
from tools.engine import Engine
from tools.errors import ExperimentError
from tools.interventions import Intervention, Where
from tools.paths import path, read_receiver, whole_input
from tools.selftest import record, run_hooked


def naive(model, prompts, sender, hook, add):
    """Per-row metric with the sender's corrupted-minus-clean write added at `hook` by `add(value, change)`."""
    metric = np.zeros(len(prompts))
    for group in prompts.groups():
        clean, corrupted = torch.as_tensor(group.clean), torch.as_tensor(group.corrupted)
        part = parse_component(sender)
        if part.kind == "head":
            name = f"blocks.{part.layer}.attn.hook_z"
            z = [record(model.bridge, t, [name])[name][:, :, part.index] for t in (corrupted, clean)]
            change = (z[0] - z[1]) @ model.bridge.blocks[part.layer].attn.W_O[part.index]
        else:
            name = f"blocks.{part.layer}.hook_mlp_out"
            out = [record(model.bridge, t, [name])[name] for t in (corrupted, clean)]
            change = out[0] - out[1]
        logits = run_hooked(model.bridge, clean, [(hook, lambda value, hook, c=change: add(value.clone(), c))])
        metric[group.rows] = group.readouts.of_logits(logits.numpy(), len(group.rows))
    return metric


def ours(model, prompts, sender, receiver, **more):
    engine = Engine(prompts=prompts, decoder=model.decoder)
    one = path(model.decoder, (parse_component(sender),), read_receiver(receiver), **more)
    metric = engine.run([(one,)]).metric[0]
    return metric, np.abs(metric - engine.baseline("clean").metric[0]).max()


@pytest.mark.parametrize(
    ("family", "sender", "channel"),
    [
        ("gpt2", "a0.h1", "q"),
        ("gpt2", "a0.h1", "k"),
        ("gpt2", "m0", "v"),
        ("llama", "a0.h1", "q"),
        ("neox", "a1.h0", "q"),
    ],
)
def test_a_path_into_one_channel_equals_split_inputs(tiny, pairs, family, sender, channel):
    model, prompts = tiny(family), pairs()

    def add(value, change):
        value[:, :, 3] += change
        return value

    model.bridge.set_use_split_qkv_input(True)
    try:
        plain = naive(model, prompts, sender, f"blocks.2.attn.hook_{channel}_input", add)
    finally:
        model.bridge.set_use_split_qkv_input(False)
    metric, moved = ours(model, prompts, sender, f"a2.h3<{channel}>")
    assert moved > 1e-3
    np.testing.assert_allclose(metric, plain, atol=1e-4)


def test_a_path_into_an_mlp_equals_its_input_hook(tiny, pairs):
    model, prompts = tiny("llama"), pairs()
    model.bridge.set_use_hook_mlp_in(True)
    try:
        plain = naive(model, prompts, "a1.h2", "blocks.1.hook_mlp_in", lambda value, change: value + change)
    finally:
        model.bridge.set_use_hook_mlp_in(False)
    metric, moved = ours(model, prompts, "a1.h2", "m1")
    assert moved > 1e-3
    np.testing.assert_allclose(metric, plain, atol=1e-4)


def test_a_path_to_the_logits_equals_adding_to_the_final_stream(tiny, pairs):
    model, prompts = tiny("gpt2"), pairs()
    plain = naive(model, prompts, "a0.h2", "ln_final.hook_in", lambda value, change: value + change)
    metric, moved = ours(model, prompts, "a0.h2", "logits")
    assert moved > 1e-3
    np.testing.assert_allclose(metric, plain, atol=1e-4)


def test_all_senders_together_into_all_channels_are_the_whole_input(tiny, pairs):
    """On the last layer: input, every head and every MLP before it add up to the corrupted stream."""
    model, prompts = tiny("llama"), pairs()
    receiver = read_receiver("a1.h0")
    names = ["input", "a0", "m0"]
    joint = path(model.decoder, tuple(parse_component(n) for n in names), receiver)
    engine = Engine(prompts=prompts, decoder=model.decoder)
    both = engine.run([(joint,), (whole_input(model.decoder, receiver),)]).metric
    np.testing.assert_allclose(both[0], both[1], atol=1e-4)
    patched = engine.run([(Intervention(1, "z", 0, "corrupted"),)]).metric
    np.testing.assert_allclose(both[1], patched[0], atol=1e-4)


def test_a_position_restricts_the_path(tiny, pairs):
    whole, _ = ours(tiny("llama"), pairs(), "a0.h1", "a2.h3<q>")
    end, _ = ours(tiny("llama"), pairs(), "a0.h1", "a2.h3<q>", where=Where("END"))
    middle, moved = ours(tiny("llama"), pairs(), "a0.h1", "a2.h3<q>", where=Where("MID"))
    assert np.abs(whole - end).max() < 1e-4  # layer 2 is the last: only END's query is read
    assert moved < 1e-6 and np.abs(whole - middle).max() > 1e-3


@pytest.mark.parametrize("sender", ["a2.h0", "m2", "a3.h0"])
def test_a_sender_that_does_not_come_first_is_refused(tiny, sender):
    with pytest.raises(ExperimentError, match=r"does not write before a2\.h3<q> reads"):
        path(tiny("llama").decoder, (parse_component(sender),), read_receiver("a2.h3<q>"))


def test_a_residual_site_cannot_receive():
    with pytest.raises(ExperimentError, match="cannot receive a path"):
        read_receiver("resid5")
