"""What a component could write at each word of a prompt: a small language of values, computed from the prompt alone.

A value names one thing that is true of a position: `word-length`, `odd-index`, `number+index`, `is:x`, `mirror-equal`, ...
Words are all tokens but BOS and PAD; indices count words from 0; numbers are known only where the task's tokens are
numbers, spellings where it tells them. A value that means nothing at a position is None there. Knows no model.
"""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from tools.attention_targets import Row
from tools.errors import ExperimentError

VOWELS = frozenset("aeiouAEIOU")
FLAGS: dict[str, str] = {
    "odd-index": "whether the index is odd",
    "even-index": "whether the index is even",
    "first-half": "whether the position is in the first half",
    "second-half": "whether the position is in the second half",
    "even-number": "whether the number is even",
    "odd-number": "whether the number is odd",
    "vowel": "whether the token is a vowel",
    "mirror-equal": "whether the mirrored token is the same",
    "divisible-by-first": "whether the number is divisible by the first number",
    "equals-first": "whether the number equals the first number",
}
VALUES: dict[str, str] = {
    **FLAGS,
    "token": "the token",
    "index": "the index",
    "length": "the length of the sequence",
    "word-length": "the length of the word",
    "word-vowels": "the number of vowels in the word",
    "occurrences": "how often the token occurs",
    "occurrences/length": "how often the token occurs, divided by the length",
    "first-index": "the index at first appearances, -1 at repeats",
    "number+index": "the number plus the index",
    "number-index": "the number minus the index",
    "number+previous": "the number plus the previous one",
    "largest": "the largest number of the sequence",
    "smallest": "the smallest number of the sequence",
}
_IS = re.compile(r"is:(.+)$")


class Words:
    """The words of one prompt: places, tokens, numbers and spellings."""

    def __init__(self, row: Row, spelled: Mapping[int, str]) -> None:
        self.places = row.words
        self.tokens = [int(row.tokens[p]) for p in self.places]
        self.numbers = None if row.numbers is None else [float(row.numbers[p]) for p in self.places]
        self.spelled = [spelled.get(token) for token in self.tokens]


def check_value(value: str) -> None:
    """Raise ExperimentError listing the values unless `value` is one."""
    if value not in VALUES and not _IS.match(value):
        raise ExperimentError(f"{value!r} is no value of a position; there are {', '.join(VALUES)} and is:TOKEN.")


def value_words(value: str) -> str:
    """The value in words."""
    found = _IS.match(value)
    return f"whether the token is {found[1]!r}" if found else VALUES[value]


def is_flag(value: str) -> bool:
    """Whether the value is a yes or no."""
    return value in FLAGS or _IS.match(value) is not None


def values_at(value: str, row: Row, spelled: Mapping[int, str]) -> list[Any]:
    """The value at each word of a prompt, in order; None where it means nothing. Raises ExperimentError if unknown."""
    check_value(value)
    words = Words(row, spelled)
    if found := _IS.match(value):
        return [None if text is None else text == found[1] for text in words.spelled]
    if value in _NUMERIC:
        numbers = words.numbers
        return [None] * len(words.tokens) if numbers is None else _NUMERIC[value](numbers)
    if value in _SPELLED:
        return [None if text is None else _SPELLED[value](text) for text in words.spelled]
    return _PLAIN[value](words.tokens)


def _first_index(tokens: list[int]) -> list[Any]:
    return [i if token not in tokens[:i] else -1 for i, token in enumerate(tokens)]


_PLAIN: dict[str, Callable[[list[int]], list[Any]]] = {
    "token": list,
    "index": lambda tokens: list(range(len(tokens))),
    "odd-index": lambda tokens: [i % 2 == 1 for i in range(len(tokens))],
    "even-index": lambda tokens: [i % 2 == 0 for i in range(len(tokens))],
    "first-half": lambda tokens: [2 * i < len(tokens) for i in range(len(tokens))],
    "second-half": lambda tokens: [2 * i >= len(tokens) for i in range(len(tokens))],
    "length": lambda tokens: [len(tokens)] * len(tokens),
    "occurrences": lambda tokens: [tokens.count(token) for token in tokens],
    "occurrences/length": lambda tokens: [round(tokens.count(token) / len(tokens), 9) for token in tokens],
    "first-index": _first_index,
    "mirror-equal": lambda tokens: [a == b for a, b in zip(tokens, reversed(tokens), strict=True)],
}
_NUMERIC: dict[str, Callable[[list[float]], list[Any]]] = {
    "even-number": lambda numbers: [x % 2 == 0 for x in numbers],
    "odd-number": lambda numbers: [x % 2 == 1 for x in numbers],
    "divisible-by-first": lambda numbers: [None if numbers[0] == 0 else x % numbers[0] == 0 for x in numbers],
    "equals-first": lambda numbers: [x == numbers[0] for x in numbers],
    "number+index": lambda numbers: [x + i for i, x in enumerate(numbers)],
    "number-index": lambda numbers: [x - i for i, x in enumerate(numbers)],
    "number+previous": lambda numbers: [None, *(a + b for a, b in pairwise(numbers))],
    "largest": lambda numbers: [max(numbers)] * len(numbers),
    "smallest": lambda numbers: [min(numbers)] * len(numbers),
}
_SPELLED: dict[str, Callable[[str], Any]] = {
    "word-length": len,
    "word-vowels": lambda text: sum(letter in VOWELS for letter in text),
    "vowel": lambda text: text in VOWELS,
}
