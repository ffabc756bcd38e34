"""Values of positions, worked by hand."""

import numpy as np
import pytest

from tools.attention_targets import Row
from tools.errors import ExperimentError
from tools.position_values import VALUES, check_value, is_flag, values_at

SPELLED = {1: "aa", 2: "bcd", 3: "x"}


def row(*tokens: int, numbers: list[float] | None = None) -> Row:
    """BOS (0) and these tokens."""
    ids = np.array([0, *tokens], np.int64)
    known = None if numbers is None else np.array([np.nan, *numbers])
    return Row(ids, ids > 0, known, {}, False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("word-length", [3, 2, 3, 1]),
        ("word-vowels", [0, 2, 0, 0]),
        ("is:x", [False, False, False, True]),
        ("index", [0, 1, 2, 3]),
        ("odd-index", [False, True, False, True]),
        ("first-half", [True, True, False, False]),
        ("second-half", [False, False, True, True]),
        ("length", [4, 4, 4, 4]),
        ("occurrences", [2, 1, 2, 1]),
        ("occurrences/length", [0.5, 0.25, 0.5, 0.25]),
        ("first-index", [0, 1, -1, 3]),
        ("mirror-equal", [False, False, False, False]),
    ],
)
def test_values_of_words(value: str, expected: list[object]):
    assert values_at(value, row(2, 1, 2, 3), SPELLED) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("number+index", [2, 5, 5]),
        ("number-index", [2, 3, 1]),
        ("number+previous", [None, 6, 7]),
        ("even-number", [True, True, False]),
        ("divisible-by-first", [True, True, False]),
        ("equals-first", [True, False, False]),
        ("largest", [4, 4, 4]),
        ("smallest", [2, 2, 2]),
    ],
)
def test_values_of_numbers(value: str, expected: list[object]):
    assert values_at(value, row(1, 2, 3, numbers=[2, 4, 3]), SPELLED) == expected


def test_what_means_nothing_is_left_out():
    assert values_at("number+index", row(1, 2), SPELLED) == [None, None]
    assert values_at("word-length", row(1, 9), SPELLED) == [2, None]


def test_an_unknown_value_lists_the_known_ones():
    with pytest.raises(ExperimentError, match="word-length"):
        check_value("colour")


def test_flags_are_yes_or_no():
    assert is_flag("is:x") and is_flag("vowel") and not is_flag("word-length")
    assert set(VALUES) >= {"odd-index", "even-index"}
