"""Readers: a file in, an `Incoming` document out. One file of this folder for each kind; adding a reader touches one.

A reader is a module with `read(path, origin=...) -> list[Incoming]`, named in `kb.readers.registry` with its endings. A
file that nothing reads is refused with the list of what is read.
"""

from kb.readers.registry import endings, read_source

__all__ = ["endings", "read_source"]
