"""Lines of a PDF paper in reading order become headings, paragraphs, asides and tables.

Captions and small print that interrupt a sentence are set before its paragraph; rows of cells become a table with bars
between the cells, which never splits a sentence of its page either. This module does not know titles or authors.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from kb.readers.pdf_headings import Headings
from kb.readers.pdf_lines import Line, rows_of
from kb.readers.pdf_words import Joiner
from kb.text import normalise

_CAPTION = re.compile(r"^(?:Figure|Fig\.|Table|Algorithm)\s?\d+\s?[:.|]")
_RUN_IN = re.compile(r"^Abstract\s?[.:—–-]\s*(?=\S)")
_BULLET = re.compile(r"^[•▪◦‣∙]\s*")
_MARKDOWN_HEADING = re.compile(r"^#{1,6}\s")
_ENDS = (".", "!", "?", ":")
FAR = 2.5  # of a line's height: a wider blank is none of a line that was stretched to the width of its column
CELL = 0.75  # of the height of the running text: smaller rows are pieces of formulas


@dataclass
class Block:
    """A heading, paragraph, aside or table with where its pages start (offset, page)."""

    text: str = ""
    pages: list[tuple[int, int]] = field(default_factory=list)


def blocks_of(pages: Sequence[Sequence[Line]]) -> list[Block]:
    """The blocks of a paper in reading order."""
    lines = [line for page in pages for line in page]
    builder = _Builder(_body(lines), Joiner(line.text for line in lines))
    for number, page in enumerate(pages, start=1):
        builder.page(number, page)
    return [block for block in builder.blocks if block.text]


class _Builder:
    """Puts line after line to the block it belongs to."""

    def __init__(self, body: float, joiner: Joiner) -> None:
        self.body = body
        self.joiner = joiner
        self.headings = Headings(body)
        self.blocks: list[Block] = []
        self.number = 1
        self.usual = 2.0  # the gap between two lines of a paragraph on this page
        self.before: Line | None = None  # the last line of the running paragraph
        self.aside: Line | None = None  # the last line of the aside that interrupts it
        self.title: Line | None = None  # the last line of the section title just read
        self.table: Block | None = None  # the table whose rows are being read

    def page(self, number: int, lines: Sequence[Line]) -> None:
        gaps = [first.bottom - second.top for first, second in pairwise(lines)]
        self.number = number
        self.usual = median([gap for gap in gaps if gap > -0.5 * self.body] or [2.0])
        edges = Counter(round(line.left) for line in lines)
        for row, is_table in _rows(lines, least=CELL * self.body):
            if is_table and self.headings.begun:
                self._row(row)
                continue
            for line in row:
                near = sum(edges[round(line.left) + step] for step in (-2, -1, 0, 1, 2))
                self._line(line, at_edge=near > 4)

    def _line(self, line: Line, *, at_edge: bool) -> None:
        self.table = None
        words = normalise(line.text).strip()
        if not words:
            return
        if self.headings.is_heading(words, line.height, at_edge=at_edge, bold=line.bold):
            self._new(f"## {words}")
            self.before = self.aside = None
            self.title = line
        elif self._continues_title(line):
            self.blocks[-1].text = self.joiner.join(self.blocks[-1].text, words)
            self.title = line
        elif self.number == 1 and (opening := _RUN_IN.match(words)):
            self.headings.begun = True
            self._new("## Abstract")
            self._new(words[opening.end() :])
            self.before, self.aside = line, None
        elif self._interrupts(line, words):
            self._set_aside(words)
            self.aside = line
        else:
            if self.before is None or self._is_apart(self.before, line, words):
                self._new("")
            self._add(self.blocks[-1], _BULLET.sub("- ", words))
            self.before, self.aside = line, None

    def _continues_title(self, line: Line) -> bool:
        """Whether a line is the second one of a section title: as large as the first, right below, and larger than text."""
        title = self.title if self.before is None and self.blocks and self.blocks[-1].text.startswith("## ") else None
        if title is None or line.height < 1.05 * self.body:
            return False
        return (
            abs(line.height - title.height) < 0.03 * title.height and 0 <= title.bottom - line.top < 0.6 * line.height
        )

    def _new(self, words: str) -> None:
        self.blocks.append(Block(words, [(0, self.number)] if words else []))

    def _add(self, block: Block, words: str) -> None:
        if not block.text and _MARKDOWN_HEADING.match(words):
            words = f"\\{words}"
        joined = self.joiner.join(block.text, words)
        if not block.pages or block.pages[-1][1] != self.number:
            block.pages.append((max(0, len(joined) - len(words)), self.number))
        block.text = joined

    def _row(self, cells: Sequence[Line]) -> None:
        """A row of a table: put to the table, or the beginning of one, before the paragraph it interrupts."""
        words = " | ".join(normalise(cell.text).strip() for cell in cells)
        if self.table is not None and self.table.pages[-1][1] == self.number:
            self.table.text += f"\n{words}"
            return
        self.table = Block(words, [(0, self.number)])
        if self.before is not None and self.blocks[-1].text and self.blocks[-1].pages[0][1] == self.number:
            self.blocks.insert(len(self.blocks) - 1, self.table)
        else:
            self.blocks.append(self.table)
            self.before = None
        self.aside = None

    def _interrupts(self, line: Line, words: str) -> bool:
        """Whether a line is an aside that stands inside an unfinished sentence."""
        before, aside = self.before, self.aside
        if before is None or self.blocks[-1].text.endswith(_ENDS) or before.height >= 1.07 * self.body:
            return False
        if _CAPTION.match(words) or line.height < 0.93 * before.height:
            return True
        near = aside is not None and 0 <= aside.bottom - line.top < 0.6 * line.height
        return near and aside is not None and abs(line.height - aside.height) < 0.03 * line.height

    def _set_aside(self, words: str) -> None:
        """Put an aside before the paragraph it interrupts, or after it when that began on an earlier page."""
        joined = self.aside is not None and not _CAPTION.match(words)
        early = self.blocks[-1].pages[0][1] < self.number
        if joined and len(self.blocks) > 1 and not early:
            self._add(self.blocks[-2], words)
        elif early:
            self._add(self.blocks[-1], words)
        else:
            self.blocks.insert(len(self.blocks) - 1, Block(words, [(0, self.number)]))

    def _is_apart(self, before: Line, line: Line, words: str) -> bool:
        """Whether a line begins a new paragraph."""
        text = self.blocks[-1].text
        if _BULLET.match(words):
            return True
        if self.aside is not None or before.bottom - line.top < -line.height:  # the next column or page goes on
            return text.endswith(_ENDS) and not words[:1].islower()
        if abs(line.height - before.height) > 0.1 * before.height:  # a title, its authors, an abstract
            return True
        gap = before.bottom - line.top
        return gap > self.usual + 0.5 * line.height or (
            text.endswith(_ENDS) and line.left > before.left + 0.7 * line.height
        )


def _rows(lines: Sequence[Line], *, least: float) -> Iterator[tuple[list[Line], bool]]:
    """The lines by rows, and whether a row is one of a table: of cells beside another such row, or of cells far apart."""
    rows = rows_of(lines)
    for place, row in enumerate(rows):
        beside = max((len(rows[other]) for other in (place - 1, place + 1) if 0 <= other < len(rows)), default=1)
        gaps = [after.left - before.right for before, after in pairwise(row)]
        alone = len(row) > 2 and min(gaps, default=0.0) > FAR * row[0].height
        yield row, ((len(row) > 1 and beside > 1) or alone) and max(cell.height for cell in row) > least


def _body(lines: Sequence[Line]) -> float:
    """The height of the running text: that of most characters."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.height, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 1.0
