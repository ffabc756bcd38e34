"""Which reader reads which file ending. Reader modules are imported when a file of theirs comes, so that a heavy
library is loaded only when it is needed."""

import importlib
from pathlib import Path

from kb.errors import ReadError
from kb.incoming import Incoming

MAX_BYTES = 100_000_000
_READERS = {
    ".md": "kb.readers.markdown",
    ".markdown": "kb.readers.markdown",
    ".txt": "kb.readers.markdown",
}


def endings() -> tuple[str, ...]:
    """The file endings that can be read."""
    return tuple(_READERS)


def read_source(path: Path, *, origin: str) -> Incoming:
    """Read a file as a document.

    Raises ReadError when its kind is unknown, it is too large or broken; FileNotFoundError when it is not there.
    """
    ending = path.suffix.lower()
    if ending not in _READERS:
        raise ReadError(f"{path.name} cannot be read: its ending is {ending!r}. Readable: {', '.join(_READERS)}.")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ReadError(f"{path.name} has {size / 1e6:.0f} MB; at most {MAX_BYTES / 1e6:.0f} MB are read. Split it.")
    module = importlib.import_module(_READERS[ending])
    return module.read(path, origin=origin)
