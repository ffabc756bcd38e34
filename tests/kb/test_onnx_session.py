"""Runs beside each other: in order, none, one, and an error among them."""

import threading
import time

import pytest

from kb.onnx_session import THREADS, run_each


def test_results_come_in_the_order_of_what_was_given():
    def run(seconds):
        time.sleep(seconds)
        return seconds

    assert run_each(run, [0.03, 0.0, 0.02, 0.01]) == [0.03, 0.0, 0.02, 0.01]


def test_two_run_at_once():
    meet = threading.Barrier(THREADS, timeout=5)
    assert run_each(lambda _: meet.wait() >= 0, range(THREADS)) == [True] * THREADS


def test_nothing_gives_nothing():
    assert run_each(str, []) == []


@pytest.mark.parametrize("batches", [[0], [1, 0, 2]])
def test_an_error_is_raised(batches):
    with pytest.raises(ZeroDivisionError):
        run_each(lambda number: 1 / number, batches)
