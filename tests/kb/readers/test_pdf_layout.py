"""PDF pages as real papers set them: tables, powers, footnote marks, watermarks, narrow gutters, numbered lines."""

import pytest

from kb.readers.pdf import read

WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa"


def column(x, top, lines, size=10):
    return [(x, top - 14 * row, size, text) for row, text in enumerate(lines)]


def text_of(make_pdf, *pages):
    return read(make_pdf("p.pdf", list(pages)), origin="file")[0].text


def body(top=700, rows=8, x=72):
    return column(x, top, ["Abstract", *[f"Running text of the paper in line {n} goes on" for n in range(rows)]])


def test_numbers_in_a_table_stay_row_by_row(make_pdf):
    table = [
        (x, 500 - 14 * row, 10, cell)
        for row, cells in enumerate(
            (["Head", "Effect", "Random"], ["a5.h1", "0.84", "0.02"], ["a7.h2", "0.13", "0.01"])
        )
        for x, cell in zip((72, 200, 300), cells, strict=True)
    ]
    assert "Head | Effect | Random\na5.h1 | 0.84 | 0.02\na7.h2 | 0.13 | 0.01" in text_of(make_pdf, [*body(), *table])


def test_number_alone_inside_a_page_stays(make_pdf):
    lines = column(72, 560, ["The logit difference that we measured was", "3.14", "and it stayed so."])
    assert "3.14" in text_of(make_pdf, [*body(), *lines, *column(72, 300, ["The last line of the page."])])


def test_page_number_goes_when_the_page_is_short(make_pdf):
    assert "17" not in text_of(make_pdf, [*body(), (300, 40, 10, "17")])


def test_power_of_ten_stays_a_power(make_pdf):
    lines = [(72, 540, 10, "It has 10"), (110.6, 544, 7, "6"), (118, 540, 10, "parameters of which 10"), (220, 544, 7, "-4"), (230, 540, 10, "matter")]  # fmt: skip
    text = text_of(make_pdf, [*body(), *lines])
    assert "It has 10^6 parameters of which 10^-4 matter" in text


def test_footnote_mark_after_a_sentence_goes(make_pdf):
    lines = [
        (72, 540, 10, "A quirk of one recipe."),
        (166.7, 544, 7, "12"),
        (178, 540, 10, "The next sentence is here."),
    ]
    assert "A quirk of one recipe. The next sentence is here." in text_of(make_pdf, [*body(), *lines])


def test_watermark_at_a_slant_is_no_text_and_no_title(make_pdf):
    marked = [(72, 740, 16, "Heads That Copy"), *body(), (120, 350, 60, "Do Not Distribute", 45)]
    paper = read(make_pdf("w.pdf", [marked]), origin="file")[0]
    assert paper.title == "Heads That Copy"
    assert "Distribute" not in paper.text


def test_numbers_of_manuscript_lines_go(make_pdf):
    lines = [f"text that stands in a numbered line {WORDS[: 3 * n]}" for n in range(12)]
    numbers = [(30, 700 - 14 * n, 7, f"{n + 81:03d}") for n in range(12)]
    text = text_of(make_pdf, [*column(72, 700, lines), *numbers])
    assert "083" not in text
    assert "092" not in text


def test_numbers_close_to_manuscript_lines_go_and_rows_of_a_table_stay(make_pdf):
    lines = []
    for n in range(12):
        words = "1 Introduction" if n == 6 else f"text {WORDS[: 3 * n]}"
        lines += [(64 if n < 9 else 60.66, 700 - 14 * n, 6, str(n + 1)), (72, 700 - 14 * n, 10, words)]
    text = text_of(make_pdf, lines)
    assert "## 1 Introduction" in text
    assert not any(line.startswith("8 ") for line in text.splitlines())
    layers = [
        (x, 500 - 14 * n, 10, cell) for n in range(12) for x, cell in ((72, str(n)), (140, f"0.{n}3"), (200, "x"))
    ]
    assert "10 | 0.103 | x" in text_of(make_pdf, [*body(), *layers])


@pytest.mark.parametrize(
    ("code", "written", "said"),
    [(b"D835DC65", "~ is a vector", "\U0001d465 is a vector"), (b"000B", "an e~ect here", "an effect here")],
)
def test_characters_under_codes_of_their_own_are_read(make_pdf, code, written, said):
    path = make_pdf("u.pdf", [[*body(), (72, 500, 10, written)]])
    cmap = b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <7E> <%s> endbfchar" % code
    stream = b"90 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (len(cmap), cmap)
    data = (
        path.read_bytes()
        .replace(b"/Helvetica >>", b"/Helvetica /ToUnicode 90 0 R >>")
        .replace(b"xref\n0", stream + b"xref\n0")
    )
    path.write_bytes(data)
    assert said in read(path, origin="file")[0].text


def test_bitmap_fonts_are_read(make_pdf):
    path = make_pdf("b.pdf", [[(72, 700 - 14 * n, 1, "aaa aaaa aa " * 4) for n in range(8)]])
    glyph = b"80 0 0 0 80 100 d1 0 0 80 100 re f"
    font = (
        b"/Type3 /FontBBox [0 0 100 100] /FontMatrix [0.06 0 0 0.06 0 0] /FirstChar 32 /LastChar 97 "
        b"/Widths [50 %s 80] /CharProcs << /a 90 0 R >> /Encoding << /Differences [97 /a] >> >>" % (b"0 " * 64)
    )
    stream = b"90 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (len(glyph), glyph)
    data = path.read_bytes().replace(b"/Type1 /BaseFont /Helvetica >>", font).replace(b"xref\n0", stream + b"xref\n0")
    path.write_bytes(data)
    assert "aaa aaaa aa aaa aaaa aa" in read(path, origin="file")[0].text


@pytest.mark.parametrize(
    ("line", "year"),
    [
        ("Proceedings of the 41st Conference. Copyright 2024 by the authors.", 2024),
        ("Submitted to a conference in May", None),
    ],
)
def test_year_of_a_note_below_the_column_and_not_of_the_text(make_pdf, line, year):
    page = [
        (72, 740, 18, "Heads That Copy Names"),
        *body(rows=20),
        (72, 500, 10, "As was accepted since 1942 by all, it is so."),
    ]
    page += [(72, 100, 8, line), *column(330, 700, [f"the other column, line {n} goes on" for n in range(40)])]
    assert read(make_pdf("y.pdf", [page]), origin="file")[0].front["year"] == year


def test_columns_with_a_narrow_gutter_are_not_read_across(make_pdf):
    left = [f"left column words of line {n:02d} fill it up to here" for n in range(14)]
    right = [f"right column words of line {n:02d} fill it too" for n in range(14)]
    text = text_of(make_pdf, [*column(60, 700, left), *column(259, 700, right)])
    assert text.index("left column words of line 13") < text.index("right column words of line 00")


def test_page_with_a_wide_table_keeps_the_gutter_of_the_others(make_pdf):
    def sides(page, rows, top):
        left, right = ([f"{side} {page} {n} {WORDS[:34]}" for n in range(rows)] for side in ("left", "right"))
        return [*column(60, top, left), *column(330, top, right)]

    wide = column(60, 740, [f"One wide row {n} over both of the columns {WORDS} {WORDS[:30]}" for n in range(9)])
    text = text_of(make_pdf, sides("one", 14, 700), sides("two", 14, 700), [*wide, *sides("three", 6, 580)])
    assert text.index("One wide row 8") < text.index("left three 5") < text.index("right three 0")


def test_hyphens_at_line_ends_stay_where_the_word_has_them(make_pdf):
    lines = [
        "We tried head-specific ablations and models such as GPT-",
        "2 on seven out-of-",
        "domain sets, with head-",
        "specific means, pre-",
        "and post-norm, token-",
        "based and interpret-",
        "able ones.",
    ]
    text = text_of(make_pdf, [*body(), *column(72, 500, lines)])
    assert (
        "such as GPT-2 on seven out-of-domain sets, with head-specific means, pre- and post-norm, token-based and "
        "interpretable ones." in text
    )


@pytest.mark.parametrize(
    ("size", "title"),
    [(8, "II. RELATED WORK"), (10, "A. Copying Heads"), (14, "§2 Wavelets and Scale"), (8, "2.1 SMALL CAPITALS"), (13, "Statement of Need")],
)  # fmt: skip
def test_section_titles_of_other_styles_are_headings(make_pdf, size, title):
    text = text_of(make_pdf, [*body(), (72, 560, size, title), *column(72, 540, ["Text of this section is here."] * 6)])
    assert f"## {title}\n\nText of this section" in text


@pytest.mark.parametrize("title", ["7 Apples And Pears", "12 Aguilera Christina"])
def test_rows_that_begin_with_a_number_are_no_sections(make_pdf, title):
    text = text_of(make_pdf, [*body(), (72, 560, 10, title), *column(72, 540, ["Text of this row is here."] * 6)])
    assert f"## {title}" not in text


def test_section_title_of_two_lines_is_one_heading(make_pdf):
    lines = [
        (72, 560, 12, "2 Phase Structure Is Real and"),
        (90, 546, 12, "Its Scale Is Not"),
        *column(72, 520, ["Text."]),
    ]
    assert "## 2 Phase Structure Is Real and Its Scale Is Not\n\nText." in text_of(make_pdf, [*body(), *lines])


def test_line_that_begins_like_markdown_is_no_heading(make_pdf):
    text = text_of(make_pdf, [*body(), (72, 520, 10, "# a comment in code")])
    assert "\\# a comment in code" in text


def test_accent_set_apart_joins_its_letter(make_pdf):
    lines = [(72, 540, 10, "St"), (81.2, 540, 10, "\xc2"), (79.8, 540, 10, "ephane wrote this")]
    assert "Stéphane wrote this" in text_of(make_pdf, [*body(), *lines])


def test_names_with_marks_between_them_are_authors(make_pdf):
    page = [
        (72, 740, 18, "Heads That Copy Names"),
        *[
            part
            for x, name, after in ((72, "Ada Beek", 121), (130, "Jun Kim", 171), (185, "Li Wei", 219))
            for part in ((x, 715, 11, name), (after, 719, 7, "1"))
        ],
        *body(),
    ]
    assert read(make_pdf("n.pdf", [page]), origin="file")[0].front["authors"] == ["Ada Beek", "Jun Kim", "Li Wei"]


def test_title_over_two_lines_loses_its_hyphen(make_pdf):
    page = [(72, 750, 18, "A GENERAL VIEW OF CONVOLU-"), (72, 728, 18, "TION IN MODELS"), *body()]
    assert read(make_pdf("t.pdf", [page]), origin="file")[0].title == "A GENERAL VIEW OF CONVOLUTION IN MODELS"


def test_arxiv_id_gives_the_year_of_a_later_version(make_pdf):
    page = [(72, 20, 10, "arXiv:1706.03762v7 [cs.CL] 2 Aug 2023"), *body()]
    assert read(make_pdf("y.pdf", [page]), origin="file")[0].front["year"] == 2017
