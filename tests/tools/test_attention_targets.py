"""Targets as masks on hand-written rows; the experiment finds planted heads and tells their rivals apart."""

import numpy as np
import pytest

from tools.attention_targets import TARGETS, Row, mask_of
from tools.errors import ExperimentError
from tools.experiment import find_experiment
from tools.written import explained_by, nearest_centroid


def row(tokens: list[int], *, causal: bool = False) -> Row:
    """BOS is 0 and PAD is 9; every other token is its own number."""
    ids = np.array(tokens)
    return Row(ids, (ids != 0) & (ids != 9), ids.astype(float), {"END": len(tokens) - 1, "IO": 1}, causal)


def keys(target: str, tokens: list[int], query: int, *, causal: bool = False) -> list[int]:
    queries, mask = mask_of(target, row(tokens, causal=causal))
    return np.flatnonzero(mask[query]).tolist() if queries[query] else []


@pytest.mark.parametrize(
    ("target", "query", "expected"),
    [
        ("self", 2, [2]),
        ("previous", 2, [1]),
        ("previous", 1, []),
        ("next", 2, [3]),
        ("offset:-2", 3, [1]),
        ("first", 4, [1]),
        ("second", 1, [2]),
        ("last", 1, [4]),
        ("second-last", 1, [3]),
        ("mirror", 1, [4]),
        ("prefix", 2, [1, 2]),
        ("all", 2, [1, 2, 3, 4]),
        ("all+bos", 2, [0, 1, 2, 3, 4]),
        ("same", 1, [1, 3]),
        ("different", 1, [2, 4]),
        ("duplicate", 3, [1]),
        ("induction", 3, [2]),
        ("repeated", 2, [1, 3]),
        ("unique", 1, [2, 4]),
        ("smaller", 2, [1, 3, 4]),
        ("smaller", 1, []),
        ("smaller+bos", 1, [0]),
        ("larger", 4, [2]),
        ("sorts-before", 3, [1]),
        ("largest", 1, [2]),
        ("rank", 1, [1]),
        ("rank", 3, [4]),
    ],
)
def test_targets_by_hand(target: str, query: int, expected: list[int]):
    assert keys(target, [0, 3, 7, 3, 5, 9], query) == expected


def test_in_a_causal_model_relations_are_to_earlier_words_and_places_are_taken_at_their_word():
    assert keys("same", [0, 3, 7, 3], 1, causal=True) == [1]
    assert keys("all", [0, 3, 7, 3], 2, causal=True) == [1, 2, 3]


def test_labels_attend_to_labels():
    assert keys("END->IO", [0, 3, 7, 3], 3) == [1]


def test_unknown_targets_and_numbers_are_refused():
    with pytest.raises(ExperimentError, match="is no attention target"):
        mask_of("sideways", row([0, 3]))
    with pytest.raises(ExperimentError, match="are no numbers"):
        mask_of("smaller", Row(np.array([0, 3]), np.array([False, True]), None, {}, False))


def test_every_target_is_described():
    assert all(TARGETS.values())


def test_centroids_read_a_token_and_not_noise():
    rng = np.random.default_rng(0)
    labels, owner = rng.integers(0, 4, 400), np.arange(400) // 4
    outputs = np.eye(4)[labels] + 0.01 * rng.normal(size=(400, 4))
    assert nearest_centroid(outputs, labels, owner, 100).mean() == 1.0
    assert nearest_centroid(rng.normal(size=(400, 4)), labels, owner, 100).mean() < 0.4
    assert nearest_centroid(np.zeros((400, 4)), labels, owner, 100).mean() == 0.0


def test_a_line_is_told_from_a_cloud():
    rng = np.random.default_rng(0)
    known, owner = rng.random(200), np.arange(200) // 2
    line = np.outer(known, [1.0, -2.0, 0.5])
    assert explained_by(line, known, owner, 100).mean() > 0.999
    assert explained_by(line, None, owner, 100).mean() > 0.999
    assert explained_by(rng.normal(size=(200, 3)), known, owner, 100).mean() < 0.4
    assert explained_by(np.ones((200, 3)), None, owner, 100).mean() == 0.0


def test_the_experiment_is_registered_with_its_words():
    assert "rival" in find_experiment("attention-targets").doc
