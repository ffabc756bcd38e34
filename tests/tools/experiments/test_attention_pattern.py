"""Attention between labels, on planted models where every pattern is known."""

import pytest

from tools.errors import ExperimentError
from tools.experiments.attention_pattern import AttentionPattern, attention_pattern

INDUCTION = {"task": "planted-induction", "n": 12}
NAMES = {"task": "planted-names", "n": 12}


def run(lab, spec, **params):
    return attention_pattern(lab(f"planted:{spec}"), AttentionPattern(**params))


def test_the_name_mover_looks_at_the_io_and_not_at_s1(lab):
    result = run(lab, "names", component="a2.h0", key="IO", rival="S1", **NAMES)
    assert result.estimate("attention").value == pytest.approx(1, abs=1e-3)
    assert result.estimate("margin").value == pytest.approx(1, abs=1e-3)
    assert result.arrays["margin_per_prompt"].shape == (12,)
    assert result.controls[1].observed == pytest.approx(3 / 9)  # two copies of its pattern among nine heads


def test_half_the_attention_of_a_head_that_rests_moves_nothing(lab):
    result = run(lab, "induction", component="a0.h2", query="END", key="FIRST", **INDUCTION)
    assert result.estimate("attention").value == pytest.approx(0.5, abs=0.01)
    assert result.estimate("sink").value == pytest.approx(0.5, abs=0.01)
    assert result.estimate("value_weighted").value == pytest.approx(1, abs=0.01)
    assert result.estimate("entropy").value == pytest.approx(0.693, abs=0.01)


def test_a_sweep_finds_every_head_with_the_pattern(lab):
    result = run(lab, "induction", key="ANSWER", **INDUCTION)
    keys = result.labels["keys"]
    column = result.arrays["attention"][:, :, keys.index("ANSWER")]
    assert {(1, 0), (1, 1), (1, 2)} == {(int(a), int(b)) for a, b in zip(*(column > 0.9).nonzero(), strict=True)}
    assert result.controls[0].passed


def test_single_and_sweep_agree(lab):
    sweep = run(lab, "names", key="S2", **NAMES)
    single = run(lab, "names", component="a1.h0", key="S2", **NAMES)
    index = sweep.labels["keys"].index("S2")
    assert sweep.arrays["attention"][1, 0, index] == pytest.approx(single.estimate("attention").value)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"component": "m0", "key": "IO"}, "no attention head"),
        ({"component": "a9.h0", "key": "IO"}, "layers 0 to 2"),
        ({"component": "a2.h0"}, "say where a2.h0"),
        ({"component": "a2.h0", "key": "VERB"}, "no position 'VERB'"),
    ],
)
def test_wrong_requests_are_explained(lab, params, message):
    with pytest.raises(ExperimentError, match=message):
        run(lab, "names", **params, **NAMES)
