"""Planted models do what their truth says: checked by intervening with plain TransformerLens hooks."""

import time

import numpy as np
import pytest
import torch

from tools.component import parse_component
from tools.errors import ExperimentError
from tools.gate import check_gate
from tools.models import build_hooked
from tools.planted import build_planted, planted_models
from tools.task_spec import Draw

NAMES = ["induction", "names", "or", "and", "repair", "decoys", "offset", "pathway"]


def _outputs(name):
    return name.endswith(("hook_z", "hook_mlp_out"))


class Bench:
    """A planted model with 48 prompts and the naive interventions on them."""

    def __init__(self, name):
        self.planted = build_planted(name)
        self.model = build_hooked(self.planted.config, self.planted.state)
        self.prompts = self.planted.task.draw(None, Draw(48))
        self.batches = [self._batch(group) for group in self.prompts.groups()]
        self.clean, self.corrupted = self.measure([], "clean"), self.measure([], "corrupted")
        self.gap = self.clean.mean() - self.corrupted.mean()

    def _batch(self, group):
        tokens = {"clean": torch.tensor(group.clean), "corrupted": torch.tensor(group.corrupted)}
        caches = {side: self.model.run_with_cache(ids, names_filter=_outputs)[1] for side, ids in tokens.items()}
        return group, tokens, caches

    def measure(self, components, base, source="zero"):
        """Per-prompt metric with these components' outputs at zero or from the other prompt (`swap`)."""
        metric = np.zeros(len(self.prompts))
        for group, tokens, caches in self.batches:
            ids = tokens[base]
            cache = caches["corrupted" if base == "clean" else "clean"]
            hooks = [self._hook(parse_component(name), cache, source) for name in components]
            logits = self.model.run_with_hooks(ids, fwd_hooks=hooks).detach().numpy()
            metric[group.rows] = group.readouts.of_logits(logits, len(group.rows))
        return metric

    def _hook(self, component, cache, source):
        layer = component.layer
        name = f"blocks.{layer}.attn.hook_z" if component.kind == "head" else f"blocks.{layer}.hook_mlp_out"
        replacement = torch.zeros_like(cache[name]) if source == "zero" else cache[name]

        def replace(value, hook):
            if component.kind != "head":
                return replacement
            value = value.clone()
            value[:, :, component.index] = replacement[:, :, component.index]
            return value

        return name, replace

    def harm(self, *components, source="zero"):
        return (self.clean.mean() - self.measure(components, "clean", source).mean()) / self.gap

    def restore(self, *components):
        return (self.measure(components, "corrupted", "swap").mean() - self.corrupted.mean()) / self.gap


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Models this small are slower on several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=NAMES)
def bench(request):
    return Bench(request.param)


def test_the_list_is_complete():
    assert planted_models() == NAMES


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ExperimentError, match="induction"):
        build_planted("inductoin")


def test_each_model_builds_in_well_under_a_second():
    build_planted("induction")
    start = time.perf_counter()
    build_planted("names")
    assert time.perf_counter() - start < 0.5


def test_each_model_passes_its_gate(bench):
    report = check_gate(bench.planted.task.info.gate, bench.prompts.template, bench.clean, bench.corrupted)
    assert report.passed and report.accuracy == 1.0 and abs(report.corrupted) < 0.25


def test_each_component_has_the_effect_its_construction_implies(bench):
    for name, effect in bench.planted.truth.effects.items():
        measured = (bench.harm(name, source="swap"), bench.harm(name), bench.restore(name))
        expected = (effect.resample, effect.zero, effect.restore)
        assert measured == pytest.approx(expected, abs=0.06), name


def test_zeroing_all_irrelevant_components_changes_no_prompt(bench):
    assert bench.measure(bench.planted.truth.irrelevant, "clean") == pytest.approx(bench.clean, abs=1e-3)


def test_sets_removed_together_have_their_joint_effect(bench):
    for names, harm in bench.planted.truth.joint.items():
        assert bench.harm(*names) == pytest.approx(harm, abs=0.06), names


def test_resampling_all_irrelevant_components_changes_no_prompt(bench):
    kept = bench.measure(bench.planted.truth.irrelevant, "clean", "swap")
    assert kept == pytest.approx(bench.clean, abs=1e-3)


def test_circuit_and_irrelevant_cover_the_model(bench):
    truth, cfg = bench.planted.truth, bench.planted.config
    parts = {f"a{layer}.h{head}" for layer in range(cfg["n_layers"]) for head in range(cfg["n_heads"])}
    if not cfg["attn_only"]:
        parts |= {f"m{layer}" for layer in range(cfg["n_layers"])}
    assert set(truth.circuit) | set(truth.irrelevant) == parts and not set(truth.circuit) & set(truth.irrelevant)


def test_busy_heads_vary_with_the_input_yet_reach_nothing():
    bench = Bench("induction")
    group = next(bench.prompts.groups())
    _, cache = bench.model.run_with_cache(torch.tensor(group.clean))
    assert cache["blocks.0.attn.hook_z"][:, -1, 3].std(dim=0).mean() > 0.05


def test_the_incomplete_circuit_of_p1_is_over_faithful():
    bench = Bench("induction")
    others = [*bench.planted.truth.irrelevant, "a1.h2", "a2.h0"]
    faithfulness = (bench.measure(others, "clean", "swap").mean() - bench.corrupted.mean()) / bench.gap
    assert faithfulness == pytest.approx(1.43, abs=0.05)


def test_p1_patterns_are_those_of_the_table():
    bench = Bench("induction")
    group = next(bench.prompts.groups())
    _, cache = bench.model.run_with_cache(torch.tensor(group.clean))
    rows = np.arange(len(group.rows))
    end, first, answer = (group.positions[label] for label in ("END", "FIRST", "ANSWER"))
    pattern = [cache[f"blocks.{layer}.attn.hook_pattern"].numpy() for layer in range(3)]
    previous = [pattern[0][rows, head, end, end - 1].mean() for head in (0, 1)]
    duplicate = pattern[0][rows, 2, end, first].mean()
    induction = [pattern[1][rows, head, end, answer].mean() for head in (0, 1, 2)]
    assert previous == pytest.approx([1, 1], abs=0.01) and induction == pytest.approx([1, 1, 1], abs=0.01)
    assert duplicate == pytest.approx(0.5, abs=0.01)
    assert pattern[2][rows, 0, end, answer].mean() < 0.01


def test_explore_and_confirm_share_no_prompt():
    for name in ("induction", "names"):
        task = build_planted(name).task
        texts = {}
        for split in ("explore", "confirm"):
            drawn = [task.draw(None, Draw(120, split, seed)) for seed in range(3)]
            texts[split] = {t.tobytes() for p in drawn for t in (*p.clean_tokens, *p.corrupted_tokens)}
        assert not texts["explore"] & texts["confirm"]
