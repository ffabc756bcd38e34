"""Notes and plain text: UTF-8 (with or without byte-order mark), UTF-16 with one, then the encodings of old Windows files.

Those are told by what comes out: Korean CP949 when nearly all of it is everyday Hangul, Western CP1252 when nearly all is
ASCII and nothing is a control character. Anything else is refused rather than read as other letters than were meant.
"""

import codecs
import re
from pathlib import Path

from kb.errors import ReadError
from kb.incoming import Incoming, from_note, from_text
from kb.notes import parse_note

_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def read(path: Path, *, origin: str) -> list[Incoming]:
    """A Markdown file as a note, a .txt file as plain text."""
    text = decode(path.read_bytes(), path.name)
    if path.suffix.lower() == ".txt":
        return [from_text(text, title=path.stem, origin=origin, source=str(path))]
    return [from_note(parse_note(text, path.name), origin=origin, source=str(path))]


def decode(data: bytes, name: str, stated: str | None = None) -> str:
    """The text of a file; `stated` is the encoding that it claims. Raises ReadError when it is in none that is known."""
    if b"\x00" in data[:4096] and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ReadError(f"{name} is not a text file. Save it as UTF-8 text.")
    encodings = ["utf-16"] if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ["utf-8-sig"]
    for encoding in [*encodings, *([stated] if stated else [])]:
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    korean = _read_as("cp949", data)
    if korean is not None and _everyday_korean(korean):
        return korean
    western = _read_as("cp1252", data)
    if western is not None and sum(character.isascii() for character in western) > 0.8 * len(western):
        return western
    raise ReadError(f"{name} is in no encoding that is read here (UTF-8, UTF-16, CP949, CP1252). Save it as UTF-8.")


def _read_as(encoding: str, data: bytes) -> str | None:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


def _everyday_korean(text: str) -> bool:
    """Whether what is not ASCII is in the everyday part of CP949; the rest is what Western letters look like there."""
    foreign = [character for character in text if not character.isascii()]
    return sum(len(character.encode("euc_kr", "ignore")) == 2 for character in foreign) > 0.95 * len(foreign)
