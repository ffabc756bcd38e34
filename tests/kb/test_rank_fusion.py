"""Why scores are summed and not reciprocal ranks: trap 10 of PITFALLS.md on hand-made rankings.

That the fitted weights are better on real questions is the benchmark's to say: `circuit-court library evaluate` prints
"reciprocal ranks, equal weights" beside every other ranking.
"""

import pytest

from kb.evaluate import _orders
from kb.fusion import Candidate, Gathered, Weights

FITTED, EQUAL = _orders(Weights())["fused"], _orders(Weights())["reciprocal ranks, equal weights"]


def gathered(**found):
    """One passage for each document, given as (cosine, BM25), with the ranks that these make."""
    candidates = {}
    for number, (document, (cosine, words)) in enumerate(found.items(), start=1):
        made = Candidate(document_id=document, trust="high", verification="verified", cosine=cosine, words=words)
        candidates[number] = made
    for leg in ("cosine", "words"):
        ordered = sorted(candidates.values(), key=lambda candidate: -getattr(candidate, leg))
        for rank, candidate in enumerate(ordered, start=1):
            candidate.ranks[leg] = rank
    return Gathered(korean=False, candidates=candidates, named=0)


CASES = {
    "far nearer in meaning, third by a hair in words": gathered(
        right=(0.82, 11.8), long_list=(0.45, 12.0), other=(0.40, 11.9), last=(0.1, 2.0)
    ),
    "holds the rare words, second by a hair in meaning": gathered(
        right=(0.60, 14.0), near=(0.61, 3.0), off=(0.59, 4.0), last=(0.1, 1.0)
    ),
    "nearly the nearest, with words that the first in words hardly beats": gathered(
        right=(0.71, 9.0), words_only=(0.70, 9.3), near=(0.72, 1.0), last=(0.1, 0.5)
    ),
}


def place(order, case):
    return 1 + order(CASES[case], lambda name: name).index("right")


def mean_reciprocal_rank(order):
    return sum(1 / place(order, case) for case in CASES) / len(CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_fitted_fusion_is_never_behind_equal_ranks(case):
    assert place(FITTED, case) <= place(EQUAL, case)


def test_the_fitted_fusion_beats_equal_reciprocal_ranks_where_margins_tell():
    assert mean_reciprocal_rank(FITTED) > mean_reciprocal_rank(EQUAL)
