"""The lines of a PDF page in reading order, from the characters that PDFium gives with their boxes.

Characters that touch become runs, runs on one baseline become lines; a space is where the page leaves room for one. A page
that lies on its side is turned first; text that stands across the rest (the arXiv stamp on the margin) is kept apart, text
at a slant (watermarks) and numbers of lines on the margin fall away. Accents that TeX sets as marks of their own are put on their letters,
raised digits after a digit are written as a power, marks of footnotes after a sentence are left out. A page with an empty
gutter in its middle is read column by column between lines and rows of tables that cross the gutter. This module does not
know what a line says.
"""

import ctypes
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from statistics import median

import pypdfium2
from pypdfium2 import raw

_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_HYPHENS = (0x02, 0xFFFE)  # PDFium's marks for a hyphen at a line end
_TEX = {"\x0b": "ff", "\x0c": "fi", "\x0d": "fl", "\x0e": "ffi", "\x0f": "ffl"}  # TeX's old encoding of bitmap fonts
SPACE = 0.17  # of the font size: a gap that is a blank
GUESSED = 0.08  # of it: a gap that is a blank where PDFium sees one, too
APART = 1.2  # of it: a gap that is another column or cell
GUTTER = 0.6  # of it, where the page has a gutter
NUMBERED = 2.4  # of it, after the number of a section
SLANT = 0.12  # of a quarter turn: text further off than that is a watermark
LEAST = 2.0  # points: a smaller font size is that of a bitmap font and says nothing
_NUMBER = re.compile(r"(?:\d{1,2}|[A-H])(?:\.\d{1,2})*\.?")
_ACCENTS = dict(
    zip("´`¨ˆ˜ˇ˘˚¸¯˝˙", "\u0301\u0300\u0308\u0302\u0303\u030c\u0306\u030a\u0327\u0304\u030b\u0307", strict=True)
)
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
    characters = _composed(_ligated(_evened(list(_characters(page)))))
    if not characters:
        return [], ""
    upright = Counter(character.turn for character in characters).most_common(1)[0][0]
    across = "".join(" " * character.blank + character.text for character in characters if character.turn != upright)
    runs = _runs([character for character in characters if character.turn == upright])
    lines = _lines(runs, _gutter([_line(run) for run in runs]))
    return _without_numbers(lines), across


def _characters(page: pypdfium2.PdfPage) -> Iterator[_Character]:
    """Every printed character, along the direction in which it is written."""
    textpage = page.get_textpage()  # closes itself when nothing refers to it
    found = textpage.raw
    box, matrix, x, y = raw.FS_RECTF(), raw.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
    blank = False
    for place in range(raw.FPDFText_CountChars(found)):
        code = raw.FPDFText_GetUnicode(found, place)
        drawn = chr(code) in _TEX and not raw.FPDFText_IsGenerated(found, place)
        if (code < 33 and code not in _HYPHENS and not drawn) or code in (0xA0, 0xFFFD):
            blank = True
            continue
        raw.FPDFText_GetLooseCharBox(found, place, ctypes.byref(box))
        raw.FPDFText_GetCharOrigin(found, place, ctypes.byref(x), ctypes.byref(y))
        raw.FPDFText_GetMatrix(found, place, ctypes.byref(matrix))
        size = raw.FPDFText_GetFontSize(found, place) * math.hypot(matrix.c, matrix.d)
        quarters = raw.FPDFText_GetCharAngle(found, place) / (math.pi / 2)
        if abs(quarters - round(quarters)) > SLANT:
            continue
        turn = round(quarters) % 4
        if size < LEAST:
            size = 1.4 * abs(box.top - box.bottom if turn % 2 == 0 else box.right - box.left)
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


def _evened(characters: list[_Character]) -> list[_Character]:
    """One size along a baseline, where a bitmap font gives every letter its own."""
    evened: list[_Character] = []
    for _, group in groupby(characters, key=lambda character: (round(character.base, 1), character.turn)):
        row = list(group)
        size = median(character.size for character in row)
        guessed = len({round(character.size, 1) for character in row}) > 4
        evened += [replace(character, size=size) for character in row] if guessed else row
    return evened


def _ligated(characters: list[_Character]) -> list[_Character]:
    """TeX's ligatures where they touch a letter; elsewhere the same codes are Greek letters that cannot be told, and go."""
    whole: list[_Character] = []
    for place, character in enumerate(characters):
        beside = [characters[other] for other in (place - 1, place + 1) if 0 <= other < len(characters)]
        if character.text not in _TEX:
            whole.append(character)
        elif any(other.text.isalpha() and _near(character, other) for other in beside):
            whole.append(replace(character, text=_TEX[character.text]))
    return whole


def _near(one: _Character, other: _Character) -> bool:
    gap = max(one.left, other.left) - min(one.right, other.right)
    return abs(one.base - other.base) < 0.1 * one.size and gap < SPACE * one.size


def _composed(characters: list[_Character]) -> list[_Character]:
    """Accents that stand above a letter as characters of their own become part of it."""
    whole: dict[int, _Character] = dict(enumerate(characters))
    for place, accent in enumerate(characters):
        if accent.text not in _ACCENTS:
            continue
        near = [place + 1, place - 1, *range(len(characters))]
        for other in near:
            letter = whole.get(other)
            if letter is None or not letter.text.isalpha() or not _above(accent, letter):
                continue
            made = unicodedata.normalize("NFC", letter.text.replace("ı", "i") + _ACCENTS[accent.text])
            if len(made) == 1:
                blank = letter.blank or (accent.blank and other == place + 1)
                whole[other] = replace(letter, text=made, blank=blank)
                del whole[place]
            break
    return list(whole.values())


def _above(accent: _Character, letter: _Character) -> bool:
    middle = (accent.left + accent.right) / 2
    return letter.left <= middle <= letter.right and abs(accent.base - letter.base) < 0.5 * letter.size


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


def _lines(runs: list[list[_Character]], gutter: float | None) -> list[Line]:
    """Runs on one baseline that nearly touch and are on one side of the gutter, top to bottom, left to right."""
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
            if joined and run[0].left - joined[-1].right > _limit(joined, run, gutter) * max(_size(joined), _size(run)):
                lines.append(_line(joined))
                joined = []
            joined = [*joined, *run]
        lines.append(_line(joined))
    return lines


def _limit(joined: Sequence[_Character], run: Sequence[_Character], gutter: float | None) -> float:
    if gutter is not None and joined[-1].right <= gutter + 5 and run[0].left >= gutter - 5:
        return GUTTER
    return NUMBERED if _NUMBER.fullmatch("".join(character.text for character in joined)) else APART


def _line(characters: Sequence[_Character]) -> Line:
    size, base = _size(characters), _base(characters)
    text, plain = "", ""
    moved = marking = False  # whether the character before is raised or lowered, and a footnote's mark
    before: _Character | None = None
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


def _without_numbers(lines: list[Line]) -> list[Line]:
    """The lines without those that only number the lines of a manuscript on its margins."""
    columns: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if re.fullmatch(r"\d{1,4}", line.text):
            columns[round(line.right)].append(line)
    margin: set[Line] = set()
    for column in columns.values():
        steps = [int(below.text) - int(above.text) for above, below in pairwise(column)]
        if len(column) > 9 and median(steps) in (1, 5) and sum(step in (1, 5) for step in steps) > 0.9 * len(steps):
            margin |= set(column)
    return [line for line in lines if line not in margin]


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
