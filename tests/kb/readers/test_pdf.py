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


def front_page(*extra):
    body = column(72, 500, [f"running text of the paper, line {n}, goes on" for n in range(14)])
    return [
        (72, 720, 18, "Heads That Copy Names"),
        (72, 690, 11, "Ada M. van Beek"),
        (155, 695, 7, "1*"),
        (250, 690, 11, "Jun-Ho Kim"),
        (72, 674, 10, "University of Examples, Department of Circuits"),
        (72, 660, 10, "ada@example.org"),
        (72, 640, 11, "Priya Rao and Li Wei"),
        (72, 540, 10, "Abstract. This paper studies heads."),
        *body,
        *extra,
    ]


def test_authors_are_the_names_between_title_and_abstract(make_pdf):
    paper = read(make_pdf("f.pdf", [front_page()]), origin="file")[0]
    assert paper.front["authors"] == ["Ada M. van Beek", "Jun-Ho Kim", "Priya Rao", "Li Wei"]


@pytest.mark.parametrize(
    ("line", "year"),
    [
        ("Published as a conference paper at ICLR 2024", 2024),
        ("Proceedings of the 5th Workshop on Circuits, July 2019", 2019),
        ("as was shown in 2017 by others", None),
    ],
)
def test_year_is_what_the_page_states(make_pdf, line, year):
    paper = read(make_pdf("f.pdf", [front_page((72, 60, 8, line))]), origin="file")[0]
    assert paper.front["year"] == year


def test_abstract_that_opens_its_own_line_is_a_heading(make_pdf):
    text = read(make_pdf("f.pdf", [front_page()]), origin="file")[0].text
    assert "## Abstract\n\nThis paper studies heads." in text


def test_footnote_and_caption_do_not_split_a_sentence(make_pdf):
    lines = [
        *column(72, 700, ["Some first words of the page are here.", "A sentence that begins in this line and"]),
        (72, 640, 10, "Figure 1: What the heads do."),
        (72, 612, 7, "1 A footnote in small print."),
        *column(72, 580, ["ends in this one, after the figure.", *["More text follows it in the same size."] * 6]),
    ]
    text = read(make_pdf("c.pdf", [lines]), origin="file")[0].text
    assert "begins in this line and ends in this one" in text
    assert "Figure 1: What the heads do." in text
    assert "1 A footnote in small print." in text


def test_accents_of_size_and_colour_do_not_split_words(make_pdf):
    lines = [
        *column(72, 700, ["Enough text to be a page of a paper, line one."] * 8),
        (72, 500, 12, "S"),
        (80.1, 500, 9, "PECTER and"),
        (136, 500, 12, "more"),
    ]
    assert "SPECTER and more" in read(make_pdf("s.pdf", [lines]), origin="file")[0].text


def test_page_on_its_side_is_read(make_pdf, tmp_path):
    import pypdfium2
    from pypdfium2 import raw

    pdf = pypdfium2.PdfDocument(
        make_pdf("t.pdf", [column(72, 700, [f"turned text in line {n} of it" for n in range(12)])])
    )
    for thing in pdf[0].get_objects():
        raw.FPDFPageObj_Transform(thing, 0, 1, -1, 0, 700, 0)
    pdf[0].gen_content()
    pdf.save(tmp_path / "turned.pdf")
    assert (
        "turned text in line 3 of it turned text in line 4 of it"
        in read(tmp_path / "turned.pdf", origin="file")[0].text
    )


def test_arxiv_stamp_gives_the_year(make_pdf):
    lines = [(72, 20, 10, "arXiv:2211.00593v1 [cs.LG] 1 Nov 2022"), *column(72, 700, ["text of a paper here"] * 10)]
    assert read(make_pdf("a.pdf", [lines]), origin="file")[0].front["year"] == 2022


def test_scanned_pdf_without_text_is_refused(make_pdf):
    with pytest.raises(ReadError, match="scanned"):
        read(make_pdf("empty.pdf", [[]]), origin="file")


def test_broken_pdf_is_refused(tmp_path):
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4 and then nothing")
    with pytest.raises(ReadError, match="cannot be opened as a PDF"):
        read(tmp_path / "b.pdf", origin="file")
