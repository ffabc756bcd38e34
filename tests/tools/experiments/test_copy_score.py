"""Copy scores on planted models, where what each OV circuit writes is known, and against SmolLM2's known name movers."""

import pytest

from tools.errors import ExperimentError
from tools.experiment import Lab
from tools.experiments.copy_score import CopyScore, copy_score

NAMES = {"task": "planted-names", "n": 16, "top": 1}


def run(lab, spec, **params):
    return copy_score(lab(f"planted:{spec}"), CopyScore(**params))


def test_the_name_mover_copies_and_the_negative_one_suppresses(lab):
    mover = run(lab, "names", component="a2.h0", **NAMES)
    negative = run(lab, "names", component="a2.h1", **NAMES)
    assert mover.estimate("copy_score").value == 1.0 and mover.estimate("negative_copy_score").value == 0.0
    assert negative.estimate("negative_copy_score").value == 1.0 and negative.estimate("copy_score").value == 0.0


def test_another_token_is_not_copied(lab):
    assert run(lab, "names", component="a2.h0", **NAMES).estimate("other_token").value == 0.0


def test_a_decoy_that_attends_the_same_way_copies_nothing(lab):
    result = run(lab, "names", component="a2.h2", **NAMES)
    assert result.estimate("copy_score").value == 0.0 and result.estimate("negative_copy_score").value == 0.0


def test_the_sweep_names_the_copiers_only(lab):
    result = run(lab, "induction", task="planted-induction", n=16, top=1)
    copies = {(int(i), int(j)) for i, j in zip(*(result.arrays["copy_score"] > 0.9).nonzero(), strict=True)}
    assert copies == {(1, 0), (2, 0)}
    assert result.arrays["negative_copy_score"][1, 2] == 1.0


def test_a_task_without_anything_to_copy_is_refused(lab):
    with pytest.raises(ExperimentError, match="no attention head"):
        run(lab, "names", component="m1", **NAMES)


@pytest.mark.smollm2
def test_smollm2_name_movers_copy_and_the_negative_mover_suppresses(smollm2):
    lab = Lab(model=smollm2)
    assert copy_score(lab, CopyScore(component="a23.h0", n=14)).estimate("copy_score").value >= 0.8
    assert copy_score(lab, CopyScore(component="a24.h4", n=14)).estimate("negative_copy_score").value >= 0.5
    assert copy_score(lab, CopyScore(component="a20.h0", n=14)).estimate("copy_score").value <= 0.1
