"""The behaviour gate keeps and drops templates by what the model does, never by name."""

import numpy as np
import pytest

from tools.errors import ExperimentError
from tools.gate import check_gate
from tools.task_spec import Gate

GATE = Gate()


def metrics(accuracies, n=20):
    templates, clean = [], []
    for name, right in accuracies.items():
        templates += [name] * n
        clean += [5.0 + 0.01 * i for i in range(right)] + [-1.0] * (n - right)
    return templates, np.array(clean)


def test_a_template_at_chance_is_dropped_and_the_rest_passes():
    templates, clean = metrics({"good": 20, "broken": 10})
    report = check_gate(GATE, templates, clean, np.zeros(40))
    assert report.passed and report.kept == ("good",) and report.dropped == ("broken",)
    assert report.template_accuracy["broken"] == 0.5
    assert report.gap == pytest.approx(clean[:20].mean())


def test_a_model_that_cannot_do_the_task_fails_with_the_reason():
    templates, clean = metrics({"a": 5, "b": 6})
    report = check_gate(GATE, templates, clean, np.zeros(40))
    assert not report.passed and "best 0.30" in report.reasons[0]
    with pytest.raises(ExperimentError, match="does not do task 'ioi'"):
        report.require("ioi")


def test_a_corruption_that_leaves_the_behaviour_fails():
    templates, clean = metrics({"a": 20})
    report = check_gate(GATE, templates, clean, np.full(20, 2.0))
    assert not report.passed and "corrupted prompts still score" in report.reasons[0]


def test_an_answer_flipping_corruption_passes_when_the_gate_allows_it():
    templates, clean = metrics({"a": 20})
    assert check_gate(Gate(corrupted_share=None), templates, clean, -clean).passed


def test_the_gap_bound_is_the_hand_worked_t_bound():
    clean = np.array([1.0, 2.0, 3.0, 4.0])
    report = check_gate(GATE, ["a"] * 4, clean, np.zeros(4))
    assert report.gap_low == pytest.approx(2.5 - 4.5407 * 1.29099 / 2, abs=1e-3)
    assert not report.passed
