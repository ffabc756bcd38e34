"""Composition from weights: the planted edges and no others, checked against whole matrices."""

import numpy as np
import pytest
import torch

from tools.errors import ExperimentError
from tools.experiments.composition import Composition, head_composition
from tools.head_matrices import composition, layer_matrices


def run(lab, spec, **params):
    return head_composition(lab(f"planted:{spec}"), Composition(**params))


def test_the_induction_head_hears_the_previous_token_head_through_its_keys(lab):
    result = run(lab, "induction", receiver="a1.h0")
    k, q = result.arrays["k"][0], result.arrays["q"][0]
    assert k[0] > 0.1 and k[1] == pytest.approx(0, abs=1e-6) and q[0] == pytest.approx(0, abs=1e-6)
    assert result.tables["senders"][0]["component"] == "a0.h0"


def test_the_backup_hears_the_induction_head_and_no_other_through_its_queries(lab):
    q = run(lab, "repair", receiver="a2.h1").arrays["q"]
    assert q[1, 0] > 0.02 and np.delete(q.ravel(), 2) == pytest.approx(np.zeros(5), abs=1e-6)


def test_a_sender_that_writes_only_what_is_read_beats_every_random_direction(lab):
    result = run(lab, "induction", receiver="a1.h0", sender="a0.h0")
    assert result.controls[1].name == "random k" and result.controls[1].observed == pytest.approx(0.01)


def test_a_decoy_is_no_better_heard_than_random_directions(lab):
    result = run(lab, "induction", receiver="a1.h0", sender="a0.h1")
    assert all(estimate.value < 1e-6 for estimate in result.estimates)
    assert all(control.observed == 1.0 for control in result.controls)


def test_s_inhibition_reaches_the_name_mover_through_its_queries_and_the_duplicate_head_through_values(lab):
    assert run(lab, "names", receiver="a2.h0", sender="a1.h0").estimate("q_composition").value > 0.1
    into = run(lab, "names", receiver="a1.h0", sender="a0.h0")
    assert into.estimate("v_composition").value > 0.1


def test_copying_is_one_for_the_copier_and_minus_one_for_the_negative_head(lab):
    scores = run(lab, "induction").arrays["copying"]
    assert scores[1, 0] > 0.9 and scores[1, 2] < -0.9 and abs(scores[1, 1]) < 0.3


def test_matching_is_one_for_the_duplicate_token_head(lab):
    assert run(lab, "induction").arrays["matching"][0, 2] > 0.9


def test_scores_equal_the_definition_on_whole_matrices(lab):
    decoder = lab("planted:names").model.decoder
    writers, readers = layer_matrices(decoder, 0), layer_matrices(decoder, 1)
    generator = torch.Generator().manual_seed(0)
    noisy = readers.__class__(
        *(t + torch.randn(t.shape, generator=generator) for t in (readers.q, readers.k, readers.v, readers.o))
    )
    q, k, v = composition(writers, noisy, 1)
    ov = writers.o[0] @ writers.v[0]
    qk, own = noisy.q[1].T @ noisy.k[1], noisy.o[1] @ noisy.v[1]
    expected = [
        (qk.T @ ov).norm() / (qk.norm() * ov.norm()),
        (qk @ ov).norm() / (qk.norm() * ov.norm()),
        (own @ ov).norm() / (own.norm() * ov.norm()),
    ]
    assert [float(x[0]) for x in (q, k, v)] == pytest.approx([float(e) for e in expected], rel=1e-4)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sender": "a0.h0"}, "needs a receiver"),
        ({"receiver": "a0.h0"}, "first layer"),
        ({"receiver": "a1.h0", "sender": "a1.h1"}, "does not come before"),
        ({"receiver": "m1"}, "no attention head"),
    ],
)
def test_wrong_requests_are_explained(lab, params, message):
    with pytest.raises(ExperimentError, match=message):
        run(lab, "induction", **params)


@pytest.mark.smollm2
def test_grouped_heads_share_their_keys(smollm2):
    matrices = layer_matrices(smollm2.decoder, 3)
    assert matrices.k.shape == (9, 64, 576)
    assert torch.equal(matrices.k[0], matrices.k[2]) and not torch.equal(matrices.k[2], matrices.k[3])
    assert np.isfinite(float(composition(matrices, layer_matrices(smollm2.decoder, 4), 0)[0].sum()))
