import numpy as np
import pytest

from agent.cards import PredictionCard
from tools.component import parse_component
from ui.figures import controls, heatmap, intervals, palette_for, stacked
from ui.palette import DARK, LIGHT


def prediction(**changes) -> PredictionCard:
    fields = {
        "prediction_id": "p1",
        "key": "C1",
        "role": "critical",
        "experiment": "head-ablation",
        "params": {},
        "expects": "resample harm at least 0.05",
        "quantity": "resample harm",
        "delta0": 0.02,
        "delta1": 0.05,
        "passes_in": [(0.05, None)],
        "estimate": 0.36,
        "interval": (0.31, 0.41),
        "n": 32,
        "outcome": "pass",
    }
    return PredictionCard.model_validate({**fields, **changes})


def test_colour_means_sign_the_scale_is_symmetric_around_zero():
    trace = heatmap(np.array([[0.1, -0.4], [0.2, 0.0]]), LIGHT, quantity="harm").data[0]
    assert (trace.zmin, trace.zmax) == (-0.4, 0.4)


def test_each_cell_of_the_map_carries_its_heads_name_and_value():
    values = np.array([[0.1, -0.4], [0.2, 0.0]])
    trace = heatmap(values, LIGHT, quantity="harm").data[0]
    assert np.array_equal(np.asarray(trace.z), values)
    assert trace.customdata[1][0] == "a1.h0"


def test_a_map_of_zeros_still_has_a_scale():
    assert heatmap(np.zeros((2, 2)), LIGHT, quantity="harm").data[0].zmax == 1.0


def test_the_claims_heads_are_framed_where_they_stand():
    marked = [parse_component("a1.h0"), parse_component("m3")]
    shapes = heatmap(np.zeros((2, 2)), LIGHT, quantity="harm", marked=marked).layout.shapes
    assert [(s.x0, s.x1, s.y0, s.y1) for s in shapes] == [(-0.5, 0.5, 0.5, 1.5)]


def test_an_interval_is_drawn_from_its_low_to_its_high_end():
    figure = intervals([prediction()], LIGHT)
    error = figure.data[0].error_x
    assert figure.data[0].x[0] == 0.36
    assert error.array[0] == pytest.approx(0.05)
    assert error.arrayminus[0] == pytest.approx(0.05)


def test_each_row_is_drawn_against_its_own_thresholds():
    figure = intervals([prediction(), prediction(key="C2", delta0=0.1, delta1=0.3, passes_in=[(0.3, None)])], LIGHT)
    drawn = {round(s.x0, 3) for s in figure.layout.shapes if s.y0 != 0}
    assert {0.02, 0.05, 0.1, 0.3} <= drawn


def test_a_prediction_of_a_harmful_head_passes_below_zero():
    figure = intervals([prediction(estimate=-0.3, interval=(-0.4, -0.2), passes_in=[(None, -0.05)])], LIGHT)
    drawn = [(s.type, round(s.x0, 3), round(s.x1, 3)) for s in figure.layout.shapes if s.y0 != 0]
    band = next(one for one in drawn if one[0] == "rect")
    assert band[1] < -0.4
    assert band[2] == -0.05
    assert ("line", -0.02, -0.02) in drawn


def test_a_prediction_that_nothing_happens_passes_around_zero():
    figure = intervals(
        [prediction(estimate=0.0, interval=(-0.01, 0.01), delta0=None, passes_in=[(-0.05, 0.05)])], LIGHT
    )
    assert [(s.x0, s.x1) for s in figure.layout.shapes if s.type == "rect"] == [(-0.05, 0.05)]


def test_an_untested_prediction_keeps_its_row_and_draws_no_point():
    figure = intervals([prediction(estimate=None, interval=None, outcome=None), prediction(key="C2")], LIGHT)
    assert len(figure.data) == 1
    assert list(figure.layout.yaxis.ticktext) == ["C1  resample harm", "C2  resample harm"]
    assert figure.data[0].y[0] == 1


def test_the_outcome_decides_the_colour():
    assert intervals([prediction(outcome="fail")], LIGHT).data[0].marker.color == LIGHT.refuted
    assert intervals([prediction(outcome="pass")], DARK).data[0].marker.color == DARK.supported


def test_the_component_is_marked_among_its_controls():
    figure = controls(prediction(control_values=[0.0, 0.01, -0.02, 0.03]), "a20.h0", LIGHT)
    assert list(figure.data[0].x) == [0.0, 0.01, -0.02, 0.03]
    assert figure.layout.shapes[0].x0 == 0.36
    assert "a20.h0" in figure.layout.annotations[0].text


def test_controls_of_equal_effect_stand_on_each_other():
    assert stacked([0.0, 0.001, 0.5, 0.002], 0.1) == [1.0, 2.0, 1.0, 3.0]


def test_every_control_is_one_dot_with_its_name():
    card = prediction(control_values=[0.0, 0.01], control_labels=["a3.h1", "a4.h2"])
    assert list(controls(card, "a20.h0", LIGHT).data[0].customdata) == ["a3.h1", "a4.h2"]


def test_corroborating_predictions_are_drawn_hollow():
    assert intervals([prediction(role="corroborating")], LIGHT).data[0].marker.symbol == "circle-open"


def test_an_unknown_theme_is_drawn_light():
    assert palette_for(None) is LIGHT
    assert palette_for("dark") is DARK
