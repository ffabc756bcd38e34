"""The printed characters of a PDF page, from PDFium, with their boxes along the direction in which they are written.

Text at a slant (watermarks) falls away. Accents that TeX sets as marks of their own are put on their letters, ligatures are
written out, also where an old bitmap font has them under codes of its own, and letters that take two UTF-16 units become
one. This module does not know lines.
"""

import ctypes
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median
from typing import Any

import pypdfium2
from pypdfium2 import raw

_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_HYPHENS = (0x02, 0xFFFE)  # PDFium's marks for a hyphen at a line end
_TEX = {"\x0b": "ff", "\x0c": "fi", "\x0d": "fl", "\x0e": "ffi", "\x0f": "ffl"}  # TeX's old encoding of bitmap fonts
_BOLD = re.compile(rb"bold|black|heavy|medi(?!um)|cmbx|cmssbx|sfbx", re.IGNORECASE)
SLANT = 0.12  # of a quarter turn: text further off than that is a watermark
LEAST = 2.0  # points: a smaller font size is that of a bitmap font and says nothing
_ACCENTS = dict(
    zip("´`¨ˆ˜ˇ˘˚¸¯˝˙", "\u0301\u0300\u0308\u0302\u0303\u030c\u0306\u030a\u0327\u0304\u030b\u0307", strict=True)
)
TOUCHING = 0.17  # of the font size: a gap between two letters of a word is smaller


@dataclass(frozen=True)
class Character:
    text: str
    left: float
    right: float
    base: float
    size: float  # of the font, in points
    turn: int  # quarter turns
    blank: bool  # PDFium sees a blank before it
    bold: bool = False


def characters_of(page: pypdfium2.PdfPage) -> list[Character]:
    """The characters of a page in the order of the file."""
    return _composed(_ligated(_evened(list(_characters(page)))))


def _characters(page: pypdfium2.PdfPage) -> Iterator[Character]:
    """Every printed character, along the direction in which it is written."""
    textpage = page.get_textpage()  # closes itself when nothing refers to it
    found = textpage.raw
    box, matrix, x, y = raw.FS_RECTF(), raw.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
    blank, high = False, 0
    for place in range(raw.FPDFText_CountChars(found)):
        code = raw.FPDFText_GetUnicode(found, place)
        if 0xD800 <= code < 0xE000:  # half of a character, such as the letters of formulas
            high, code = (
                (code, 0) if code < 0xDC00 else (0, (high - 0xD800) * 0x400 + code + 0x2400 if high else 0xFFFD)
            )
            if not code:
                continue
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
        yield Character(text, left, right, base, size or 1.0, turn, blank, _is_bold(found, place))
        blank = False


def _is_bold(found: Any, place: int) -> bool:
    """Whether the font says so in its name."""
    name = ctypes.create_string_buffer(64)
    raw.FPDFText_GetFontInfo(found, place, name, 64, ctypes.byref(ctypes.c_int()))
    return _BOLD.search(name.value) is not None


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


def _evened(characters: list[Character]) -> list[Character]:
    """One size along a baseline, where a bitmap font gives every letter its own."""
    evened: list[Character] = []
    for _, group in groupby(characters, key=lambda character: (round(character.base, 1), character.turn)):
        row = list(group)
        size = median(character.size for character in row)
        guessed = len({round(character.size, 1) for character in row}) > 4
        evened += [replace(character, size=size) for character in row] if guessed else row
    return evened


def _ligated(characters: list[Character]) -> list[Character]:
    """TeX's ligatures where they touch a letter; elsewhere the same codes are Greek letters that cannot be told, and go."""
    whole: list[Character] = []
    for place, character in enumerate(characters):
        beside = [characters[other] for other in (place - 1, place + 1) if 0 <= other < len(characters)]
        if character.text not in _TEX:
            whole.append(character)
        elif any(other.text.isalpha() and _near(character, other) for other in beside):
            whole.append(replace(character, text=_TEX[character.text]))
    return whole


def _near(one: Character, other: Character) -> bool:
    gap = max(one.left, other.left) - min(one.right, other.right)
    return abs(one.base - other.base) < 0.1 * one.size and gap < TOUCHING * one.size


def _composed(characters: list[Character]) -> list[Character]:
    """Accents that stand above a letter as characters of their own become part of it."""
    whole: dict[int, Character] = dict(enumerate(characters))
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


def _above(accent: Character, letter: Character) -> bool:
    middle = (accent.left + accent.right) / 2
    return letter.left <= middle <= letter.right and abs(accent.base - letter.base) < 0.5 * letter.size
