"""The lines of a PDF page in reading order, from its characters (`kb.readers.pdf_characters`).

Characters that touch become runs, runs on one baseline become lines; a space is where the page leaves room for one. A page
that lies on its side is turned first; text that stands across the rest (the arXiv stamp on the margin) is kept apart, numbers
of lines on the margin fall away. Raised digits after a digit are written as a power, marks of footnotes after a sentence are left out. A page with an empty
gutter in its middle is read column by column between lines and rows of tables that cross the gutter. This module does not
know what a line says.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import pypdfium2

from kb.readers.pdf_characters import Character, characters_of

SPACE = 0.17  # of the font size: a gap that is a blank
GUESSED = 0.08  # of it: a gap that is a blank where PDFium sees one, too
APART = 1.2  # of it: a gap that is another column or cell
GUTTER = 0.6  # of it, where the page has a gutter
NUMBERED = 2.4  # of it, after the number of a section
_NUMBER = re.compile(r"(?:\d{1,2}|[A-H])(?:\.\d{1,2})*\.?")
_MARKS = "0123456789*†‡§¶∗"
_ENDED = (".", ",", ";", ":", "!", "?", '"', "”", "’")


@dataclass(frozen=True)
class Line:
    """A line of text with its box (PDF points; y grows upwards). `plain` has a comma for each raised small character."""

    left: float
    bottom: float
    right: float
    top: float
    text: str
    plain: str = ""
    bold: bool = False

    @property
    def height(self) -> float:
        return self.top - self.bottom


@dataclass(frozen=True)
class PageText:
    """A page: its lines in reading order and what is written across them."""

    lines: tuple[Line, ...]
    across: str


def pages_text(pdf: pypdfium2.PdfDocument) -> list[PageText]:
    """Read all pages; one that shows no gutter of its own, because of a wide table, takes that of most others."""
    pages = [_page(pdf[number]) for number in range(len(pdf))]
    gutters = [_gutter(lines) for lines, _ in pages]
    found = [gutter for gutter in gutters if gutter is not None]
    usual = median(found) if found and 3 * len(found) >= len(pages) else None
    return [
        PageText(tuple(_reading_order(lines, own or _borrowed(lines, usual))), across)
        for (lines, across), own in zip(pages, gutters, strict=True)
    ]


def _page(page: pypdfium2.PdfPage) -> tuple[list[Line], str]:
    """The lines of a page, top to bottom, and what is written across them."""
    characters = characters_of(page)
    if not characters:
        return [], ""
    upright = Counter(character.turn for character in characters).most_common(1)[0][0]
    across = "".join(" " * character.blank + character.text for character in characters if character.turn != upright)
    runs = _without_numbers(_runs([character for character in characters if character.turn == upright]))
    return _lines(runs, _gutter([_line(run) for run in runs])), across


def _runs(characters: Sequence[Character]) -> list[list[Character]]:
    """Characters that follow each other in the file and on the page."""
    runs: list[list[Character]] = []
    for character in characters:
        if runs and _touch(runs[-1][-1], character):
            runs[-1].append(character)
        else:
            runs.append([character])
    return runs


def _touch(before: Character, after: Character) -> bool:
    size = max(before.size, after.size)
    gap = after.left - before.right
    return abs(before.base - after.base) < 0.5 * size and -0.3 * size < gap < APART * size


def _lines(runs: list[list[Character]], gutter: float | None) -> list[Line]:
    """Runs on one baseline that nearly touch and are on one side of the gutter, top to bottom, left to right."""
    rows: list[list[list[Character]]] = []
    for run in sorted(runs, key=lambda run: (-_base(run), run[0].left)):
        reference = rows[-1][0] if rows else None
        if reference and _base(reference) - _base(run) < 0.45 * max(_size(reference), _size(run)):
            rows[-1].append(run)
        else:
            rows.append([run])
    lines: list[Line] = []
    for row in rows:
        joined: list[Character] = []
        for run in sorted(row, key=lambda run: run[0].left):
            if joined and run[0].left - joined[-1].right > _limit(joined, run, gutter) * max(_size(joined), _size(run)):
                lines.append(_line(joined))
                joined = []
            joined = [*joined, *run]
        lines.append(_line(joined))
    return lines


def _limit(joined: Sequence[Character], run: Sequence[Character], gutter: float | None) -> float:
    if gutter is not None and joined[-1].right <= gutter + 5 and run[0].left >= gutter - 5:
        return GUTTER
    return NUMBERED if _NUMBER.fullmatch("".join(character.text for character in joined)) else APART


def _line(characters: Sequence[Character]) -> Line:
    size, base = _size(characters), _base(characters)
    text, plain = "", ""
    moved = marking = False  # whether the character before is raised or lowered, and a footnote's mark
    before: Character | None = None
    for character in characters:
        gap = character.left - before.right if before else 0.0
        if gap > SPACE * size or (character.blank and gap > GUESSED * size):
            text, plain = text + " ", plain + " "
        small = character.size < 0.85 * size and abs(character.base - base) > 0.1 * size
        raised = small and character.base > base
        if raised and character.text in _MARKS and (marking or (not moved and text.endswith(_ENDED))):
            plain += ", "
            moved, marking, before = True, True, character
            continue
        if raised and not moved and text[-1:].isdigit() and character.text in "0123456789−-–+":
            text += "^"
        elif moved and not small and not marking and text.isdigit() and character.text.isalpha():
            text += " "  # the mark at the beginning of a footnote
        text, plain = text + character.text, plain + (", " if raised else "" if small else character.text)
        moved, marking, before = small, False, character
    right = max(character.right for character in characters)
    return Line(
        characters[0].left,
        base - 0.25 * size,
        right,
        base + 0.75 * size,
        text,
        plain.strip(),
        all(character.bold for character in characters),
    )


def _base(characters: Sequence[Character]) -> float:
    """The baseline of the larger characters."""
    size = _size(characters)
    return median(character.base for character in characters if character.size > 0.9 * size)


def _size(characters: Sequence[Character]) -> float:
    """The font size that covers the most width."""
    widths: dict[float, float] = {}
    for character in characters:
        size = round(character.size, 1)
        widths[size] = widths.get(size, 0.0) + max(0.1, character.right - character.left)
    return max(0.5, max(widths, key=lambda size: (widths[size], size)))


def _reading_order(lines: list[Line], gutter: float | None) -> list[Line]:
    """Top to bottom; where there is a gutter, the left column before the right, between lines that cross it."""
    if gutter is None:
        return lines
    ordered: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    for row in rows_of(lines):
        before = [line for line in row if line.right <= gutter + 5]
        across = [line for line in row if line.left < gutter - 5 and line.right > gutter + 5]
        after = [line for line in row if line not in before and line not in across]
        if across or (
            len(row) > 4 and min(len(before), len(after)) > 1
        ):  # a line or a row of a table over both columns
            ordered += [*left, *right, *row]
            left, right = [], []
        else:
            left, right = [*left, *before], [*right, *after]
    return [*ordered, *left, *right]


def rows_of(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines that follow each other on one baseline, from left to right."""
    rows: list[list[Line]] = []
    for line in lines:
        last = rows[-1][-1] if rows else None
        if last and abs(last.bottom - line.bottom) < 0.3 * line.height and line.left >= last.right:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _without_numbers(runs: list[list[Character]]) -> list[list[Character]]:
    """The runs without the numbers that count the lines of a manuscript: small, on a margin, one more on each line."""
    columns: dict[int, list[tuple[int, int]]] = defaultdict(list)  # right edge -> (run, digits)
    for place, run in enumerate(runs):
        digits = _leading_digits(run)
        if 0 < digits < 5:
            columns[round(run[digits - 1].right / 3)].append((place, digits))
    gone: dict[int, int] = {}
    for found in columns.values():
        found.sort(key=lambda item: -runs[item[0]][0].base)
        values = [int("".join(character.text for character in runs[place][:digits])) for place, digits in found]
        steps = [after - before for before, after in pairwise(values)]
        if (
            len(found) > 9
            and sum(step in (1, 5) for step in steps) > 0.9 * len(steps)
            and _on_margin(runs, dict(found))
        ):
            gone |= dict(found)
    return [run[gone.get(place, 0) :] for place, run in enumerate(runs) if len(run) > gone.get(place, 0)]


def _leading_digits(run: list[Character]) -> int:
    """How many digits stand at the beginning of a run, apart from what follows; 0 when it goes on without a blank."""
    for place, character in enumerate(run):
        apart = place > 0 and character.left - run[place - 1].right > SPACE * character.size
        if apart or not character.text.isdigit():
            return place if apart else 0
    return len(run)


def _on_margin(runs: list[list[Character]], numbers: dict[int, int]) -> bool:
    """Whether hardly anything else on the page stands as far out as these numbers."""
    left = min(runs[place][0].left for place in numbers)
    right = max(runs[place][digits - 1].right for place, digits in numbers.items())
    others = [character for place, run in enumerate(runs) for character in run[numbers.get(place, 0) :]]
    outside = (sum(other.left < right for other in others), sum(other.right > left for other in others))
    return min(outside) <= 0.02 * len(others)


def _gutter(lines: list[Line]) -> float | None:
    """The x of an empty vertical strip near the middle, if a quarter of the lines or fewer cross it."""
    wide, start, width = _wide(lines)
    if len(wide) < 10:
        return None
    places = [start + width * step / 100 for step in range(40, 61)]
    best = min(places, key=lambda x: (_crossing(wide, x), abs(x - start - width / 2)))
    return best if _crossing(wide, best) <= 0.25 * len(wide) and min(_sides(wide, best)) >= 0.2 * len(wide) else None


def _borrowed(lines: list[Line], gutter: float | None) -> float | None:
    """The gutter of other pages, if there are columns on both sides of it here, too."""
    wide, _, _ = _wide(lines)
    if gutter is None or len(wide) < 10:
        return None
    columns = min(_sides(wide, gutter)) >= 0.12 * len(wide) and _crossing(wide, gutter) <= 0.7 * len(wide)
    return gutter if columns else None


def _wide(lines: list[Line]) -> tuple[list[Line], float, float]:
    """The lines that are longer than a word or cell, and where the page's writing starts and how wide it is."""
    start = min((line.left for line in lines), default=0.0)
    width = max((line.right for line in lines), default=0.0) - start
    return [line for line in lines if line.right - line.left > 0.15 * width], start, width


def _crossing(wide: Sequence[Line], x: float) -> int:
    return sum(line.left < x - 2 and line.right > x + 2 for line in wide)


def _sides(wide: Sequence[Line], x: float) -> tuple[int, int]:
    return sum(line.right <= x + 5 for line in wide), sum(line.left >= x - 5 for line in wide)
