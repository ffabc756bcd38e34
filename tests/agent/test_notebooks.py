"""Exported notebooks are executed: plain TransformerLens gives the stored number again, without this program."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.asked import Asked
from agent.bench import Bench
from agent.config import Config
from agent.ledger.store import Ledger
from agent.notebooks import write_notebook
from tools.errors import ExperimentError
from tools.result import Result

MODEL = "planted:induction"


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    config = Config.at(tmp_path_factory.mktemp("notebooks") / "home")
    return Bench(config, Ledger.open(config), worker_id="test")


def measured(bench: Bench, experiment: str, model: str = MODEL, **params) -> Result:
    given = params if experiment == "head-scores" else {"task": model, "n": 8, **params}
    asked = Asked(experiment, given, model, run_id="r")
    return bench.ledger.evidence.result(bench.measure(asked, progress=lambda *_: None, cancelled=lambda: False))


RUNNER = """
import contextlib, io, json, sys
for path in sys.argv[1:]:
    cells = json.load(open(path))["cells"]
    said, failed = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(said):
            exec("\\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code"), {})
    except AssertionError as error:
        failed = str(error)
    print(json.dumps([said.getvalue(), failed]))
assert not {"kb", "tools", "agent", "ui"} & set(sys.modules)
"""

CASES = {
    "gate": ("behaviour", {}),
    "resample": ("head-ablation", {"components": ["a1.h0"]}),
    "joint zero": ("head-ablation", {"components": ["a1.h0", "a2.h0"], "joint": True, "method": "zero"}),
    "mean": ("head-ablation", {"components": ["a0.h0"], "method": "mean", "mean_prompts": 16}),
    "one position": ("head-ablation", {"components": ["a1.h2"], "position": "END"}),
    "patch": ("head-patching", {"components": ["a1.h0"]}),
    "residual site": ("head-patching", {"components": ["resid1@END"]}),
    "sweep": ("head-patching", {}),
    "attention": (
        "attention-pattern",
        {"model": "planted:names", "component": "a2.h0", "query": "END", "key": "IO", "rival": "S1"},
    ),
    "scores": ("head-scores", {"component": "a1.h0", "n": 6}),
    "copying": ("copy-score", {"model": "planted:names", "component": "a2.h0"}),
    "suppressing": ("copy-score", {"model": "planted:names", "component": "a2.h1"}),
    "lens": ("logit-lens", {"layer": 2}),
    "path into keys": ("path-patching", {"receiver": "a1.h0<k>", "senders": ["a0.h0"]}),
    "path into queries": ("path-patching", {"model": "planted:names", "receiver": "a2.h0<q>", "senders": ["a1.h0"]}),
    "path by zeroing": ("path-patching", {"receiver": "a2.h0", "senders": ["a1.h0"], "method": "zero"}),
    "path into an MLP": ("path-patching", {"model": "planted:and", "receiver": "m1", "senders": ["a1.h0"]}),
    "path into the logits": ("path-patching", {"receiver": "logits", "senders": ["a1.h2"]}),
    "circuit": (
        "circuit-evaluation",
        {"components": ["a0.h0", "a1.h0"], "n_random": 0, "n_random_any": 0, "n_subsets": 0, "minimal": False},
    ),
    "circuit with MLPs": (
        "circuit-evaluation",
        {"model": "planted:and", "components": ["a0.h0", "a1.h0", "a1.h3", "m1"], "n_random": 0, "n_subsets": 0},
    ),
}


@pytest.fixture(scope="module")
def executed(bench: Bench, tmp_path_factory) -> dict[str, tuple[str, str]]:
    """What each notebook printed, and its failed assertion, all run in one fresh interpreter without this program."""
    paths, runs = {}, tmp_path_factory.mktemp("runs")
    for name, (experiment, params) in CASES.items():
        result = measured(bench, experiment, **params)
        model = bench.model(params.get("model", MODEL))
        paths[name] = write_notebook(result, model, runs, models_dir=Path("nowhere"))
    result = measured(bench, "head-ablation", components=["a1.h0"])
    wrong = [e.model_copy(update={"value": e.value + 0.01}) if e.name == "harm" else e for e in result.estimates]
    changed = result.model_copy(update={"estimates": wrong})
    wrong_folder = tmp_path_factory.mktemp("wrong")
    paths["wrong"] = write_notebook(changed, bench.model(MODEL), wrong_folder, models_dir=Path("nowhere"))
    for weights in wrong_folder.glob("*.safetensors"):
        (runs / weights.name).write_bytes(weights.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *map(str, paths.values())], cwd=runs, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    return {name: tuple(json.loads(line)) for name, line in zip(paths, lines, strict=True)}


@pytest.mark.parametrize("name", CASES)
def test_a_notebook_measures_the_stored_number_again(executed, name):
    said, failed = executed[name]
    assert not failed
    assert "the numbers agree within 0.001" in said


def test_a_notebook_notices_a_wrong_number(executed):
    assert executed["wrong"][1].startswith("the numbers differ by 0.01")


def test_other_weights_have_no_notebook(bench, tmp_path):
    result = measured(bench, "behaviour")
    with pytest.raises(ExperimentError, match="measured on other weights"):
        write_notebook(result, bench.model("planted:or"), tmp_path, models_dir=tmp_path)


def test_an_experiment_without_a_notebook_says_which_have_one(bench, tmp_path):
    result = measured(bench, "direct-logit-attribution")
    with pytest.raises(ExperimentError, match="these have: behaviour, head-ablation, head-patching"):
        write_notebook(result, bench.model(MODEL), tmp_path, models_dir=tmp_path)


def test_a_sweep_that_reads_heads_asks_for_one(bench, tmp_path):
    result = measured(bench, "copy-score", model="planted:names")
    with pytest.raises(ExperimentError, match="name a component"):
        write_notebook(result, bench.model("planted:names"), tmp_path, models_dir=tmp_path)
