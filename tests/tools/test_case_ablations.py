"""The benchmark over compiled models, on some of those in the repository: every decision as the files say."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "data" / "cases"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("case_ablations", ROOT / "benchmarks" / "case_ablations.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["case_3", "case_24", "case_42", "case_93", "case_109"])
def test_ablations_and_edges_separate_the_circuit_as_its_file_says(benchmark, name):
    tallies = benchmark.Tallies()
    for folder in (CASES / name, CASES / name / "decoy"):
        if folder.is_dir():
            benchmark.check_model(CASES / name, folder, 60, tallies)
    for tally in (tallies.ablations, tallies.components, tallies.edges):
        assert not tally.differ
    assert tallies.ablations.agree == 3 * tallies.components.agree > 0 < tallies.edges.agree


def test_a_wrong_file_is_noticed(benchmark):
    tally = benchmark.Tally()
    tally.add("a0.h0 zero", True, False)
    assert tally.differ == ["a0.h0 zero: an effect here, no effect there"] and tally.agree == 0
