"""The network that decides whether the library says anything: worked by hand, stored and read again."""

import json
import math

import numpy as np
import pytest

from kb.answerable import Answerable, Net, fitted, from_json, to_json
from kb.coverage import Unit, UnitSignals, WholeSignals
from kb.errors import KbError
from kb.evidence import Evidence, with_odds
from kb.reading import Sought

UNITS, WHOLE = len(UnitSignals._fields), len(WholeSignals._fields)


def one_hot(size, place, value=1.0):
    row = np.zeros((1, size))
    row[0, place] = value
    return row


def by_hand(threshold=0.5):
    """Reads `unused` alone: log odds 1 - mean - 2 max + 3 cosine, and nothing through the hidden layer."""
    net = Net(
        inner=(one_hot(UNITS, 0, 1e-3), np.zeros(1)),
        outer=(np.array([[1e3]]), np.zeros(1)),
        hidden=(np.zeros((1, 2 + WHOLE)), np.zeros(1)),
        last=(np.zeros((1, 1)), np.zeros(1)),
        straight=(np.concatenate([[[-1.0, -2.0]], one_hot(WHOLE, 0, 3.0)], axis=1), np.ones(1)),
    )
    return Answerable((np.zeros(UNITS), np.ones(UNITS)), (np.zeros(WHOLE), np.ones(WHOLE)), (net,), threshold)


def seen(*unused, cosine=0.0):
    rest = (0.0,) * (UNITS - 1)
    found = tuple((Unit("w", '"w"', "w"), UnitSignals(flag, *rest)) for flag in unused)
    return evidence(found, WholeSignals(cosine=cosine))


def evidence(units, whole):
    return Evidence(tuple(units), whole, Sought(np.zeros(0), [], (), ()), "", ())


@pytest.mark.parametrize(
    ("met", "log_odds"),
    [(seen(0.0), 1.0), (seen(1.0), -2.0), (seen(1.0, 0.0), -1.5), (seen(1.0, 0.0, cosine=0.5), 0.0)],
)
def test_the_chance_is_what_the_network_says_by_hand(met, log_odds):
    assert by_hand().chance(met) == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=1e-4)


def test_a_question_without_words_has_no_answer():
    assert fitted().chance(evidence((), WholeSignals(cosine=1.0))) == 0.0


def test_stored_and_read_again_it_says_the_same():
    again = from_json(json.loads(json.dumps(to_json(by_hand()))))
    assert again.chance(seen(1.0, 0.0)) == pytest.approx(by_hand().chance(seen(1.0, 0.0)))


def test_a_rule_for_other_signals_is_refused():
    stored = to_json(by_hand())
    stored["signals"]["unit"] = stored["signals"]["unit"][1:]
    with pytest.raises(KbError, match="library_answerable"):
        from_json(stored)


def test_the_rule_that_ships_prefers_words_that_are_met():
    met = UnitSignals(0, 0.4, 1, 1, 1, 1, 0, 0, 0.5, 0)
    missed = UnitSignals(1, 1.0, 0, 0, 0, 0, 0, 1, 0.5, 0)
    whole = WholeSignals(cosine=0.5, score=1.0, margin=0.3, covered=0.6, meant=1.0, worded=1.0, matched=0.6, length=0.4)
    known, strange = ([(Unit("w", '"w"', "w"), signals)] * 4 for signals in (met, missed))
    assert fitted().chance(evidence(known, whole)) > 2 * fitted().chance(evidence(strange, whole))


def test_the_rule_that_ships_believes_the_cross_encoder_where_all_else_is_equal():
    """Every word is met, the documents are near: what tells a detail that no passage gives is reading it."""
    met = [(Unit("w", '"w"', "w"), UnitSignals(0, 0.4, 1, 1, 1, 1, 0, 0, 0.5, 0))] * 5
    whole = WholeSignals(cosine=0.6, score=1.0, margin=0.3, covered=0.8, meant=1.0, worded=1.0, matched=0.6, length=0.4)
    chances = [fitted().chance(evidence(met, with_odds(whole, [odds]))) for odds in (-8.0, -4.0, 0.0, 4.0)]
    assert chances == sorted(chances)
    assert chances[-1] > chances[0] + 0.3
