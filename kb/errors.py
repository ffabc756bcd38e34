"""What can go wrong in the library, said so that a person or the agent can correct it.

`tools` has its own base class (the two packages do not know each other); `agent/errors.py` joins them for the
command line and the app.
"""


class KbError(Exception):
    """Base of every error that `kb` raises on purpose: one clear sentence, and what to do about it."""


class UnknownNameError(KbError):
    """No document, passage or note goes by this name. The message offers the nearest names."""


class NotVerbatimError(KbError):
    """A quotation is not, character by character, in the passage that it cites."""


class ReadError(KbError):
    """A file cannot be turned into a document: unknown kind, broken, too large, or it took too long."""


class VectorIndexError(KbError):
    """The vector index is missing or does not fit the library. It can be rebuilt from SQLite at any time."""


class FetchRefusedError(KbError):
    """An address may not be fetched: fetching is off, the address is not public, or a limit was passed."""
