"""How the words of a question are met: units of both languages, and what the best documents hold of them."""

import pytest

from kb.coverage import korean_stems, shares, units
from kb.evaluate import Question, ask
from kb.fusion import Weights
from kb.search import NOTHING


def words_of(question):
    return [unit.word for unit in units(question)]


def test_words_that_only_ask_are_no_units():
    assert words_of("which paper explains what an induction head is?") == ["induction", "head"]


def test_a_compound_is_one_unit_whose_parts_need_not_stand_side_by_side():
    (unit,) = units("cross-attention?")
    assert (unit.word, unit.expression) == ("cross-attention", '("cross" AND "attention")')


def test_words_of_both_languages_in_one_question():
    assert words_of("What is the English term for 귀납 헤드?") == ["귀납", "헤드"]
    assert words_of("restricted loss랑 MLP는") == ["restricted", "loss", "MLP"]


@pytest.mark.parametrize("question", ["what does L10H7 do?", "the role of a10.h7"])
def test_a_head_is_known_by_its_identifier(question):
    assert ("a10.h7",) in [unit.keys for unit in units(question)]


def test_a_korean_word_is_met_by_its_translation():
    (unit,) = units("회로는 무엇인가요")
    assert unit.english == "circuit"
    assert '"circuit"' in unit.expression


@pytest.mark.parametrize(
    ("word", "stem"), [("추적하는지", "추적"), ("추천해", "추천"), ("학습된", "학습"), ("헤드는", "헤드"), ("회로", "회로"), ("효과", "효과")]
)  # fmt: skip
def test_particles_and_verb_endings_are_taken_off_a_korean_word(word, stem):
    assert korean_stems(word)[-1] == stem


def evidence(library, question):
    return ask(library.searcher(Weights()), Question(q=question))[2]


def signals_of(library, question, word):
    return next(signals for unit, signals in evidence(library, question).units if unit.word == word)


def test_a_word_that_the_library_never_uses(starter):
    strange = signals_of(starter, "induction heads in Zanzibar", "Zanzibar")
    known = signals_of(starter, "induction heads in Zanzibar", "induction")
    assert (strange.unused, strange.best, strange.marked) == (1.0, 0.0, 0.0)
    assert (known.unused, known.best, known.named) == (0.0, 1.0, 1.0)
    assert strange.rarity == pytest.approx(1.0)
    assert known.rarity < 0.9


def test_an_identifier_in_another_spelling_is_not_unknown(starter):
    assert signals_of(starter, "what does head L10H7 do?", "L10H7").unused == 0.0


def test_shares_are_weighed_by_rarity(starter):
    _, signals = zip(*evidence(starter, "induction heads in Zanzibar").units, strict=True)
    covered, unknown = shares(signals)
    assert covered + unknown <= 1.0
    assert unknown > 1 / 3  # one of three words, and the rarest


def test_a_declined_search_names_the_words_that_the_library_never_uses(starter):
    result = starter.search("train times from Vienna to Prague on sunday")
    assert result.sentence == f"{NOTHING} It never uses 'Vienna', 'Prague', 'sunday'."
