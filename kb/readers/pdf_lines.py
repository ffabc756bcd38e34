"""The lines of a PDF page in reading order, from the characters that PDFium gives with their boxes.

Characters that touch become runs, runs on one baseline become lines; a space is where the page leaves room for one. A page
that lies on its side is turned first; text that stands across the rest (the arXiv stamp on the margin) is kept apart.
A page with an empty gutter in its middle is read column by column between lines that cross the gutter. This module
does not know what a line says.
"""

import ctypes
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import pypdfium2
from pypdfium2 import raw

_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_HYPHENS = (0x02, 0xFFFE)  # PDFium's marks for a hyphen at a line end
SPACE = 0.17  # of the font size: a gap that is a blank
GUESSED = 0.08  # of it: a gap that is a blank where PDFium sees one, too
APART = 1.2  # of it: a gap that is another column or cell
NUMBERED = 2.4  # of it, after the number of a section
_NUMBER = re.compile(r"(?:\d{1,2}|[A-H])(?:\.\d{1,2})*\.?")


@dataclass(frozen=True)
class Line:
    """A line of text with its box (PDF points; y grows upwards). `plain` lacks raised and lowered small characters."""

    left: float
    bottom: float
    right: float
    top: float
    text: str
    plain: str = ""

    @property
    def height(self) -> float:
        return self.top - self.bottom


@dataclass(frozen=True)
class _Character:
    text: str
    left: float
    right: float
    base: float
    size: float  # of the font, in points
    turn: int  # quarter turns
    blank: bool  # PDFium sees a blank before it


@dataclass(frozen=True)
class PageText:
    """A page: its lines in reading order and what is written across them."""

    lines: tuple[Line, ...]
    across: str


def page_text(page: pypdfium2.PdfPage) -> PageText:
    """Read one page."""
    characters = list(_characters(page))
    if not characters:
        return PageText((), "")
    upright = Counter(character.turn for character in characters).most_common(1)[0][0]
    across = "".join(" " * character.blank + character.text for character in characters if character.turn != upright)
    lines = _lines(_runs([character for character in characters if character.turn == upright]))
    return PageText(tuple(_reading_order(lines)), across)


def _characters(page: pypdfium2.PdfPage) -> Iterator[_Character]:
    """Every printed character, along the direction in which it is written."""
    textpage = page.get_textpage()  # closes itself when nothing refers to it
    found = textpage.raw
    box, matrix, x, y = raw.FS_RECTF(), raw.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
    blank = False
    for place in range(raw.FPDFText_CountChars(found)):
        code = raw.FPDFText_GetUnicode(found, place)
        if (code < 33 and code not in _HYPHENS) or code in (0xA0, 0xFFFD):
            blank = True
            continue
        raw.FPDFText_GetLooseCharBox(found, place, ctypes.byref(box))
        raw.FPDFText_GetCharOrigin(found, place, ctypes.byref(x), ctypes.byref(y))
        raw.FPDFText_GetMatrix(found, place, ctypes.byref(matrix))
        size = raw.FPDFText_GetFontSize(found, place) * math.hypot(matrix.c, matrix.d)
        turn = round(raw.FPDFText_GetCharAngle(found, place) / (math.pi / 2)) % 4
        left, right, base = _along(turn, box, x.value, y.value)
        text = "-" if code in _HYPHENS else chr(code).translate(_LIGATURES)
        yield _Character(text, left, right, base, size or 1.0, turn, blank)
        blank = False


def _along(turn: int, box: raw.FS_RECTF, x: float, y: float) -> tuple[float, float, float]:
    """(left, right, baseline) of a character on a page turned so that its text is level."""
    xs, ys = sorted((box.left, box.right)), sorted((box.bottom, box.top))
    match turn:
        case 1:
            return ys[0], ys[1], -x
        case 2:
            return -xs[1], -xs[0], -y
        case 3:
            return -ys[1], -ys[0], x
        case _:
            return xs[0], xs[1], y


def _runs(characters: Sequence[_Character]) -> list[list[_Character]]:
    """Characters that follow each other in the file and on the page."""
    runs: list[list[_Character]] = []
    for character in characters:
        if runs and _touch(runs[-1][-1], character):
            runs[-1].append(character)
        else:
            runs.append([character])
    return runs


def _touch(before: _Character, after: _Character) -> bool:
    size = max(before.size, after.size)
    gap = after.left - before.right
    return abs(before.base - after.base) < 0.5 * size and -0.3 * size < gap < APART * size


def _lines(runs: list[list[_Character]]) -> list[Line]:
    """Runs on one baseline that nearly touch, top to bottom, left to right."""
    rows: list[list[list[_Character]]] = []
    for run in sorted(runs, key=lambda run: (-_base(run), run[0].left)):
        reference = rows[-1][0] if rows else None
        if reference and _base(reference) - _base(run) < 0.45 * max(_size(reference), _size(run)):
            rows[-1].append(run)
        else:
            rows.append([run])
    lines: list[Line] = []
    for row in rows:
        joined: list[_Character] = []
        for run in sorted(row, key=lambda run: run[0].left):
            if joined and run[0].left - joined[-1].right > _limit(joined) * max(_size(joined), _size(run)):
                lines.append(_line(joined))
                joined = []
            joined = [*joined, *run]
        lines.append(_line(joined))
    return lines


def _limit(joined: Sequence[_Character]) -> float:
    return NUMBERED if _NUMBER.fullmatch("".join(character.text for character in joined)) else APART


def _line(characters: Sequence[_Character]) -> Line:
    size, base = _size(characters), _base(characters)
    text, plain = "", ""
    before: _Character | None = None
    for character in characters:
        gap = character.left - before.right if before else 0.0
        if gap > SPACE * size or (character.blank and gap > GUESSED * size):
            text, plain = text + " ", plain + " "
        moved = character.size < 0.85 * size and abs(character.base - base) > 0.1 * size
        text, plain = text + character.text, plain + ("" if moved else character.text)
        before = character
    right = max(character.right for character in characters)
    return Line(characters[0].left, base - 0.25 * size, right, base + 0.75 * size, text, plain.strip())


def _base(characters: Sequence[_Character]) -> float:
    """The baseline of the larger characters."""
    size = _size(characters)
    return median(character.base for character in characters if character.size > 0.9 * size)


def _size(characters: Sequence[_Character]) -> float:
    """The font size that covers the most width."""
    widths: dict[float, float] = {}
    for character in characters:
        size = round(character.size, 1)
        widths[size] = widths.get(size, 0.0) + max(0.1, character.right - character.left)
    return max(0.5, max(widths, key=lambda size: (widths[size], size)))


def _reading_order(lines: list[Line]) -> list[Line]:
    """Top to bottom; where there is a gutter, the left column before the right, between lines that cross it."""
    gutter = _gutter(lines)
    if gutter is None:
        return lines
    ordered: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    for line in lines:
        if line.left < gutter - 5 and line.right > gutter + 5:
            ordered += [*left, *right, line]
            left, right = [], []
        else:
            (left if line.right <= gutter + 5 else right).append(line)
    return [*ordered, *left, *right]


def _gutter(lines: list[Line]) -> float | None:
    """The x of an empty vertical strip near the middle, if a quarter of the lines or fewer cross it."""
    start = min(line.left for line in lines)
    width = max(line.right for line in lines) - start
    wide = [line for line in lines if line.right - line.left > 0.15 * width]
    if len(wide) < 10:
        return None
    best: tuple[int, float] | None = None
    for step in range(40, 61):
        x = start + width * step / 100
        crossing = sum(line.left < x - 2 and line.right > x + 2 for line in wide)
        if best is None or (crossing, abs(step - 50)) < (best[0], abs((best[1] - start) / width * 100 - 50)):
            best = (crossing, x)
    assert best is not None
    sides = [sum(line.right <= best[1] + 5 for line in wide), sum(line.left >= best[1] - 5 for line in wide)]
    return best[1] if best[0] <= 0.25 * len(wide) and min(sides) >= 0.2 * len(wide) else None
