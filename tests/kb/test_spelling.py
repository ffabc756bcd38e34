"""Slips of the pen: what counts as one, and what is left as it was written."""

import pytest

from kb.library import Library
from kb.spelling import Spelling, is_slip


@pytest.mark.parametrize("slip", ["polysematic", "polyssemantic", "polysemantoc", "polysemanitc", "olysemantic"])
def test_one_letter_away_is_a_slip(slip):
    assert is_slip(slip, "polysemantic")
    assert is_slip("polysemantic", slip)


@pytest.mark.parametrize("slip", ["sucessor", "succesor", "successro", "sucecssor"])
def test_the_name_that_is_meant(slip):
    assert Spelling(["successor", "heads", "superposition"]).meant(slip) == "successor"


@pytest.mark.parametrize("word", ["successor", "process", "head", "sucesor", "후계자", "9999999"])
def test_everything_else_stays(word):
    assert Spelling(["successor", "heads"]).meant(word) is None


def test_between_two_names_nothing_is_guessed():
    assert Spelling(["patching", "matching"]).meant("latching") is None


def test_search_says_what_it_searched_for(starter):
    result = starter.search("what do sucessor heads do?")
    assert result.hits[0].document_id.startswith("successor-head")
    assert "'successor'" in result.remarks[-1]


@pytest.mark.parametrize("word", ["persona", "binding", "cancer", "hours", "brain"])
def test_a_word_of_the_language_is_no_slip(minilm, word):
    assert minilm.knows(word)


@pytest.mark.parametrize("slip", ["sucessor", "raodmap", "polysematic"])
def test_a_slip_is_no_word_of_the_language(minilm, slip):
    assert not minilm.knows(slip)


def test_words_of_the_language_are_searched_as_they_are_written(tmp_path, minilm):
    with Library.open(tmp_path, embedder=minilm) as library:
        library.add_text(
            "# A person\n\nA note on one person and the finding that heads cancel each other.", title="Person"
        )
        assert library.search("persona vectors").remarks == ()
