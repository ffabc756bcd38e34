"""Directions on the planted model whose one direction is known, and whose dormant pathway fools a careless search."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tools.component import parse_component
from tools.errors import ExperimentError
from tools.experiments.direction_patching import DirectionPatching, direction_patching
from tools.experiments.interchange import Interchange, interchange
from tools.interventions import intervene
from tools.selftest import record, run_hooked
from tools.subspaces import read_part, readers
from tools.task_spec import Draw
from tools.tasks import find_task

TASK = {"task": "planted-pathway", "n": 24}


@pytest.fixture
def pathway(lab):
    return lab("planted:pathway")


def search(lab, component, **more):
    return direction_patching(
        lab, DirectionPatching(**{**TASK, "component": component, "position": "END", "n_train": 32, **more})
    )


def passed(result, name):
    return next(c for c in result.controls if c.name == name).passed


def test_the_planted_direction_is_found_and_trusted(pathway):
    result = search(pathway, "a0.h0")
    assert result.estimate("restore").low > 0.95 and result.estimate("iia").value == 1.0
    assert abs(result.arrays["directions"][0, 0]) > 0.97  # the head's one number
    assert passed(result, "dormant pathway") and result.estimate("restore_read").value > 0.95
    assert result.estimate("over_permuted").low > 0.8 and result.estimate("rank_p").value == pytest.approx(1 / 40)


def test_a_direction_through_the_dormant_pathway_is_flagged(pathway):
    result = search(pathway, "a0.h1")
    assert result.estimate("restore").value > 0.9  # the illusion is as strong as the truth
    assert result.estimate("restore_whole").value == pytest.approx(0, abs=1e-4)
    assert result.estimate("restore_read").value == pytest.approx(0, abs=1e-3)
    assert passed(result, "dormant pathway") is False and "an illusion" in result.summary


def test_plain_hooks_give_the_same_restore_for_the_directions_found(pathway):
    result = search(pathway, "a0.h0", n=6)
    basis = torch.tensor(result.arrays["directions"])
    prompts = find_task("planted-pathway").draw(None, Draw(6))
    metric = np.zeros(6)
    for group in prompts.groups():
        clean, corrupted = torch.tensor(group.clean), torch.tensor(group.corrupted)
        hook = "blocks.0.attn.hook_z"
        source = record(pathway.model.bridge, clean, [hook])[hook][:, -1, 0]

        def swap(value, hook, source=source):
            value = value.clone()
            value[:, -1, 0] += (source - value[:, -1, 0]) @ basis @ basis.T
            return value

        logits = run_hooked(pathway.model.bridge, corrupted, [(hook, swap)])
        metric[group.rows] = group.readouts.of_logits(logits.numpy(), len(group.rows))
    gap = result.estimate("gap").value
    restored = (metric - 0.0) / gap  # nothing in a corrupted prompt writes to the answers
    np.testing.assert_allclose(restored, result.arrays["restore_per_prompt"], atol=1e-4)


def test_what_no_weight_reads_is_the_null_space(pathway):
    decoder = pathway.model.decoder
    one = intervene(parse_component("a0.h1"), "clean", n_layers=2)
    gram = readers(decoder, one)
    basis = torch.zeros(gram.shape[0], 1)
    basis[0, 0], basis[1, 0] = 0.6, 0.8  # corr (read by nobody), dorm (read by a1.h0)
    split = read_part(basis, gram)
    assert split.unread == pytest.approx(0.36, abs=1e-6)
    assert split.read is not None and abs(float(split.read[1, 0])) == pytest.approx(1.0)


def test_unread_neurons_are_told_apart_in_a_real_architecture(tiny):
    """A gated MLP wider than the stream: directions in its output matrix's null space move nothing."""
    decoder = tiny("llama").decoder
    one = intervene(parse_component("m1"), "clean", n_layers=3)
    one = type(one)(1, "neurons", None, "clean", None)
    basis = torch.linalg.qr(torch.randn(48, 1, generator=torch.Generator().manual_seed(0))).Q
    split = read_part(basis, readers(decoder, one))
    assert 0.1 < split.unread < 0.6 and split.null is not None
    assert float((decoder.blocks[1].mlp.w_out @ split.null).abs().max()) < 1e-4


def test_another_prompts_answer_travels_through_the_head_that_brings_it(pathway):
    result = interchange(pathway, Interchange(**TASK, source="other", components=["a0.h0", "a0.h1", "a1.h0"]))
    assert result.arrays["iia"] == pytest.approx([1, 0, 1]) and result.arrays["restore"] == pytest.approx([1, 0, 1])


def test_a_direction_swaps_two_ordinary_prompts(pathway):
    result = search(pathway, "resid1@END", position=None, source="other", n_permuted=0)
    assert result.estimate("iia").value == 1.0 and result.estimate("restore").value > 0.95


def test_the_stream_carries_the_answer_from_the_layer_that_brings_it(pathway):
    result = interchange(pathway, Interchange(**TASK))
    assert result.labels["components"] == ["resid0", "resid1", "resid2"]
    assert result.arrays["iia"] == pytest.approx([0, 1, 1])
    assert result.controls[0].observed < 0.5


def test_a_swap_ranks_among_matched_components(pathway):
    result = interchange(pathway, Interchange(**TASK, components=["a0.h0"], n_controls=39))
    assert result.estimate("rank_p").value == pytest.approx(2 / 4) and len(result.labels["controls"]) == 3


def test_training_shares_no_prompt_with_the_test(pathway, monkeypatch):
    import tools.experiments.direction_patching as module

    seen = []
    original = module._search

    def spy(plain, m, params, one):
        found = original(plain, m, params, one)
        seen.append((set(m.prompts.row_hashes), set(found.engine.prompts.row_hashes)))
        return found

    monkeypatch.setattr(module, "_search", spy)
    search(pathway, "a0.h0", steps=1, n_permuted=0)
    tested, trained = seen[0]
    assert len(tested) == 24 and len(trained) >= 16 and not tested & trained


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"component": "a9.h0"}, "layers 0 to 1"),
        ({"component": "a0.h0", "dimensions": 64}, "ask for 1 to"),
        ({"component": "a0.h0", "inside": "neurons"}, "has no neurons"),
        ({"component": "a0.h0", "position": "S2"}, "no position 'S2'"),
    ],
)
def test_wrong_requests_are_explained(pathway, params, message):
    with pytest.raises(ExperimentError, match=message):
        search(pathway, **params)


def test_a_task_with_several_readouts_cannot_trade_answers(lab):
    spec = f"case:{Path(__file__).parents[2] / 'data' / 'cases' / 'case_11'}"
    with pytest.raises(ExperimentError, match="use source paired"):
        interchange(lab(spec), Interchange(task=spec, n=12, source="other"))
