"""Turns an answer's markers into numbers and a list of sources, the same numbers wherever the answer is shown.

`[^p:ID]` cites a passage, `[^r:ID]` a result, `[^c:ID]` a claim, `[^i:ID]` an investigation; equal markers share a number, in order of first
mention. This module words nothing: it only replaces markers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from agent.answer import MARKER, Answer, Citation

_ELSEWHERE = re.compile(r"\[\^[rc]:[^\]]+\]: ")
_PASSAGE = re.compile(r"^\[\^p:[^\]]+\]: ")
_LINK = re.compile(r"\[\[(?P<target>[^\]|#\n]+)(?:#[^\]|\n]*)?(?:\|(?P<words>[^\]\n]+))?\]\]")
SourceKind = Literal["p", "r", "c", "i"]


@dataclass(frozen=True)
class Source:
    """What one number stands for; `citation` is there for passages the answer cites."""

    number: int
    kind: SourceKind
    id: str
    citation: Citation | None = None


def numbered(answer: Answer, mark: Callable[[Source], str]) -> tuple[str, list[Source]]:
    """The text with every marker replaced by `mark(source)`, and the sources in the order of their numbers."""
    cited = {citation.passage_id: citation for citation in answer.citations}
    found: dict[tuple[str, str], Source] = {}

    def replace(match: re.Match[str]) -> str:
        kind, name = match["kind"], match["id"]
        if (kind, name) not in found:
            citation = cited.get(name) if kind == "p" else None
            found[kind, name] = Source(len(found) + 1, kind, name, citation)  # pyright: ignore[reportArgumentType]  # MARKER admits only these
        return mark(found[kind, name])

    text = MARKER.sub(replace, answer.text)
    return text, list(found.values())


def plain_answer(answer: Answer) -> str:
    """The answer for a terminal: `[1]` in the text, links to notes as words, the sources below, what was struck out named."""
    text, sources = numbered(answer, lambda source: f"[{source.number}]")
    lines = [_LINK.sub(lambda link: link["words"] or link["target"], text).rstrip()]
    if sources:
        lines += ["", "Sources"]
        lines += [f"  [{source.number}] {describe(source)}" for source in sources]
    if answer.usage is not None:
        lines += ["", f"{answer.llm}: {answer.usage.says()}"]
    if answer.struck:
        lines += ["", "Struck out, because it does not resolve to anything stored: " + "; ".join(answer.struck)]
    return "\n".join(lines)


def describe(source: Source) -> str:
    """One line that lets a reader find the source again."""
    if source.kind == "c":
        return f"claim {source.id} (circuit-court claims show {source.id[:12]})"
    if source.kind == "i":
        return f"investigation {source.id} (the app's Investigations page; circuit-court investigations show {source.id[:12]})"
    if source.kind == "r":
        return f"result {source.id}"
    if source.citation is None:
        return f"passage {source.id}"
    page = f", page {source.citation.page}" if source.citation.page else ""
    quote = " ".join(_LINK.sub(lambda link: link["words"] or link["target"], source.citation.quote).split())
    return f"{source.citation.title}{page}" + (f": “{quote[:160]}{'…' if len(quote) > 160 else ''}”" if quote else "")


def without_markers(markdown: str) -> str:
    """Markdown for a terminal: passage and result markers gone, claims named by the beginning of their id; of the list of
    sources, passages stay, with their quotations."""
    kept = [line for line in markdown.split("\n") if not _ELSEWHERE.match(line)]
    markdown = "\n".join(_PASSAGE.sub("- ", line) for line in kept)
    return MARKER.sub(lambda match: f" ({match['id'][:12]})" if match["kind"] == "c" else "", markdown)
