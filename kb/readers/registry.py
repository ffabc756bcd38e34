"""Which reader reads which file ending. Notes and plain text are read here and now; foreign formats in a process of their
own (`kb.readers.sandbox`). Adding a reader is a module with `read(path, origin=...) -> list[Incoming]` and a line here."""

from pathlib import Path

from kb.errors import ReadError
from kb.incoming import Incoming
from kb.readers import markdown
from kb.readers.sandbox import read_apart

MAX_BYTES = 100_000_000
_TEXT = (".md", ".markdown", ".txt")
_FOREIGN = {
    ".pdf": "kb.readers.pdf",
    ".html": "kb.readers.html",
    ".htm": "kb.readers.html",
    ".bib": "kb.readers.bibtex",
}


def endings() -> tuple[str, ...]:
    """The file endings that can be read."""
    return (*_TEXT, *_FOREIGN)


def read_source(path: Path, *, origin: str) -> list[Incoming]:
    """Read a file as documents: one, or one for each BibTeX entry.

    Raises ReadError when its kind is unknown, it is too large or broken; FileNotFoundError when it is not there.
    """
    ending = path.suffix.lower()
    if ending not in endings():
        raise ReadError(f"{path.name} cannot be read: its ending is {ending!r}. Readable: {', '.join(endings())}.")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ReadError(f"{path.name} has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read. Split it.")
    if ending in _FOREIGN:
        return read_apart(_FOREIGN[ending], path, origin=origin)
    return markdown.read(path, origin=origin)
