from pathlib import Path

from tools.experiment import experiments
from tools.reference import reference

DOCS = Path(__file__).parents[2] / "docs"


def test_the_manual_names_every_experiment_and_parameter_as_the_laboratory_does():
    written = (DOCS / "experiments.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m tools.reference > docs/experiments.md"


def test_every_parameter_says_what_it_is():
    for name, one in experiments().items():
        fields = one.params.model_json_schema().get("properties", {})
        silent = [key for key, field in fields.items() if not field.get("description")]
        assert not silent, (name, silent)
