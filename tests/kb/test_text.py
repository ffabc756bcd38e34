"""Text: one stored form, bigrams for Hangul, sentences with exact spans."""

import itertools
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from kb.text import content_words, is_korean, name_key, normalise, sentences, without_particle, words


def test_decomposed_hangul_becomes_composed():
    assert normalise(unicodedata.normalize("NFD", "귀납 헤드")) == "귀납 헤드"


def test_invisible_characters_and_line_ends_are_normalised():
    assert normalise("\ufeffa\u200bb\r\nc\u00a0d") == "ab\nc d"


def test_hangul_of_two_syllables_is_one_bigram():
    assert words("헤드") == ["헤드"]


def test_hangul_and_latin_words_separate():
    assert words("EAP-IG는 헤드를") == ["eap", "ig", "는", "헤드", "드를"]


def test_question_words_are_no_content():
    assert content_words("What is an induction head?") == ["induction", "head"]


def test_particle_is_stripped_from_korean_only():
    assert (without_particle("회로의"), without_particle("circuit")) == ("회로", "circuit")


def test_korean_question_with_english_terms_is_korean():
    assert is_korean("SAE feature는 어떻게 평가하나요")
    assert not is_korean("what does 회로 mean in this field, and who coined it?")


def test_name_key_ignores_case_and_punctuation():
    assert name_key("Direct Logit-Attribution (DLA)") == "direct logit attribution dla"


def test_abbreviations_do_not_end_a_sentence():
    text = "Wang et al. found 26 heads, e.g. 9.9. It keeps 87%."
    assert [text[a:b] for a, b in sentences(text)] == ["Wang et al. found 26 heads, e.g. 9.9.", "It keeps 87%."]


def test_list_items_are_sentences_of_their_own():
    text = "- one\n- two\n\n끝났다. 다음."
    assert [text[a:b] for a, b in sentences(text)] == ["- one", "- two", "끝났다.", "다음."]


@given(st.text(max_size=300))
def test_sentence_spans_are_in_order_and_hold_every_letter(text):
    spans = sentences(text)
    assert all(a < b for a, b in spans)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))
    kept = "".join(text[a:b] for a, b in spans)
    assert [c for c in text if c.isalnum()] == [c for c in kept if c.isalnum()]
