"""Our numbers against plain TransformerLens code that was written without ours (tests/tools/outside_check.py)."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).with_name("outside_check.py")


@pytest.fixture(scope="module")
def outside():
    spec = importlib.util.spec_from_file_location("outside_check", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("spec", ["planted:names", "planted:induction"])
def test_planted_numbers_agree(outside, spec):
    largest, sizes = outside.compare(spec)
    assert max(largest.values()) < 1e-4, largest
    assert sizes["path-patching"] > 0.3 and max(sizes.values()) > 1


@pytest.mark.smollm2
def test_smollm2_numbers_agree(outside):
    largest, sizes = outside.compare("smollm2")
    assert max(largest.values()) < 1e-3, largest
    assert min(sizes.values()) > 0.01, sizes


def test_the_outside_check_uses_none_of_our_computation():
    text = PATH.read_text(encoding="utf-8")
    for module in ("engine", "decoder", "paths", "attribution", "interventions", "activations", "gradients"):
        assert f"tools.{module}" not in text, module
