"""Words that a line end cuts in two, put together as the paper writes them elsewhere.

A hyphen at a line end either belongs to the word ("head-specific") or was put there by the typesetter ("interpret-ability"). It stays when
the same paper writes the word with it inside a line, before a capital or a digit ("GPT-2"), behind a word that has one
already ("out-of-domain") and before "-based" and the like; otherwise it goes. Korean lines break inside words without a mark: the parts
are joined where the paper begins a word that way and never uses the first part alone. This module does not know where lines are.
"""

import re
from collections.abc import Iterable

_HYPHENATED = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")
_PLAIN = re.compile(r"[^\W\d_]+")
_END = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)-$")
_KOREAN = re.compile("[가-힣]+")
_KOREAN_END = re.compile("[가-힣]+$")
_SECOND = ("based", "specific", "level", "driven")  # parts that are nearly always put behind a hyphen
_OPEN = ("and", "or", "to", "und")  # "pre- and post-training"


class Joiner:
    """Joins lines; knows the words of all `lines` of the paper."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.hyphenated: set[str] = set()
        self.plain: set[str] = set()
        self.whole: set[str] = set()  # Korean words
        self.begun: set[str] = set()  # beginnings of Korean words
        for line in lines:
            inner = line.casefold().rstrip("-")
            self.hyphenated.update(_HYPHENATED.findall(inner))
            self.plain.update(_PLAIN.findall(inner))
            for word in _KOREAN.findall(line)[1:-1]:  # the first and last may be parts
                self.begun.update(word[:length] for length in range(2, len(word) + 1))
                self.whole.add(word)

    def join(self, text: str, words: str) -> str:
        """The text with the next line put to it."""
        last, first = _KOREAN_END.search(text), _KOREAN.match(words)
        if last and first and last[0] not in self.whole and last[0] + first[0][:2] in self.begun:
            return text + words
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
