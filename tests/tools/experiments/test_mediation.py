"""Mediation on planted circuits, and against plain TransformerLens hooks on a small random model."""

import numpy as np
import pytest
import torch

from tools.component import parse_component
from tools.engine import Engine
from tools.errors import ExperimentError
from tools.experiments.mediation import Mediation, mediation
from tools.mediation import Mediation as Route
from tools.selftest import record, run_hooked


def run(lab, spec, **params):
    return mediation(lab(f"planted:{spec}"), Mediation(task=f"planted-{spec}", n=16, **params))


def value(result, name):
    return result.estimate(name).value


def test_everything_goes_through_the_only_reader(lab):
    result = run(lab, "decoys", senders=["a0.h3"], receivers=["a1.h2"])
    assert value(result, "total") == pytest.approx(1.0, abs=0.05)
    assert value(result, "indirect") == pytest.approx(value(result, "total"), abs=1e-4)
    assert value(result, "direct") == pytest.approx(0.0, abs=1e-4)
    assert value(result, "mediated") == pytest.approx(1.0, abs=1e-3)


def test_a_decoy_with_the_same_pattern_mediates_nothing(lab):
    result = run(lab, "decoys", senders=["a0.h3"], receivers=["a1.h0"])
    assert value(result, "indirect") == pytest.approx(0.0, abs=1e-4)
    assert value(result, "direct") == pytest.approx(value(result, "total"), abs=1e-4)


def test_a_receiver_ranks_among_others(lab):
    result = run(lab, "decoys", senders=["a0.h3"], receivers=["a1.h2"], n_controls=39)
    assert len(result.arrays["control_indirect"]) == 5 and value(result, "rank_p") == pytest.approx(1 / 6)


def test_self_repair_is_a_negative_indirect_effect(lab):
    """a1.h0 carries the answer; a2.h1 takes over when it is gone: total 0 = direct 1 minus 1 through the backup."""
    result = run(lab, "repair", senders=["a1.h0"], receivers=["a2.h1"])
    assert value(result, "total") == pytest.approx(0.0, abs=0.05)
    assert value(result, "direct") == pytest.approx(1.0, abs=0.05)
    assert value(result, "indirect") == pytest.approx(-1.0, abs=0.05)
    with pytest.raises(ExperimentError, match="reports no 'mediated'"):
        result.estimate("mediated")


def test_or_gates_interact_and_the_interaction_is_reported(lab):
    """Either head is enough, so changing both at once costs what neither costs alone."""
    result = run(lab, "or", senders=["a0.h0"], receivers=["a1.h0"])
    assert value(result, "total") == pytest.approx(1.0, abs=0.05)
    assert value(result, "indirect") == pytest.approx(0.0, abs=0.05)
    assert value(result, "direct") == pytest.approx(0.0, abs=0.05)
    assert value(result, "interaction") == pytest.approx(1.0, abs=0.06)
    both = run(lab, "or", senders=["a0.h0"], receivers=["a1.h0", "a1.h1"], joint=True)
    assert value(both, "indirect") == pytest.approx(1.0, abs=0.05)


def test_a_sweep_covers_every_later_component(lab):
    result = run(lab, "names", senders=["a0.h0"])
    assert result.arrays["indirect"].shape == (3, 3) and not result.arrays["indirect"][0].any()
    assert result.tables["receivers"][0]["receiver"] in ("a1.h0", "a2.h0")
    assert result.arrays["indirect"][1, 0] == pytest.approx(1.33, abs=0.06)


def test_numbers_equal_plain_hooks(tiny, pairs):
    """The receiver's value in the changed run, put into the clean run, and the reverse."""
    model, prompts = tiny("llama"), pairs()
    engine = Engine(prompts=prompts, decoder=model.decoder)
    route = Route(engine, (parse_component("a0.h1"),), "corrupted")
    receiver = parse_component("a2.h3")
    ours = engine.run([route.change(), route.indirect([receiver]), route.direct([receiver])]).metric
    plain = np.zeros_like(ours)
    first, last = "blocks.0.attn.hook_z", "blocks.2.attn.hook_z"
    for group in prompts.groups():
        clean, corrupted = torch.tensor(group.clean), torch.tensor(group.corrupted)
        other = record(model.bridge, corrupted, [first])[first]
        own = record(model.bridge, clean, [last])[last]

        def change(value, hook, other=other):
            value = value.clone()
            value[:, :, 1] = other[:, :, 1]
            return value

        seen = []
        keep = (last, lambda value, hook, seen=seen: seen.append(value.clone()))
        logits = [run_hooked(model.bridge, clean, [(first, change), keep])]

        def put(new):
            def hook_function(value, hook):
                value = value.clone()
                value[:, :, 3] = new[:, :, 3]
                return value

            return hook_function

        logits.append(run_hooked(model.bridge, clean, [(last, put(seen[0]))]))
        logits.append(run_hooked(model.bridge, clean, [(first, change), (last, put(own))]))
        for row, one in enumerate(logits):
            plain[row, group.rows] = group.readouts.of_logits(one.numpy(), len(group.rows))
    assert np.abs(plain[0] - plain[2]).max() > 1e-3
    np.testing.assert_allclose(ours, plain, atol=1e-4)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"senders": ["a1.h0"], "receivers": ["a0.h0"]}, "does not come after"),
        ({"senders": ["a2.h0"]}, "nothing to mediate"),
        ({"senders": ["a0.h0"], "n_controls": 3}, "one receiver"),
        ({"senders": ["a0.h0"], "receivers": ["resid1"]}, "no receiver"),
    ],
)
def test_wrong_requests_are_explained(lab, params, message):
    with pytest.raises(ExperimentError, match=message):
        run(lab, "names", **params)
