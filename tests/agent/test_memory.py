"""Memory freed in a job's thread goes back to the operating system."""

import ctypes
import threading
from pathlib import Path

import pytest

from agent.memory import give_back


def resident_mb() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) // 1024


def fill_and_free(pieces: int) -> None:
    """Many small blocks: the C library keeps them for their thread once they are free."""
    blocks = [bytearray(20_000) for _ in range(pieces)]
    del blocks[::2]
    del blocks


def test_nothing_happens_where_the_c_library_cannot(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_back()


def test_what_a_thread_freed_is_given_back():
    before = resident_mb()
    thread = threading.Thread(target=fill_and_free, args=(20_000,))
    thread.start()
    thread.join()
    give_back()
    assert resident_mb() < before + 100
