"""Which passage of a found document is shown: the one whose own text answers."""

import pytest

from kb.reading import asks_for_a_number

NOTE = """---
id: goose-heads
title: Goose heads
questions: [which parts honk at night]
---

# Goose heads

Heads that follow one another in a row.

## Findings
- The circuit of the geese is made of 17 heads in four layers of the small model.

## Method
- Every head was switched off alone, and the loss on honking text was compared with that of `a3.h4` switched off.

## Limits
- The circuit of the geese misses all heads that work only when others fail.

## Links
- [[duck-heads]]: heads of the circuit, misses, loss
"""


@pytest.fixture
def geese(library, write_notes):
    library.add(write_notes({"goose.md": NOTE}))
    return library


def shown(library, question):
    return library.search(question).hits[0].heading.rpartition(" > ")[2]


def test_the_passage_that_holds_the_words_of_the_question(geese):
    assert shown(geese, "which heads does the circuit of the geese miss?") == "Limits"
    assert shown(geese, "what was the loss of honking compared with?") == "Method"


def test_a_question_for_a_number_is_shown_a_figure(geese):
    assert shown(geese, "how many heads has the circuit of the geese?") == "Findings"


def test_the_passage_that_holds_the_identifier(geese):
    assert shown(geese, "what about head L3H4 of the geese?") == "Method"


def test_a_list_of_links_is_not_shown(geese):
    assert shown(geese, "heads of the circuit, misses, loss") != "Links"


@pytest.mark.parametrize("question", ["How many heads?", "헤드가 몇 개야?", "비율은 얼마"])
def test_questions_for_a_number(question):
    assert asks_for_a_number(question)


def test_other_questions_ask_for_no_number():
    assert not asks_for_a_number("how does it copy?")


MIXED = """# Duck heads

> [!summary] 한국어
> 오리 헤드는 duck 회로에서 duck heads 이름을 옮겨 적는다.

## Definition
- Duck heads copy a name.
"""


def test_an_english_question_is_shown_english_where_there_is_some(library, write_notes):
    library.add(write_notes({"duck.md": MIXED, "swan.md": "# Swan\n\n백조 헤드 swan heads 는 이름을 옮긴다."}))
    first = {hit.title: hit.text for hit in library.search("what are duck heads, what are swan heads").hits}
    assert first["Duck heads"] == "- Duck heads copy a name."
    assert "백조" in first["Swan"]


def test_a_korean_question_is_shown_what_fits_best(library, write_notes):
    library.add(write_notes({"duck.md": MIXED}))
    found = library.search("오리 헤드는 무엇을 옮겨 적나")
    assert "오리 헤드" in (found.hits or found.nearest)[0].text
