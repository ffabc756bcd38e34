"""Korean questions in English words."""

import pytest

from kb.translate import english_words, glossary, is_asking


def test_longest_entry_wins():
    assert "large" in english_words("대규모 언어 모델")


def test_stem_before_an_ending():
    assert "drop" in english_words("성능이 떨어지나요")


def test_compounds_are_read_in_parts():
    assert english_words("회로추적") == ["circuit", "tracing"]


def test_one_syllable_must_be_the_whole_word():
    assert "poem" not in english_words("시험")
    assert "poem" in english_words("시를")


def test_latin_words_are_kept_and_unknown_ones_give_nothing():
    assert english_words("SAEBench 뷁쉙") == ["SAEBench"]


def test_every_entry_is_hangul_with_english():
    assert all(any("가" <= letter <= "힣" for letter in korean) for korean in glossary())
    assert all(english.strip() for english in glossary().values())


@pytest.mark.parametrize(
    ("word", "english"),
    [("주의", "attention"), ("전이", "transition"), ("빈도", "frequency"), ("길이", "length"), ("사이", "between")],
)
def test_a_word_that_only_ends_like_a_particle_is_read_whole(word, english):
    assert english in english_words(word)[0].split() or english in english_words(word)


def test_an_entry_of_several_words_may_end_like_a_particle():
    assert (
        english_words("발화 빈도") == english_words("발화 빈도가") != [*english_words("발화"), *english_words("빈도")]
    )


@pytest.mark.parametrize("word", ["인과", "온도", "의도", "각도", "알아보는"])
def test_a_content_word_that_ends_like_an_asking_word_with_a_particle_is_none(word):
    assert not is_asking(word)
    assert english_words(word)


@pytest.mark.parametrize("word", ["주는", "주로", "별로", "얼마나", "무엇을"])
def test_words_that_only_ask_or_point(word):
    assert is_asking(word)
