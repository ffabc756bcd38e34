"""Head scores on planted models, and the head with a fixed offset that one period would take for an induction head."""

from pathlib import Path

import pytest

from tools.errors import ExperimentError
from tools.experiment import Lab
from tools.experiments.head_scores import HeadScores, head_scores

CASES = Path(__file__).parents[2] / "data" / "cases"


def run(lab, spec, **params):
    return head_scores(lab(f"planted:{spec}"), HeadScores(n=8, **params))


def high(array, threshold=0.9):
    return {(int(i), int(j)) for i, j in zip(*(array > threshold).nonzero(), strict=True)}


def test_p1_has_the_scores_of_the_table(lab):
    result = run(lab, "induction")
    assert high(result.arrays["previous"]) == {(0, 0), (0, 1)}
    assert high(result.arrays["induction"]) == {(1, 0), (1, 1), (1, 2)}
    assert result.arrays["duplicate"][0, 2] == pytest.approx(0.5, abs=0.01)
    assert result.arrays["induction_control"][1, :3].max() < 0.05 and result.arrays["duplicate_control"][0, 2] < 0.05


def test_a_fixed_offset_passes_at_its_period_and_fails_at_the_other(lab):
    result = run(lab, "offset", component="a0.h0", periods=[6, 9])
    assert result.estimate("induction:period-6").value == pytest.approx(1, abs=0.01)
    assert result.estimate("induction:period-9").value < 0.05
    assert result.estimate("induction").value < 0.05


def test_a_fixed_offset_shows_in_the_non_repeated_control_too(lab):
    result = run(lab, "offset", component="a0.h0", periods=[6, 9])
    assert result.estimate("induction_control").value > 0.9


def test_per_sequence_scores_average_to_the_estimate(lab):
    result = run(lab, "induction", component="a1.h0")
    scores = result.arrays["induction_per_prompt"]
    assert scores.shape == (8,) and scores.mean() == pytest.approx(result.estimate("induction").value)


def test_single_and_sweep_agree(lab):
    sweep, single = run(lab, "names"), run(lab, "names", component="a0.h0")
    assert sweep.arrays["duplicate"][0, 0] == pytest.approx(single.estimate("duplicate").value)


def test_confirm_sequences_differ_and_the_call_hash_follows_the_parameters(lab):
    one, two = run(lab, "induction"), run(lab, "induction", split="confirm")
    assert one.provenance.prompts_sha256 != two.provenance.prompts_sha256
    assert one.call_hash != two.call_hash and one.provenance.task_version is None


@pytest.mark.parametrize("periods", [[6], [6, 6], [3, 6], [6, 12]])
def test_one_period_or_impossible_ones_are_refused(lab, periods):
    with pytest.raises(ExperimentError, match="two different repeat periods from 4 to 10"):
        run(lab, "induction", periods=periods)


def test_models_whose_tokens_have_meanings_are_refused(lab):
    with pytest.raises(ExperimentError, match="random sequences prove nothing"):
        head_scores(lab(f"case:{CASES / 'case_100'}"), HeadScores())


@pytest.mark.smollm2
def test_smollm2_has_the_induction_heads_that_were_measured_before(smollm2):
    result = head_scores(Lab(model=smollm2), HeadScores(n=6))
    induction, control = result.arrays["induction"], result.arrays["induction_control"]
    assert induction[18, 6] == pytest.approx(0.82, abs=0.08) and induction[17, 4] == pytest.approx(0.67, abs=0.08)
    assert (induction >= 0.40).sum() in range(4, 9)
    assert control.max() < 0.08
