"""Readers of foreign formats run in a process of their own, with limits on memory, processor and wall time.

A PDF that makes the parser crash, hang or eat memory costs its own process and one sentence. The child is
`kb.readers.child`; it prints the documents as JSON. It is a limit against accidents, not a
jail: the child runs with the rights of its user.
"""

import json
import subprocess
import sys
from pathlib import Path

from kb.errors import ReadError
from kb.incoming import Incoming
from kb.passages import PageStart

MEMORY = 2_000_000_000
SECONDS = 120  # of processor time
WAIT = 4  # times as long by the clock, because experiments share the processor
REFUSED = 3


def read_apart(module: str, path: Path, *, origin: str, seconds: int = SECONDS, memory: int = MEMORY) -> list[Incoming]:
    """What `module.read(path)` gives, computed in a limited process.

    Raises ReadError with the reader's own sentence, or one that names the limit that was passed.
    """
    command = [sys.executable, "-m", "kb.readers.child", module, str(path), origin, str(seconds), str(memory)]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=WAIT * seconds, check=False, cwd=Path(__file__).parents[2]
        )
    except subprocess.TimeoutExpired as error:
        raise ReadError(
            f"{path.name} took longer than {WAIT * seconds} s to read. Split it or save it anew."
        ) from error
    if done.returncode == REFUSED:
        raise ReadError(done.stdout.decode())
    if done.returncode != 0:
        raise ReadError(
            f"{path.name} could not be read: its reader stopped ({_reason(done.returncode, done.stderr)}). "
            "It may be broken or too large; save it anew or split it."
        )
    return [_from_json(entry) for entry in json.loads(done.stdout)]


def _reason(status: int, errors: bytes) -> str:
    if status == -24:
        return "it used up its processor time"
    if b"MemoryError" in errors or b"bad_alloc" in errors:
        return "it used up its memory"
    last = errors.decode(errors="replace").strip().splitlines()[-1:] or [f"status {status}"]
    return last[0][:200]


def _from_json(entry: dict[str, object]) -> Incoming:
    pages = entry.pop("pages")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    assert isinstance(pages, list), pages
    return Incoming(**values, pages=tuple(PageStart(**page) for page in pages))  # pyright: ignore[reportArgumentType]  # it was an Incoming
