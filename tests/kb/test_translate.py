"""Korean questions in English words."""

from kb.translate import english_words, glossary


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
