import pytest
from click.testing import CliRunner

from agent.ledger.store import Ledger
from tools.errors import ExperimentError
from ui.cli import cli
from ui.experiment_params import read_params

SCHEMA = {
    "properties": {
        "n": {"type": "integer", "default": 32, "description": "number of prompts"},
        "joint": {"type": "boolean"},
        "method": {"type": "string", "default": "resample"},
        "components": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
        "position": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    }
}


@pytest.mark.parametrize(
    ("words", "params"),
    [
        (["--n", "64"], {"n": 64}),
        (["--n=64", "joint=true"], {"n": 64, "joint": True}),
        (["--components", "20.0,L5H1"], {"components": ["20.0", "L5H1"]}),
        (["--components", '["a5.h1"]'], {"components": ["a5.h1"]}),
        (["--position", "END"], {"position": "END"}),
        (["method=mean"], {"method": "mean"}),
    ],
)
def test_parameters_are_read_as_people_type_them(words, params):
    assert read_params(words, SCHEMA) == params


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--nn", "64"], r"'--nn' is no parameter here; there are: n, joint"),
        (["--n"], r"give n a value: --n VALUE"),
        (["--n", "many"], r"n='many' should be integer"),
    ],
)
def test_a_wrong_parameter_says_what_is_right(words, says):
    with pytest.raises(ExperimentError, match=says):
        read_params(words, SCHEMA)


@pytest.fixture
def published(home):
    entry = {"name": "head-ablation", "kind": "causal", "doc": "What ablation costs.\n\nMore.", "params": SCHEMA}
    ledger = Ledger.open(home)
    ledger.catalogue.publish("experiment", {"head-ablation": entry})
    ledger.close()


def test_what_workers_published_is_listed_without_a_worker(published):
    done = CliRunner().invoke(cli, ["experiments", "list"])
    assert done.exit_code == 0
    assert "head-ablation  causal  What ablation costs." in done.stdout


def test_an_experiments_own_help_lists_its_parameters(published):
    done = CliRunner().invoke(cli, ["experiments", "run", "head-ablation", "--help"])
    assert done.exit_code == 0
    assert "--n" in done.stdout
    assert "number of prompts" in done.stdout


def test_an_unknown_experiment_names_those_there_are(published):
    done = CliRunner().invoke(cli, ["experiments", "run", "head-ablatoin"])
    assert done.exit_code == 2
    assert "there are: head-ablation" in done.output
