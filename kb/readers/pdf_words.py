"""Words that a line end cuts in two, put together as the paper writes them elsewhere.

A hyphen at a line end either belongs to the word ("head-specific") or was put there by the typesetter ("interpret-ability"). It stays when
the same paper writes the word with it inside a line, before a capital or a digit ("GPT-2"), behind a word that has one
already ("out-of-domain") and before "-based" and the like; otherwise it goes. This module does not know where lines are.
"""

import re
from collections.abc import Iterable

_HYPHENATED = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")
_PLAIN = re.compile(r"[^\W\d_]+")
_END = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)-$")
_SECOND = ("based", "specific", "level", "driven")  # parts that are nearly always put behind a hyphen
_OPEN = ("and", "or", "to", "und")  # "pre- and post-training"


class Joiner:
    """Joins lines; knows the words of all `lines` of the paper."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.hyphenated: set[str] = set()
        self.plain: set[str] = set()
        for line in lines:
            inner = line.casefold().rstrip("-")
            self.hyphenated.update(_HYPHENATED.findall(inner))
            self.plain.update(_PLAIN.findall(inner))

    def join(self, text: str, words: str) -> str:
        """The text with the next line put to it."""
        cut = _END.search(text)
        if not text or not words:
            return text + words
        if not cut or not words[0].isalnum() or words.split(maxsplit=1)[0] in _OPEN:
            return f"{text} {words}"
        shouted = cut[1].isupper() and len(cut[1]) > 3 and words.split()[0].isupper() and len(words.split()[0]) > 3
        if not words[0].islower() and not shouted:
            return text + words
        first, second = cut[1].casefold(), (_PLAIN.match(words) or [""])[0].casefold()
        tail = first.rpartition("-")[2]
        whole = f"{tail}-{second}" in self.hyphenated or f"{first}-{second}" in self.hyphenated
        compound = second in _SECOND and len(first) > 3
        if ("-" in first or whole or compound) and tail + second not in self.plain:
            return text + words
        return text[:-1] + words
