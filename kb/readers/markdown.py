"""Notes and plain text: UTF-8 (with or without byte-order mark), UTF-16 with one, Korean CP949 as a last resort."""

import codecs
from pathlib import Path

from kb.errors import ReadError
from kb.incoming import Incoming, from_note, from_text
from kb.notes import parse_note


def read(path: Path, *, origin: str) -> list[Incoming]:
    """A Markdown file as a note, a .txt file as plain text."""
    text = decode(path.read_bytes(), path.name)
    if path.suffix.lower() == ".txt":
        return [from_text(text, title=path.stem, origin=origin, source=str(path))]
    return [from_note(parse_note(text, path.name), origin=origin, source=str(path))]


def decode(data: bytes, name: str) -> str:
    """The text of a file. Raises ReadError when it is not text in a known encoding."""
    if b"\x00" in data[:4096] and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ReadError(f"{name} is not a text file. Save it as UTF-8 text.")
    encodings = ["utf-16"] if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ["utf-8-sig", "cp949"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ReadError(f"{name} is in no encoding that is read here (UTF-8, UTF-16, CP949). Save it as UTF-8.")
