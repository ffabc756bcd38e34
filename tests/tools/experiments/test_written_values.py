"""What an MLP writes, on compiled models whose MLPs are known."""

from pathlib import Path

import pytest

from tools.errors import ExperimentError
from tools.experiment import Lab, find_experiment
from tools.models import load_model
from tools.result import Result

CASES = Path(__file__).parents[2] / "data" / "cases"


def measured(case: str, component: str, value: str) -> Result:
    spec = f"case:{CASES / case}"
    lab = Lab(load_model(spec, models_dir=Path("nowhere"), device="cpu", dtype="float32"))
    found = find_experiment("written-values")
    return found.run(lab, found.params(task=spec, n=64, component=component, value=value))


def test_the_value_that_is_written_fits_and_its_rivals_do_not():
    right, wrong = measured("case_11", "m0", "word-length"), measured("case_11", "m0", "word-vowels")
    assert right.estimate("decoded").value == right.estimate("explained").value == pytest.approx(1.0)
    assert right.estimate("margin").value > 0.3
    assert wrong.estimate("margin").value < -0.3
    assert wrong.tables["rivals"][0]["value"] == "word-length"


def test_a_finer_value_is_not_told_from_the_output():
    found = measured("case_11", "m0", "token")
    assert found.estimate("explained").value > 0.95
    assert found.estimate("decoded").value < 0.9


def test_an_unread_value_is_not_there():
    assert measured("case_44", "m0", "largest").estimate("explained").value < 0.2


def test_values_without_meaning_here_are_refused():
    with pytest.raises(ExperimentError, match="no numbers, or no spelling"):
        measured("case_11", "m0", "number+index")
    with pytest.raises(ExperimentError, match="no MLP or head"):
        measured("case_11", "resid1", "token")
