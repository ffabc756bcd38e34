"""Passages: verbatim spans, inside the budget, with ids that survive edits elsewhere."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from kb.passages import TARGET, PageStart, cut_passages


def test_heading_path_is_the_context_and_not_the_text():
    text = "# A\n\nfirst\n\n## B\n\nsecond\n"
    assert [(cut.heading, cut.text) for cut in cut_passages("d", text)] == [("A", "first"), ("A > B", "second")]


def test_hash_in_code_is_no_heading():
    text = "## Code\n\n```python\n# not a heading\nx = 1\n```\n"
    assert [cut.heading for cut in cut_passages("d", text)] == ["Code"]


def test_callout_is_a_passage_of_its_own():
    text = "One line.\n\n> [!summary] 한국어\n> 요약이다.\n\nMore text."
    assert [cut.text for cut in cut_passages("d", text)] == [
        "One line.",
        "> [!summary] 한국어\n> 요약이다.",
        "More text.",
    ]


def test_id_survives_an_edit_elsewhere():
    before = cut_passages("d", "## A\n\nkept text\n\n## B\n\nold\n")
    after = cut_passages("d", "## A\n\nmuch longer than before\n\n## C\n\nkept text\n")
    assert before[0].id == after[1].id
    assert before[0].start != after[1].start


def test_same_text_twice_has_two_ids():
    cuts = cut_passages("d", "## A\n\nsame\n\n## B\n\nsame\n")
    assert len({cut.id for cut in cuts}) == 2


def test_pages_are_those_of_the_beginning():
    text = "a" * 10 + "\n\n" + "b" * 10
    cuts = cut_passages("d", f"## X\n{text}\n\n## Y\nend", pages=[PageStart(1, 0), PageStart(2, 25)])
    assert [cut.page for cut in cuts] == [1, 2]


@settings(max_examples=60)
@given(st.text(alphabet="abc .\n-#가나다", max_size=4000))
def test_passages_are_verbatim_in_order_and_inside_the_budget(text):
    cuts = cut_passages("d", text, measure=lambda piece: len(piece) // 2 + 2, budget=60)
    assert all(text[cut.start : cut.end] == cut.text for cut in cuts)
    assert all(first.end <= second.start for first, second in itertools.pairwise(cuts))
    assert all(len(cut.text) <= TARGET and len(cut.text) // 2 + 2 <= 62 for cut in cuts)


def test_hangul_is_counted_even_where_its_characters_would_fit():
    """A syllable is up to three tokens of an English vocabulary: 60 of them overrun a budget that 60 Latin letters keep."""
    text = "가나다 라마바. " * 7
    cuts = cut_passages("d", text, measure=lambda piece: 3 * len(piece), budget=100)
    assert len(cuts) > 1
    assert all(3 * len(cut.text) <= 100 for cut in cuts)
