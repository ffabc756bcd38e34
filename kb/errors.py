"""What can go wrong in the library, said so that a person can correct it."""


class KbError(Exception):
    """Base of every error that `kb` raises on purpose: one clear sentence, and what to do about it."""
