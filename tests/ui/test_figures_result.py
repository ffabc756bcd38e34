"""Every experiment's result has a figure that draws its own numbers."""

from pathlib import Path

import numpy as np
import pytest

from tools.result import Estimate, Provenance, Result
from ui.figures_result import PANELS, figures_of
from ui.palette import DARK, LIGHT

EXPERIMENTS = Path(__file__).parents[2] / "tools" / "experiments"


def result(experiment, **fields):
    base = {
        "version": 1,
        "params": {},
        "summary": "s",
        "estimates": [],
        "provenance": Provenance(model_name="m", model_sha256="0", model_dtype="float32"),
    }
    return Result(experiment=experiment, **{**base, **fields})


def registered():
    """Names of the experiments, read from their files (importing them would load torch)."""
    lines = [line for path in EXPERIMENTS.glob("*.py") for line in path.read_text().splitlines()]
    names = [line.split('"')[1] for line in lines if line.startswith('@experiment("')]
    opened = [lines[i + 1].split('"')[1] for i, line in enumerate(lines) if line.strip() == "@experiment("]
    return {*names, *opened}


def test_panels_are_of_experiments_that_exist():
    assert set(PANELS) <= registered()


def test_a_map_shows_the_arrays_own_values():
    values = np.array([[0.1, -0.4], [0.2, 0.0]])
    says, figure = figures_of(result("head-ablation", arrays={"harm": values}), LIGHT)[0]
    assert says == "harm of heads" and np.array_equal(np.asarray(figure.data[0].z), values)


def test_what_a_result_does_not_hold_is_not_drawn():
    own = Estimate(name="harm", value=0.3, low=0.2, high=0.4)
    single = result("head-ablation", estimates=[own], arrays={"control_harm": np.array([0.0, 0.1])})
    assert [says for says, _ in figures_of(single, DARK)] == ["matched controls", "estimates with their intervals"]


def test_the_component_stands_among_its_controls():
    own = Estimate(name="harm", value=0.3, low=0.2, high=0.4)
    single = result("head-ablation", estimates=[own], arrays={"control_harm": np.array([0.0, 0.1])})
    figure = figures_of(single, LIGHT)[0][1]
    assert list(figure.data[0].x) == [0.0, 0.1] and figure.layout.shapes[0].x0 == 0.3


def test_a_curve_is_drawn_over_its_own_places_with_its_band():
    arrays = {
        "curve_faithfulness": np.array([0.0, 0.9, 1.0]),
        "curve_share": np.array([0.0, 0.5, 1.0]),
        "curve_low": np.array([0.0, 0.8, 1.0]),
        "curve_high": np.array([0.0, 1.0, 1.0]),
    }
    figure = figures_of(result("circuit-curve", arrays=arrays), LIGHT)[0][1]
    assert list(figure.data[2].x) == [0.0, 0.5, 1.0] and list(figure.data[2].y) == [0.0, 0.9, 1.0]
    assert list(figure.data[0].y) == [0.0, 0.8, 1.0]


def test_bars_keep_the_tables_order_and_signs():
    rows = [{"sender": "a0.h1", "effect": 0.2}, {"sender": "a0.h2", "effect": -0.1}]
    figure = figures_of(result("path-patching", tables={"paths": rows}), LIGHT)[0][1]
    assert list(figure.data[0].x) == [0.2, -0.1] and list(figure.layout.yaxis.ticktext) == ["a0.h1", "a0.h2"]
    assert len(set(figure.data[0].marker.color)) == 2


def test_an_experiment_without_panels_draws_its_estimates():
    own = Estimate(name="thing", value=1.0, low=0.5, high=1.5)
    assert len(figures_of(result("brand-new", estimates=[own]), LIGHT)) == 1


def test_positions_are_the_columns_where_a_site_is_one_item():
    labels = {"layers": ["0", "1"], "items": [""], "positions": ["S2", "END"]}
    patched = result("activation-patching", labels=labels, arrays={"effect": np.arange(4.0).reshape(2, 1, 2)})
    figure = figures_of(patched, LIGHT)[0][1]
    assert list(figure.layout.xaxis.ticktext) == ["S2", "END"]
    assert np.asarray(figure.data[0].z) == pytest.approx(np.arange(4.0).reshape(2, 2))
