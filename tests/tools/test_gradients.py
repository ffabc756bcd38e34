"""Gradient scores are tested by intervening: small real changes must have the effects that they predict."""

import numpy as np
import pytest
import torch

from tools.activations import ReadoutPlan
from tools.edges import allowed, edge_scores, input_gradients, receivers_of, senders_of, write_out_groups
from tools.engine import Engine
from tools.gradients import channel_scores, node_scores
from tools.interventions import Intervention
from tools.paths import Receiver, landing, received

EPSILON = 3e-3


def engine_of(model, prompts):
    return Engine(prompts=prompts, decoder=model.decoder)


@pytest.mark.parametrize("family", ["llama", "gpt2", "neox"])
def test_input_gradients_predict_small_changes_of_one_input(tiny, pairs, family):
    model, prompts = tiny(family), pairs(n=3, lengths=(7,))
    engine = engine_of(model, prompts)
    group = next(iter(prompts.groups()))
    plan = ReadoutPlan(group.readouts, 3, "cpu")
    clean = model.decoder.embed(engine.tokens(group, "clean"))
    slopes = input_gradients(write_out_groups(model.decoder), clean, plan)
    torch.manual_seed(1)
    for number in range(0, len(slopes), 7):
        target, channel = receivers_of(model.decoder)[number]
        receiver = Receiver(target, channel)
        push = EPSILON * torch.randn_like(clean)

        def added(push, receiver=receiver):
            return lambda view: received(model.decoder, view.runs["clean"], receiver, push)

        site = landing(receiver, model.n_layers)
        needs = tuple((layer, s) for layer in range(3) for s in ("resid_pre", "resid_mid", "q", "k", "v", "resid_post"))
        up, down = engine.run([(Intervention(*site, added(sign * push), None, needs),) for sign in (1, -1)]).metric
        moved = (up - down) / 2
        predicted = (slopes[number] * push).sum((1, 2)).numpy()
        np.testing.assert_allclose(moved, predicted, atol=0.03 * np.abs(predicted).max() + 2e-5, err_msg=str(receiver))


def test_edges_into_the_logits_add_up_to_the_linearised_difference(tiny, pairs):
    """Every write together is the whole final stream: its change times the gradient at the logits."""
    model, prompts = tiny("gpt2"), pairs(n=4, lengths=(7,))
    scores = edge_scores(engine_of(model, prompts), "eap", 1)
    group = next(iter(prompts.groups()))
    engine, plan = engine_of(model, prompts), ReadoutPlan(group.readouts, 4, "cpu")
    slope = input_gradients(model.decoder, model.decoder.embed(engine.tokens(group, "clean")), plan)[-1]
    final = [
        engine.record(engine.tokens(group, run), {(2, "resid_post")})[2, "resid_post"] for run in ("clean", "corrupted")
    ]
    whole = float(((final[0] - final[1]) * slope).sum()) / 4
    assert scores.values[:, -1].sum() == pytest.approx(whole, rel=1e-3)


def test_no_edge_runs_backwards(tiny, pairs):
    decoder = tiny("llama").decoder
    scores = edge_scores(engine_of(tiny("llama"), pairs(n=2, lengths=(7,))), "eap-ig-inputs", 2)
    names = [str(s) for s in senders_of(decoder)]
    columns = [str(c) for c, _ in receivers_of(decoder)]
    assert scores.values[names.index("m1"), columns.index("a1.h0")] == 0
    assert scores.values[names.index("a1.h0"), columns.index("m1")] != 0
    assert not allowed(decoder)[names.index("a2.h0"), columns.index("m1")]


def test_activation_ig_differs_from_input_ig(tiny, pairs):
    engine = engine_of(tiny("llama"), pairs(n=2, lengths=(7,)))
    one, other = (edge_scores(engine, method, 3).values for method in ("eap-ig-inputs", "eap-ig-activations"))
    assert np.isfinite(other).all() and np.abs(one - other).max() > 1e-4


def test_atp_predicts_small_corruptions(tiny, pairs):
    """A head's AtP equals the exact effect of moving its z a little towards the corrupted run, scaled up."""
    model, prompts = tiny("llama"), pairs()
    engine = engine_of(model, prompts)
    atp, _ = node_scores(engine, ig_steps=1)
    small = []
    for head in range(4):

        def nudge(view, head=head):
            runs = view.runs
            clean, other = (runs[run][1, "z"][:, :, head] for run in ("clean", "corrupted"))
            return clean + EPSILON * (other - clean)

        small.append((Intervention(1, "z", head, nudge),))
    exact = (engine.baseline("clean").metric - engine.run(small).metric) / EPSILON
    np.testing.assert_allclose(atp.heads[1], exact, atol=0.05 * np.abs(exact).max() + 2e-3)


def test_value_channels_are_linear_so_their_scores_match_a_nudge(tiny, pairs):
    model, prompts = tiny("gpt2"), pairs()
    engine = engine_of(model, prompts)
    scores = channel_scores(engine)

    def nudge(view):
        clean, other = (view.runs[run][1, "v"][:, :, 2] for run in ("clean", "corrupted"))
        return clean + EPSILON * (other - clean)

    exact = (engine.baseline("clean").metric - engine.run([(Intervention(1, "v", 2, nudge),)]).metric)[0] / EPSILON
    np.testing.assert_allclose(scores.v[1, 2], exact, atol=0.05 * np.abs(exact).max() + 2e-3)


def test_the_qk_fix_sees_what_a_saturated_softmax_hides(tmp_path):
    """In the planted induction model attention is saturated: the plain gradient of the keys is blind to a0.h0's reader."""
    from tools.experiment import Lab
    from tools.experiments.attribution_patching import AttributionPatching, attribution_patching
    from tools.models import load_model

    lab = Lab(load_model("planted:induction", models_dir=tmp_path))
    result = attribution_patching(lab, AttributionPatching(task="planted-induction", n=16))
    assert abs(result.arrays["atp_k"][1, 0]) > 0.2
    assert abs(result.arrays["atp"][0, 0]) < 0.2  # exact harm is about 1
