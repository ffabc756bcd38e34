"""Word search: Korean words of two syllables and decomposed Hangul, through FTS5 alone and through the library."""

import unicodedata

import pytest

from kb.lexical import Counts, match
from kb.text import words

BODY = "이 층의 헤드는 반복되는 이름을 복사한다."


def decomposed(text):
    assert unicodedata.normalize("NFD", text) != text
    return unicodedata.normalize("NFD", text)


def found_by_words(library, query):
    """Document ids that FTS5 finds by the words of a query, with nothing else to help."""
    with library.store.read() as connection:
        names = dict(connection.exec_driver_sql("SELECT number, document_id FROM passages").all())
        return [names[number] for number, _ in match(connection, Counts(), words(query), 5)]


@pytest.fixture
def korean(library, write_notes):
    """Two notes with a Korean body under an English name, one of them stored decomposed, as macOS does."""
    library.add(
        write_notes(
            {
                "one.md": f"---\nid: one\n---\n{BODY}\n",
                "two.md": f"---\nid: two\n---\n{decomposed('희소 사전은 특징을 나눈다.')}\n",
                "three.md": "---\nid: three\n---\nNothing in Korean stands here.\n",
            }
        )
    )
    return library


@pytest.mark.parametrize(("word", "note"), [("헤드", "one"), ("이름", "one"), ("특징", "two"), ("희소", "two")])
def test_a_word_of_two_syllables_in_a_body_is_found_by_fts5_alone(korean, word, note):
    """Trap 8: FTS5's trigram tokenizer finds nothing for it."""
    assert found_by_words(korean, word) == [note]
    assert found_by_words(korean, decomposed(word)) == [note]


def test_two_syllables_that_the_body_does_not_hold_find_nothing(korean):
    assert found_by_words(korean, "회로") == []


def test_a_decomposed_note_is_stored_composed(korean):
    assert korean.document("two").text.strip() == "희소 사전은 특징을 나눈다."
    assert all(passage.text == unicodedata.normalize("NFC", passage.text) for passage in korean.passages("two"))


@pytest.mark.parametrize(
    ("question", "note"), [("특징을 나누는 희소 사전은 무엇인가", "two"), ("반복되는 이름을 복사하는 헤드는", "one")]
)
def test_a_decomposed_question_finds_what_the_composed_one_finds(korean, question, note):
    composed, apart = korean.search(question), korean.search(decomposed(question))
    assert composed.hits[0].document_id == note
    assert [hit.passage_id for hit in apart.hits] == [hit.passage_id for hit in composed.hits]
