"""What stands on a PDF page besides its text: running headers and footers and page numbers.

A header or footer stands at the edge of at least three pages, and of a quarter of them, apart from its digits. A page number is a number alone on
the outermost line of a page. Only lines at an edge fall away: the same words, and numbers, inside a page are its text. This
module does not know what a page says.
"""

import re
from collections import Counter
from collections.abc import Sequence

from kb.readers.pdf_lines import Line, rows_of

EDGE = 0.07  # of the height of what is written on the page
_PAGE_NUMBER = re.compile(r"\W*(?:page\s)?(?:\d{1,5}|[ivxl]{1,6})(?:\s?(?:of|/)\s?\d{1,5})?\W*", re.IGNORECASE)


def without_margins(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The lines of each page that belong to its text."""
    edges = [_edge(lines) for lines in pages]
    counts = Counter(mark for lines in edges for mark in {_bare(line.text) for line in lines} if mark)
    need = max(3, len(pages) // 4)
    running = {mark for mark, count in counts.items() if count >= need}
    return [
        [
            line
            for line in lines
            if line not in edge or not (_bare(line.text) in running or _is_page_number(line, lines))
        ]
        for lines, edge in zip(pages, edges, strict=True)
    ]


def _edge(lines: Sequence[Line]) -> list[Line]:
    if not lines:
        return []
    top, bottom = max(line.top for line in lines), min(line.bottom for line in lines)
    edge = EDGE * (top - bottom)
    return [line for line in lines if line.top > top - edge or line.bottom < bottom + edge]


def _is_page_number(line: Line, lines: Sequence[Line]) -> bool:
    """Whether a line is a number that has nothing above, or nothing below, and no column of numbers beside it."""
    if not _PAGE_NUMBER.fullmatch(line.text):
        return False
    above = any(other.bottom > line.top - 0.5 * line.height for other in lines)
    below = any(other.top < line.bottom + 0.5 * line.height for other in lines)
    beside = [other for row in rows_of(lines) if line in row for other in row if other.text[:1].isdigit()]
    return not (above and below) and len(beside) == 1


def _bare(text: str) -> str:
    return re.sub(r"[\d\W]+", "", text).casefold()
