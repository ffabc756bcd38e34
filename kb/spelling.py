"""Slips of the pen in a question: a word that the library never uses, one letter away from one of its own.

One letter missing, added, replaced or swapped with its neighbour (Damerau 1964), found by the words that remain when each
letter is left out once. Only words of titles, aliases, headings and the questions that notes carry are offered, in Latin letters, from five letters on,
and only where one of them is nearest; anything else is left as it was written. It does not know grammar or other languages.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, text

LEAST = 5
_LETTERS = re.compile(rf"[a-z]{{{LEAST},}}")


class Spelling:
    """The words that may be meant."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_rest: dict[str, set[str]] = defaultdict(set)
        self._known = {word for word in words if len(word) >= LEAST and word.isascii() and word.isalpha()}
        for word in self._known:
            for rest in _rests(word):
                self._by_rest[rest].add(word)

    @classmethod
    def of(cls, connection: Connection) -> "Spelling":
        """The words of a library."""
        sources = (
            "SELECT name FROM aliases",
            "SELECT DISTINCT heading FROM passages",
            "SELECT json_extract(front, '$.questions') FROM documents WHERE json_extract(front, '$.questions') != '[]'",
        )
        written = (str(entry) for source in sources for entry in connection.execute(text(source)).scalars())
        return cls({word for entry in written for word in _LETTERS.findall(entry.casefold())})

    def meant(self, word: str) -> str | None:
        """The name word that a word is a slip of; None when it is one itself, or nothing or too much is near."""
        if len(word) < LEAST or not (word.isascii() and word.isalpha()) or word in self._known:
            return None
        near = {found for rest in _rests(word) for found in self._by_rest.get(rest, ()) if is_slip(word, found)}
        stems = {found.removesuffix("s") for found in near}
        return min(near) if len(stems) == 1 else None


def is_slip(one: str, other: str) -> bool:
    """Whether two words differ by one letter missing, added, replaced, or swapped with its neighbour."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1 or one == other:
        return False
    start = next((place for place, letter in enumerate(one) if letter != other[place]), len(one))
    if len(one) < len(other):
        return one[start:] == other[start + 1 :]
    swapped = (
        one[start + 1 : start + 2] + one[start] == other[start : start + 2] and one[start + 2 :] == other[start + 2 :]
    )
    return swapped or one[start + 1 :] == other[start + 1 :]


def _rests(word: str) -> set[str]:
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}
