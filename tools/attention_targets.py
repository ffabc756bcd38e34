"""Where a head should look, if it does what is said of it: a small language of targets, as masks over keys.

A target names, for each query position, the key positions that the head is said to attend to: `previous`, `first`,
`mirror`, `offset:-2`, `smaller` (keys whose number is smaller than the query's), `repeated` (keys whose token occurs
more than once), `END->IO` (one position label attending to another), ... Words are all tokens but BOS and PAD; numbers
are known only where the task's tokens are numbers. `+bos` after a target adds the BOS position. Knows no model.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.errors import ExperimentError
from tools.prompts import ABSENT, Ints

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Row:
    """One prompt: its tokens, which of them are words, their numbers when they have any, and labelled positions."""

    tokens: Ints
    word: Mask
    numbers: NDArray[np.float64] | None
    labels: Mapping[str, int]
    causal: bool

    @property
    def words(self) -> Ints:
        """Indices of the words, in order."""
        return np.flatnonzero(self.word).astype(np.int64)


TARGETS: dict[str, str] = {
    "self": "the query's own position",
    "previous": "the position before",
    "next": "the position after",
    "first": "the first word",
    "second": "the second word",
    "last": "the last word",
    "second-last": "the last word but one",
    "mirror": "the word at the mirrored index",
    "prefix": "this word and all earlier ones",
    "all": "every word",
    "earlier": "all earlier words",
    "later": "all later words",
    "same": "words with the same token as the query's",
    "different": "words with another token than the query's",
    "duplicate": "earlier words with the same token as the query's",
    "induction": "words that follow an earlier occurrence of the query's token",
    "repeated": "words whose token occurs more than once",
    "unique": "words whose token occurs exactly once",
    "smaller": "words with a smaller number than the query's",
    "larger": "words with a larger number than the query's",
    "sorts-before": "words that a stable ascending sort puts before the query's",
    "sorts-after": "words that a stable ascending sort puts after the query's",
    "largest": "words with the largest number",
    "smallest": "words with the smallest number",
    "rank": "the word whose place in a stable ascending sort is the query's index",
}
RELATIONS = frozenset({"same", "different", "duplicate", "induction", "repeated", "unique", "smaller", "larger"})
NUMERIC = frozenset({"smaller", "larger", "sorts-before", "sorts-after", "largest", "smallest", "rank"})
_OFFSET = re.compile(r"offset:([+-]?\d+)$")
_LABELS = re.compile(r"([A-Za-z][\w+-]*)->([A-Za-z][\w+-]*)$")


def check_target(target: str) -> None:
    """Raise ExperimentError listing the targets unless `target` is one."""
    plain = target.removesuffix("+bos")
    if plain not in TARGETS and not _OFFSET.match(plain) and not _LABELS.match(plain):
        raise ExperimentError(
            f"{target!r} is no attention target; there are {', '.join(TARGETS)}, offset:-2, and END->IO for labels."
        )


def mask_of(target: str, row: Row) -> tuple[Mask, Mask]:
    """(queries [pos], keys [pos, pos]) of a target on one prompt: queries are those with at least one key.

    In a causal model a relation ("the same token") means earlier words; a place ("the last word", "every word") is
    taken at its word, so a head that cannot look there does not match.

    Raises ExperimentError for an unknown target, a missing label, or numbers where the tokens are none.
    """
    check_target(target)
    plain = target.removesuffix("+bos")
    if labels := _LABELS.match(plain):
        return _labelled(labels[1], labels[2], row)
    keys = _keys(plain, row) & row.word[:, None] & row.word[None, :]
    if row.causal and plain in RELATIONS:
        keys &= np.tri(len(row.tokens), dtype=bool)
    queries = _any_key(keys)
    if target.endswith("+bos"):
        keys = keys | (row.word[:, None] & (np.arange(len(row.tokens)) == 0)[None, :])
        queries = row.word.copy()
    return queries, keys


def _any_key(keys: Mask) -> Mask:
    return np.asarray(keys.any(1), dtype=bool)


def _labelled(query: str, key: str, row: Row) -> tuple[Mask, Mask]:
    size = len(row.tokens)
    places: list[int] = []
    for label in (query.upper(), key.upper()):
        if row.labels.get(label, ABSENT) == ABSENT:
            raise ExperimentError(f"this task has no position {label!r}; its positions are {', '.join(row.labels)}.")
        places.append(row.labels[label])
    keys = np.zeros((size, size), bool)
    keys[places[0], places[1]] = True
    return _any_key(keys), keys


def _keys(target: str, row: Row) -> Mask:
    if target in NUMERIC:
        return _numeric(target, row)
    size = len(row.tokens)
    query, key = np.arange(size)[:, None], np.arange(size)[None, :]
    if offset := _OFFSET.match(target):
        return key == query + int(offset[1])
    same = row.tokens[:, None] == row.tokens[None, :]
    words = row.words
    counts = np.array([(row.tokens[words] == token).sum() for token in row.tokens])
    first, last = (int(words[0]), int(words[-1])) if words.size else (0, 0)
    match target:
        case "self":
            return key == query
        case "previous":
            return key == query - 1
        case "next":
            return key == query + 1
        case "first" | "second":
            return np.broadcast_to(key == first + (target == "second"), (size, size))
        case "last" | "second-last":
            return np.broadcast_to(key == last - (target == "second-last"), (size, size))
        case "mirror":
            return key == first + last - query
        case "prefix":
            return key <= query
        case "earlier":
            return key < query
        case "later":
            return key > query
        case "all":
            return np.ones((size, size), bool)
        case "same":
            return same
        case "different":
            return ~same
        case "duplicate":
            return same & (key < query)
        case "induction":
            shifted = np.zeros_like(same)
            shifted[:, 1:] = same[:, :-1]
            return shifted & (key <= query)
        case "repeated" | "unique":
            return np.broadcast_to((counts > 1) if target == "repeated" else (counts == 1), (size, size))
        case _:
            raise ExperimentError(f"{target!r} is no attention target.")


def _numeric(target: str, row: Row) -> Mask:
    if row.numbers is None:
        raise ExperimentError(f"the tokens of this task are no numbers, so {target!r} means nothing here.")
    size, numbers = len(row.tokens), row.numbers
    query, key = np.arange(size)[:, None], np.arange(size)[None, :]
    ours, theirs = numbers[:, None], numbers[None, :]
    before = (theirs < ours) | ((theirs == ours) & (key < query))
    words = row.words
    if not words.size:
        return np.zeros((size, size), bool)
    match target:
        case "smaller":
            return theirs < ours
        case "larger":
            return theirs > ours
        case "sorts-before":
            return before
        case "sorts-after":
            return ~before & (key != query)
        case "largest" | "smallest":
            extreme = numbers[words].max() if target == "largest" else numbers[words].min()
            return np.broadcast_to(theirs == extreme, (size, size))
        case _:
            place = words[0] + (before & row.word[None, :]).sum(1)  # where a stable sort puts each word
            return place[None, :] == query
