"""PDF: columns, hyphens, running headers, pages; broken files in a sentence."""

import pytest

from kb.errors import ReadError
from kb.readers.pdf import read

WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa"


def column(x, top, lines, size=10):
    return [(x, top - 14 * row, size, text) for row, text in enumerate(lines)]


def page(number, left, right):
    return [
        (72, 760, 9, "Journal of Circuits"),
        *column(60, 700, left),
        *column(330, 700, right),
        (300, 30, 9, str(number)),
    ]


def left_then_right(side, rows=14):
    return [f"{side} line {row:02d} {WORDS[:30]}" for row in range(rows)]


@pytest.fixture
def paper(make_pdf):
    first = [(72, 730, 20, "A Study of Two Columns"), *page(1, left_then_right("left"), left_then_right("right"))]
    rest = [page(n, left_then_right(f"left{n}"), left_then_right(f"right{n}")) for n in range(2, 5)]
    return read(make_pdf("paper.pdf", [first, *rest]), origin="file")[0]


def test_left_column_is_read_before_the_right(paper):
    order = [paper.text.index(mark) for mark in ("left line 00", "left line 13", "right line 00", "right line 13")]
    assert order == sorted(order)


def test_running_header_and_page_numbers_are_gone(paper):
    assert "Journal of Circuits" not in paper.text
    assert not [line for line in paper.text.splitlines() if line.strip().isdigit()]


def test_pages_are_kept(paper):
    starts = {mark.page: mark.start for mark in paper.pages}
    assert sorted(starts) == [1, 2, 3, 4]
    assert starts[3] <= paper.text.index("left3 line 00") < starts[4]


def test_title_is_the_largest_text(paper):
    assert paper.title == "A Study of Two Columns"


def test_words_hyphenated_at_a_line_end_are_joined(make_pdf):
    lines = column(
        72, 700, [f"some text to fill the line number {n}" for n in range(6)] + ["this is interpret-", "ability here"]
    )
    assert "this is interpretability here" in read(make_pdf("h.pdf", [lines]), origin="file")[0].text


def test_section_titles_become_headings(make_pdf):
    lines = column(
        72, 700, ["Abstract", *["We study circuits in models."] * 5, "2 Related Work", "Others did so before."]
    )
    text = read(make_pdf("s.pdf", [lines]), origin="file")[0].text
    assert "## Abstract\n\nWe study" in text
    assert "## 2 Related Work\n\nOthers" in text


def test_arxiv_stamp_gives_the_id(make_pdf):
    lines = [(72, 20, 10, "arXiv:2211.00593v1 [cs.LG] 1 Nov 2022"), *column(72, 700, ["text of a paper here"] * 10)]
    assert read(make_pdf("a.pdf", [lines]), origin="file")[0].front["arxiv"] == "2211.00593"


def test_scanned_pdf_without_text_is_refused(make_pdf):
    with pytest.raises(ReadError, match="scanned"):
        read(make_pdf("empty.pdf", [[]]), origin="file")


def test_broken_pdf_is_refused(tmp_path):
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4 and then nothing")
    with pytest.raises(ReadError, match="cannot be opened as a PDF"):
        read(tmp_path / "b.pdf", origin="file")
