"""Gives memory that an experiment used back to the operating system.

The C library keeps what was freed, for each thread that ever allocated; a worker whose jobs run in several threads would
keep the peaks of all of them. Where the C library has no `malloc_trim` (macOS, musl) this only collects garbage.
"""

import ctypes
import gc


def give_back() -> None:
    """Collect garbage and hand freed memory back."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
