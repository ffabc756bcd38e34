"""The engine gives what TransformerLens hooks give, whatever is patched, batched or entered late."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.component import Component, parse_component
from tools.engine import Engine
from tools.errors import ExperimentError
from tools.hook_engine import HookEngine, run_through_hooks
from tools.interventions import Intervention, Where, intervene
from tools.means import MeanBank
from tools.selftest import run_hooked

FAMILIES = ("llama", "qwen3", "gpt2", "neox")


def engine_of(model, prompts, **more):
    return Engine(prompts=prompts, decoder=model.decoder, **more)


def heads(model, layer, source="corrupted", where=None):
    found = [Component("head", layer, h) for h in range(model.n_heads)]
    return [(intervene(c, source, where=where, n_layers=model.n_layers),) for c in found]


def assert_same(model, prompts, variants, base="clean"):
    ours = engine_of(model, prompts).run(variants, base=base).metric
    plain = run_through_hooks(model.bridge, prompts, variants, base=base).metric
    np.testing.assert_allclose(ours, plain, atol=1e-4)
    return ours


@pytest.mark.parametrize("family", FAMILIES)
def test_head_patches_equal_transformerlens_hooks(tiny, pairs, family):
    model, prompts = tiny(family), pairs()
    variants = [v for layer in range(3) for v in heads(model, layer)]
    ours = assert_same(model, prompts, variants)
    assert np.abs(ours - engine_of(model, prompts).baseline("clean").metric).max() > 0.1  # they bite


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("site", ["resid_pre", "attn_out", "mlp_out", "neurons", "resid_post", "q", "pattern"])
def test_every_site_equals_transformerlens_hooks(tiny, pairs, family, site):
    model, prompts = tiny(family), pairs()
    index = {"neurons": 5, "q": 2, "pattern": 1}.get(site)
    where = None if site == "pattern" else Where("MID")
    variants = [(Intervention(layer, site, index, "corrupted", where),) for layer in range(3)]
    assert_same(model, prompts, variants)


@pytest.mark.parametrize("site", ["k", "v"])
def test_keys_and_values_are_patched_per_group_in_grouped_query_models(tiny, pairs, site):
    model, prompts = tiny("llama"), pairs()
    assert model.n_kv_heads == 2
    assert_same(model, prompts, [(Intervention(1, site, group, "corrupted"),) for group in range(2)])


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_resid_mid_equals_transformerlens_hooks(tiny, pairs, family):
    assert_same(tiny(family), pairs(), [(Intervention(1, "resid_mid", None, "corrupted", Where("END")),)])


@pytest.mark.parametrize("family", FAMILIES)
def test_joint_patches_over_layers_equal_transformerlens_hooks(tiny, pairs, family):
    model = tiny(family)
    names = ["a0.h1", "a1.h2@MID", "m1", "a2.h0", "m2"]
    variant = tuple(intervene(parse_component(n), "corrupted", n_layers=3) for n in names)
    assert_same(model, pairs(), [variant, variant[1:], variant[3:]])


def test_the_bridge_hook_resid_mid_is_not_the_stream(tiny):
    """If this fails, TransformerLens has changed and the detour in tools/hook_engine.py can go."""
    seen = {}

    def keep(value, hook):
        seen[hook.name] = value

    hooks = [("blocks.2.hook_resid_mid", lambda value, hook: torch.zeros_like(value))]
    hooks += [("blocks.2.hook_mlp_out", keep), ("blocks.2.hook_resid_post", keep)]
    run_hooked(tiny("llama").bridge, torch.arange(7)[None], hooks)
    mlp_out, resid_post = seen.values()
    assert (resid_post - mlp_out).abs().max() > 0.1


def test_patching_into_the_corrupted_run_equals_hooks(tiny, pairs):
    assert_same(tiny("llama"), pairs(), heads(tiny("llama"), 1, "clean"), base="corrupted")


def test_freezing_a_later_head_at_its_clean_value_still_matters(tiny, pairs):
    model, prompts = tiny("llama"), pairs()
    upstream = Intervention(0, "z", 1, "corrupted")
    frozen = (upstream, Intervention(1, "z", None, "clean"), Intervention(2, "z", None, "clean"))
    ours = assert_same(model, prompts, [(upstream,), frozen])
    assert np.abs(ours[0] - ours[1]).max() > 1e-2


def test_zero_and_position_patches_equal_hooks(tiny, pairs):
    model = tiny("gpt2")
    assert_same(model, pairs(), heads(model, 1, "zero") + heads(model, 1, "zero", Where("MID", offset=1)))


def test_mean_patches_equal_hooks(tiny, pairs):
    model, prompts, many = tiny("llama"), pairs(), pairs(n=40, seed=1)
    engine = engine_of(model, prompts)
    engine.means = MeanBank(engine.record, many)
    hooks = HookEngine(prompts=prompts, bridge=model.bridge)
    hooks.means = MeanBank(hooks.record, many)
    variants = heads(model, 1, "mean")
    np.testing.assert_allclose(engine.run(variants).metric, hooks.run(variants).metric, atol=1e-4)


def test_distributions_equal_hooks(tiny, pairs):
    model, prompts = tiny("llama"), pairs()
    ours = engine_of(model, prompts).run(heads(model, 1), distributions=True)
    plain = HookEngine(prompts=prompts, bridge=model.bridge).run(heads(model, 1), distributions=True)
    for name in ("kl", "p_answer", "top1", "agree"):
        np.testing.assert_allclose(getattr(ours, name), getattr(plain, name), atol=1e-4)
    assert ours.kl is not None and ours.kl.max() > 1e-3


def test_a_family_without_a_reader_runs_through_hooks(tiny):
    model = tiny("opt")
    assert model.decoder is None
    check = next(c for c in model.selftest.checks if "engine" in c.name)
    assert "hooks" in check.observed


def test_patching_clean_into_clean_changes_nothing_and_costs_nothing(tiny, pairs):
    engine = engine_of(tiny("llama"), pairs())
    clean = engine.baseline("clean").metric
    before = engine.forward_passes
    same = engine.run(heads(tiny("llama"), 1, "clean")).metric
    assert (same == clean).all() and engine.forward_passes == before


def test_a_forced_no_op_is_run_and_changes_nothing(tiny, pairs):
    engine = engine_of(tiny("llama"), pairs())
    clean = engine.baseline("clean").metric
    before = engine.forward_passes
    forced = engine.run(heads(tiny("llama"), 1, "clean"), run_noops=True).metric
    assert engine.forward_passes > before
    np.testing.assert_allclose(forced, np.broadcast_to(clean, forced.shape), atol=1e-4)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(list(range(12))), budget=st.sampled_from([64, 4_000, 2_000_000_000]))
def test_batch_sizes_and_orders_change_nothing(tiny, pairs, order, budget):
    model, prompts = tiny("llama"), pairs()
    variants = [v for layer in range(3) for v in heads(model, layer)]
    plain = engine_of(model, prompts).run(variants).metric
    shuffled = engine_of(model, prompts, memory_budget=budget).run([variants[i] for i in order]).metric
    np.testing.assert_allclose(shuffled, plain[order], atol=2e-5)


def test_shared_prefixes_are_not_recomputed(tiny, pairs, monkeypatch):
    import tools.engine_batch as batch

    widths = []
    run = batch.run_layers

    def spy(decoder, x, positions, **more):
        widths.append(int(positions[0]))
        return run(decoder, x, positions, **more)

    monkeypatch.setattr(batch, "run_layers", spy)
    engine_of(tiny("llama"), pairs()).run(heads(tiny("llama"), 1))
    assert set(widths) == {2}


def test_an_unknown_position_label_is_refused(tiny, pairs):
    with pytest.raises(ExperimentError, match=r"no position 'IO'.*END, MID"):
        engine_of(tiny("llama"), pairs()).run(heads(tiny("llama"), 1, where=Where("IO")))


def test_cancelling_stops_between_batches(tiny, pairs):
    from tools.errors import CancelledError

    def stop(done, text):
        raise CancelledError("stopped on request")

    with pytest.raises(CancelledError):
        engine_of(tiny("llama"), pairs(), step=stop).run(heads(tiny("llama"), 1))
