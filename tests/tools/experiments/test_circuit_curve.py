"""Rankings of planted circuits: the truth first reaches 1 at once, random orders do not."""

import numpy as np
import pytest

from tools.circuit_curve import curve
from tools.errors import ExperimentError
from tools.experiments.circuit_curve import CircuitCurve, circuit_curve

TASK = {"task": "planted-decoys", "n": 16}


def run(lab, **params):
    return circuit_curve(lab("planted:decoys"), CircuitCurve(**TASK, **params))


def test_the_true_circuit_first_is_faithful_from_its_size_on(lab):
    result = run(lab, components=["a0.h3", "a1.h2"])
    f = dict(zip(result.arrays["curve_size"], result.arrays["curve_faithfulness"], strict=True))
    assert f[0] == 0 and f[1] == pytest.approx(0, abs=0.02) and f[2] == pytest.approx(1, abs=1e-3) and f[12] == 1
    assert result.estimate("cmd").value < 0.2 and result.estimate("cmd").low <= result.estimate("cmd").value
    assert result.estimate("rank_p").value == pytest.approx(1 / 20)


def test_exact_harm_ranks_the_circuit_first_on_other_prompts(lab):
    result = run(lab, ranking="harm", n_random=0)
    assert set(result.labels["ranking"][:2]) == {"a0.h3", "a1.h2"}


@pytest.mark.parametrize("ranking", ["atp", "ig"])
def test_gradient_rankings_find_the_head_that_writes(lab, ranking):
    assert "a1.h2" in run(lab, ranking=ranking, n_random=0).labels["ranking"][:2]


def test_a_ranking_of_helpers_overshoots_and_cmd_says_so(lab):
    """P1 without its negative head first: f is 1.43 until that head comes in, which CPR likes and CMD does not."""
    task = {"task": "planted-induction", "n": 16, "n_random": 0}
    order = ["a0.h0", "a1.h0", "a0.h1", "a0.h2", "a0.h3", "a1.h1", "a1.h2"]
    helpers = circuit_curve(lab("planted:induction"), CircuitCurve(**task, components=order))
    whole = circuit_curve(lab("planted:induction"), CircuitCurve(**task, components=["a0.h0", "a1.h0", "a1.h2"]))
    assert helpers.arrays["curve_faithfulness"].max() > 1.3
    assert helpers.estimate("cpr").value > whole.estimate("cpr").value
    assert helpers.estimate("cmd").value > whole.estimate("cmd").value


def test_areas_by_hand():
    full, empty = np.full(4, 2.0), np.zeros(4)
    metric = np.array([empty, full / 2, full * 1.5, full])
    found = curve([0.0, 0.25, 0.5, 1.0], metric, full, empty, ["a"] * 4)
    np.testing.assert_allclose(found.f, [0, 0.5, 1.5, 1])
    assert found.cpr.value == pytest.approx(0.0625 + 0.25 + 0.625) and found.cmd.value == pytest.approx(
        0.1875 + 0.125 + 0.125
    )


def test_a_ranking_outside_the_universe_is_refused(lab):
    with pytest.raises(ExperimentError, match="has no MLPs"):
        run(lab, components=["m0"])


def test_a_universe_without_effect_is_refused():
    with pytest.raises(ExperimentError, match="changes nothing"):
        curve([0.0, 1.0], np.ones((2, 3)), np.ones(3), np.ones(3), ["a"] * 3)
