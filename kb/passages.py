"""Documents cut into citable passages.

A passage is a verbatim span of the document's normalised text, made of whole paragraphs or list items of one Markdown
section, at most `TARGET` characters and at most `budget` tokens as the embedder counts them (MiniLM silently ignores
everything after its 256th token). A paragraph that is too long is cut at sentence ends, a sentence that is too long at
blanks. Ids are content hashes of document and text, so that a passage keeps its id, its vector and its citations when
other parts of the document change. Headings give the context; they are not passages of their own unless nothing
follows them. A quotation block or callout is never joined with its neighbours. This module does not know what a passage is about.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kb.text import sentences

TARGET = 800
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~)[^\n]*\n.*?^\1[ \t]*$", re.DOTALL | re.MULTILINE)
_BREAK = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*+]|\d+[.)])[ \t])")


@dataclass(frozen=True)
class Cut:
    """A passage before it is stored. `context` is what is embedded and indexed with it: title and headings."""

    id: str
    heading: str
    start: int
    end: int
    text: str
    page: int | None = None


@dataclass(frozen=True)
class PageStart:
    """Where (in characters of the text) a page begins."""

    page: int
    start: int


def estimated_tokens(text: str) -> int:
    """About as many tokens as an English vocabulary needs for a text, where there is no embedder to count them: one for four ASCII
    characters, three for any other."""
    plain = sum(character.isascii() for character in text)
    return -(-plain // 4) + 3 * (len(text) - plain)


def cut_passages(
    document_id: str,
    text: str,
    *,
    measure: Callable[[str], int] | None = None,
    budget: int = 200,
    pages: Sequence[PageStart] = (),
) -> list[Cut]:
    """The passages of a text, in order, without overlap. `measure` counts tokens; without it only characters limit."""
    seen: Counter[str] = Counter()
    cuts: list[Cut] = []
    for heading, start, end in _sections(text):
        for left, right in _pack(text, start, end, measure, budget):
            body = text[left:right]
            seen[body] += 1
            mark = f"{document_id}\x00{seen[body]}\x00{body}"
            identity = hashlib.sha256(mark.encode()).hexdigest()[:20]
            cuts.append(Cut(identity, heading, left, right, body, _page_at(pages, left)))
    return cuts


def _sections(text: str) -> list[tuple[str, int, int]]:
    """(heading path, start, end) of the stretches between headings; headings inside code fences do not count."""
    fenced = [(found.start(), found.end()) for found in _FENCED.finditer(text)]
    path: list[tuple[int, str]] = []
    sections: list[tuple[str, int, int]] = []
    start, heading = 0, ""
    for found in _HEADING.finditer(text):
        if any(left <= found.start() < right for left, right in fenced):
            continue
        sections.append((heading, start, found.start()))
        level = len(found[1])
        path = [*(entry for entry in path if entry[0] < level), (level, found[2])]
        heading = " > ".join(name for _, name in path)
        start = found.end()
    sections.append((heading, start, len(text)))
    return sections


def _pack(text: str, start: int, end: int, measure: Callable[[str], int] | None, budget: int) -> list[tuple[int, int]]:
    """Neighbouring blocks of a section joined as long as they fit."""

    def fits(left: int, right: int) -> bool:
        if right - left > TARGET:
            return False
        piece = text[left:right]
        few = piece.isascii() and len(piece) <= budget  # a Hangul syllable is up to three tokens
        return measure is None or few or measure(piece) <= budget

    packed: list[tuple[int, int]] = []
    for block in _blocks(text, start, end):
        for left, right in [block] if fits(*block) else _shorten(text, *block, fits):
            alone = text.startswith(">", left) or (packed and text.startswith(">", packed[-1][0]))
            if packed and not alone and fits(packed[-1][0], right):
                packed[-1] = (packed[-1][0], right)
            else:
                packed.append((left, right))
    return packed


def _blocks(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Paragraphs and list items, without surrounding blanks."""
    blocks: list[tuple[int, int]] = []
    left = start
    for found in [*_BREAK.finditer(text, start, end), None]:
        right = found.start() if found else end
        piece = text[left:right]
        if piece.strip():
            first = left + len(piece) - len(piece.lstrip())
            blocks.append((first, first + len(piece.strip())))
        left = found.end() if found else end
    return blocks


def _shorten(text: str, start: int, end: int, fits: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    """A block that is too long, cut at sentence ends, and at blanks (or anywhere) where a sentence is too long."""
    pieces: list[tuple[int, int]] = []
    for left, right in sentences(text[start:end]):
        pieces.extend(_halve(text, start + left, start + right, fits))
    joined: list[tuple[int, int]] = []
    for left, right in pieces:
        if joined and fits(joined[-1][0], right):
            joined[-1] = (joined[-1][0], right)
        else:
            joined.append((left, right))
    return joined


def _halve(text: str, start: int, end: int, fits: Callable[[int, int], bool]) -> list[tuple[int, int]]:
    if fits(start, end) or end - start < 40:
        return [(start, end)]
    middle = (start + end) // 2
    clause = max(text.rfind(mark, start + 1, end - 20) for mark in ("; ", ": ", ", ")) + 1
    blank = max(text.rfind(" ", start + 1, middle), text.rfind("\n", start + 1, middle))
    cut = clause if clause > middle else blank if blank > start else middle
    right = cut + 1 if text[cut].isspace() else cut
    return [*_halve(text, start, cut, fits), *_halve(text, right, end, fits)]


def _page_at(pages: Sequence[PageStart], position: int) -> int | None:
    page = None
    for mark in pages:
        if mark.start > position:
            break
        page = mark.page
    return page
