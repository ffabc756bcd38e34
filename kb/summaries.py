"""Structured summaries and definitions, extractive: every sentence is verbatim from a passage and cited by its span.

A note that follows the starter notes' headings is read by section (Key ideas, Findings, Limits, ...); any other document by
the nearest section heading (abstract, method, results, limitations, in English or Korean), and where a part has no
section, by cue words. Literature claims come from the front matter. It selects sentences; it does not rephrase, weigh or check
them.
"""

import re
from collections.abc import Sequence

from kb.records import Cited, Definition, Document, LiteratureClaim, Passage, Summary
from kb.text import is_korean, sentences

MOST = {"question": 2, "method": 4, "findings": 8, "limits": 5}
_HEADINGS = {
    "question": r"abstract|introduction|overview|motivation|초록|서론|개요|문제",
    "method": r"key ideas?|method|approach|setup|how it works|definition|핵심|방법|접근|정의",
    "findings": r"findings?|results?|experiments?|conclusions?|key (?:results|takeaways)|결과|발견|실험|결론",
    "limits": r"limits?|limitations?|anti-patterns?|pitfalls?|caveats?|threats|한계|주의|제한",
}
_CUES = {
    "question": r"\bwe (?:study|ask|investigate|examine|address)\b|\bquestion\b|연구한다|질문",
    "method": r"\bwe (?:propose|introduce|use|train|apply|measure)\b|\bmethod\b|제안|방법",
    "findings": r"\bwe (?:find|show|observe|demonstrate|report)\b|\bresults? (?:show|suggest)|\d+(?:\.\d+)?\s?%|보였|나타났",
    "limits": r"\blimit(?:ation|ed)|\bhowever\b|\bcaveat|\bonly (?:on|in|for)\b|한계|그러나|하지만",
}
_BULLET = re.compile(r"^(?:[-*+]|\d+[.)]|>)\s+")


def summarise_document(document: Document, passages: Sequence[Passage], claims: Sequence[LiteratureClaim]) -> Summary:
    """Question, method, findings, limits and tests of one document."""
    parts = {part: _part(part, passages) for part in MOST}
    abstract = any(re.search(r"\babstract\b|초록", passage.heading, re.IGNORECASE) for passage in passages)
    opening = None if abstract else _opening(passages)  # before an abstract stand title, authors and addresses
    if opening and not any(cited.text == opening.text for cited in parts["question"]):
        parts["question"] = (opening, *parts["question"])[: MOST["question"]]
    return Summary(
        title=document.title,
        document_ids=(document.id,),
        **parts,
        tests=tuple(claim for claim in claims if claim.document_id == document.id),
        korean=_korean(passages),
        verification=document.verification,
        trust=document.trust,
    )


def summarise_topic(topic: str, summaries: Sequence[Summary]) -> Summary:
    """One summary of several documents on a topic: the first sentences of each part, taken in turn."""
    return Summary(
        title=topic,
        document_ids=tuple(identity for summary in summaries for identity in summary.document_ids),
        question=_interleave([summary.question for summary in summaries], 3),
        method=_interleave([summary.method for summary in summaries], 5),
        findings=_interleave([summary.findings for summary in summaries], 9),
        limits=_interleave([summary.limits for summary in summaries], 6),
        tests=tuple(claim for summary in summaries for claim in summary.tests)[:8],
        korean=_interleave([summary.korean for summary in summaries], 3),
    )


def define(document: Document, passages: Sequence[Passage], term: str) -> Definition:
    """The opening line of a note and the first sentences of its key ideas."""
    opening = _opening(passages)
    rest = [cited for cited in _part("method", passages)[:2] if not opening or cited.text != opening.text]
    return Definition(
        term=term,
        document_id=document.id,
        title=document.title,
        sentences=(*([opening] if opening else []), *rest),
        korean=_korean(passages),
    )


def cite(passage: Passage, start: int, end: int) -> Cited:
    """A citation of a span of a passage, without a leading bullet."""
    bullet = _BULLET.match(passage.text[start:end])
    start += bullet.end() if bullet else 0
    return Cited(
        text=passage.text[start:end],
        passage_id=passage.id,
        document_id=passage.document_id,
        start=start,
        end=end,
        page=passage.page,
    )


def _opening(passages: Sequence[Passage]) -> Cited | None:
    """The first sentence of the text that is not a callout, a table or code."""
    for passage in passages[:3]:
        for start, end in sentences(passage.text):
            if not passage.text[start:end].startswith((">", "|", "```", "#", "![")):
                return cite(passage, start, end)
    return None


def _part(part: str, passages: Sequence[Passage]) -> tuple[Cited, ...]:
    pattern = re.compile(_HEADINGS[part], re.IGNORECASE)
    own = [passage for passage in passages if pattern.search(passage.heading.rpartition(" > ")[2])]
    found = [cite(passage, start, end) for passage in own for start, end in sentence_spans(passage.text)]
    if not found:
        cue = re.compile(_CUES[part], re.IGNORECASE)
        spans = ((passage, start, end) for passage in passages for start, end in sentences(passage.text))
        found = [cite(passage, start, end) for passage, start, end in spans if cue.search(passage.text[start:end])]
    return tuple(cited for cited in found if len(cited.text) > 15)[: MOST[part]]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Whole list items where the text is a list, sentences elsewhere."""
    spans = sentences(text)
    if not text.lstrip().startswith(("-", "*", "1.")):
        return [span for span in spans if not text[span[0]].startswith((">", "|"))]
    items: list[tuple[int, int]] = []
    for start, end in spans:
        if not items or _BULLET.match(text[start:end]):
            items.append((start, end))
        else:
            items[-1] = (items[-1][0], end)
    return items


def _korean(passages: Sequence[Passage]) -> tuple[Cited, ...]:
    """The sentences of a Korean summary near the beginning of a document."""
    own = [passage for passage in passages[:6] if is_korean(passage.text)]
    found = [cite(passage, start, end) for passage in own for start, end in sentences(passage.text)]
    return tuple(cited for cited in found if is_korean(cited.text) and not cited.text.startswith("[!"))


def _interleave(lists: Sequence[tuple[Cited, ...]], most: int) -> tuple[Cited, ...]:
    longest = max((len(cited) for cited in lists), default=0)
    turns = [cited[place] for place in range(longest) for cited in lists if place < len(cited)]
    return tuple(turns[:most])
