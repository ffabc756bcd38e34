"""The lens on planted models: nothing readable before the layer that writes the answer, everything after."""

from pathlib import Path

import numpy as np
import pytest

from tools.errors import ExperimentError
from tools.experiments import logit_lens as logit_lens_module
from tools.experiments.logit_lens import LogitLens, logit_lens
from tools.measurement import measure

INDUCTION = {"task": "planted-induction", "n": 16}


def run(lab, spec, **params):
    return logit_lens(lab(f"planted:{spec}"), LogitLens(**params))


def test_p1_becomes_readable_after_the_induction_layer(lab):
    lens = run(lab, "induction", **INDUCTION).arrays["lens"]
    assert lens[:2] == pytest.approx([0, 0], abs=0.06) and lens[2:] == pytest.approx([1, 1], abs=0.06)


def test_the_last_stream_is_the_metric_itself(lab):
    result = run(lab, "names", task="planted-names", n=16)
    assert result.controls[0].passed and result.controls[0].observed < 1e-4
    assert result.estimate("final").value == pytest.approx(5.6, abs=0.3)


def test_the_answer_rises_to_rank_one_and_the_entropy_falls(lab):
    result = run(lab, "induction", **INDUCTION)
    assert result.arrays["rank"][-1] == 1.0 and result.arrays["rank"][0] > 5
    assert result.arrays["entropy"][-1] < result.arrays["entropy"][0]
    assert result.arrays["probability"][-1] > 0.8


def test_an_onset_is_present_at_the_layer_and_absent_before(lab):
    result = run(lab, "induction", layer=2, before=1, **INDUCTION)
    assert result.estimate("lens").low > 0.25 > result.estimate("lens_before").high
    assert result.arrays["lens_per_prompt"].shape == (16,)
    assert result.controls[1].observed == pytest.approx(0.01)


def test_an_onset_where_nothing_is_readable_is_no_better_than_random_pairs(lab):
    result = run(lab, "induction", layer=1, before=1, **INDUCTION)
    assert result.estimate("lens").high < 0.25 and result.controls[1].observed > 0.05


def test_random_pairs_are_answers_of_other_prompts_and_none_of_the_own(lab):
    m = measure(lab("planted:induction"), LogitLens(**INDUCTION))
    pairs = logit_lens_module._pairs(m, LogitLens(**INDUCTION))
    read = {*m.prompts.readouts.answer.tolist(), *m.prompts.readouts.foil.tolist()}
    for tokens, own in zip(m.prompts.clean_tokens, pairs, strict=True):
        drawn = set(own.ravel().tolist())
        assert not drawn & set(tokens.tolist())
        assert drawn <= read or len(read - set(tokens.tolist())) < logit_lens_module.KIND


def test_the_answer_is_readable_at_the_end_and_not_at_its_own_position(lab):
    result = run(lab, "induction", **INDUCTION)
    where = dict(zip(result.labels["positions"], result.arrays["lens_by_position"][-1], strict=True))
    assert where["END"] == pytest.approx(1, abs=1e-6) and abs(where["ANSWER"]) < 0.3


def test_several_readouts_per_prompt_are_averaged(lab):
    folder = Path(__file__).parents[2] / "data" / "cases" / "case_11"
    result = logit_lens(lab(f"case:{folder}"), LogitLens(task=f"case:{folder}", n=20))
    assert result.controls[0].passed and np.isfinite(result.arrays["rank"]).all()


def test_a_layer_outside_the_model_is_refused(lab):
    with pytest.raises(ExperimentError, match="layer must lie in 2 to 3"):
        run(lab, "induction", layer=9, **INDUCTION)
