"""Structured summaries and definitions, extractive: every sentence is verbatim from a passage and cited by its span.

A note that follows the starter notes' headings is read by section (Key ideas, Findings, Limits, ...); any other document by
the nearest section heading (abstract, method, results, limitations, in English or Korean; the title is no section), and where
a part has no section, by cue words. A sentence that names its part ("Question: ...") goes there; what an abstract says was found
leads the findings. Where a section says more than is shown, sentences with figures or cue words are taken, in its order. Left out
are captions, sentences of which nothing but links remains, and the second half of one that a passage's end cut. Literature claims come from the front
matter. It selects sentences; it does not rephrase, weigh or check them.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from kb.records import Cited, Definition, Document, LiteratureClaim, Passage, Summary
from kb.text import is_korean, sentences

MOST = {"question": 2, "method": 4, "findings": 8, "limits": 5}
_HEADINGS = {
    "question": r"\b(?:abstract|introduction|overview|motivation)\b|초록|서론|개요|문제",
    "method": r"\b(?:key ideas?|methods?|methodology|approach|setup|how it works|definition|what to run)\b|핵심|방법|접근|정의",
    "findings": r"\b(?:findings?|results?|experiments?|conclusions?|takeaways|why it fails)\b|결과|발견|실험|결론",
    "limits": r"\b(?:limits?|limitations?|anti-patterns?|pitfalls?|caveats?|threats|what people do)\b|한계|주의|제한",
}
_CUES = {
    "question": r"\bwe (?:study|ask|investigate|examine|address)\b|\bquestion\b|연구한다|질문",
    "method": r"\bwe (?:propose|introduce|use|train|apply|measure)\b|\bmethod\b|제안|방법",
    "findings": r"\bwe (?:find|show|observe|demonstrate|report)\b|\bresults? (?:show|suggest)|\d+(?:\.\d+)?\s?%|보였|나타났",
    "limits": r"\blimit(?:ation|ed)|\bhowever\b|\bcaveat|\bonly (?:on|in|for)\b|한계|그러나|하지만",
}
_BULLET = re.compile(r"^(?:[-*+]|\d+[.)]|>)\s+")
_ASKS = re.compile(r"^(?:research )?questions?:|^질문:", re.IGNORECASE)
_APART = re.compile(
    r"\b(?:references|bibliography|sources|links|acknowledge?ments?|appendix|how to test)\b|참고\s*문헌", re.IGNORECASE
)
_LINK = re.compile(r"\[\[[^\]\n]*\]\]|\b(?:related notes?|see also|concepts?|see|compare|and|with)\b", re.IGNORECASE)
_ABSTRACT = re.compile(r"\babstract\b|초록", re.IGNORECASE)
_CAPTION = re.compile(r"(?:figure|fig\.|table|그림|표)\s*\d+", re.IGNORECASE)
_FIGURE = re.compile(r"\d")
_ENDED = re.compile(r"[.!?。:)\]`|*\"”'’]\s*$")


def summarise_document(document: Document, passages: Sequence[Passage], claims: Sequence[LiteratureClaim]) -> Summary:
    """Question, method, findings, limits and tests of one document."""
    parts = {part: _part(part, passages) for part in MOST}
    abstract = any(_ABSTRACT.search(passage.heading) for passage in passages)
    opening = None if abstract else _opening(passages)  # before an abstract stand title, authors and addresses
    if opening and not any(cited.text == opening.text for cited in parts["question"]):
        parts["question"] = (opening, *parts["question"])[: MOST["question"]]
    for part in ("method", "findings", "limits"):
        parts[part] = tuple(cited for cited in parts[part] if cited not in parts["question"])
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
    own = [passage for passage in passages if pattern.search(section(passage))]
    found = [cited for cited in _sentences(own, passages) if part == "question" or not _ASKS.match(cited.text)]
    cue = re.compile(_CUES[part], re.IGNORECASE)
    if part == "question":
        asked = [cited for cited in _sentences(passages, passages) if _ASKS.match(cited.text)]
        asked += [cited for cited in found if cue.search(cited.text) and cited not in asked]
        results = re.compile(_CUES["findings"], re.IGNORECASE)  # an abstract tells its findings, too
        found = [*asked, *(cited for cited in found if cited not in asked and not results.search(cited.text))]
    if part == "findings":
        abstract = [passage for passage in passages if _ABSTRACT.search(section(passage))]
        found = [*(cited for cited in _sentences(abstract, passages) if cue.search(cited.text)), *found]
    if not found:
        callouts = {cited.passage_id for cited in _korean(passages)} if not _all_korean(passages) else set()
        text = [p for p in passages if p.id not in callouts and not _APART.search(section(p))]
        spans = ((passage, start, end) for passage in text for start, end in sentences(passage.text))
        found = [cite(passage, start, end) for passage, start, end in spans if cue.search(passage.text[start:end])]
        found = [cited for cited in found if not cited.text.startswith(("|", ">", "#"))]
    told = [c for c in found if len(_LINK.sub("", c.text).strip(" .,;:")) > 20 and not _CAPTION.match(c.text)]
    return tuple(told if part == "question" else _strongest(told, MOST[part], cue))[: MOST[part]]


def _strongest(found: list[Cited], most: int, cue: re.Pattern[str]) -> list[Cited]:
    """As many sentences as are shown, in their order: those with figures or cue words before others."""
    ranked = sorted(
        range(len(found)), key=lambda place: not (cue.search(found[place].text) or _FIGURE.search(found[place].text))
    )
    return [found[place] for place in sorted(ranked[:most])]


def section(passage: Passage) -> str:
    """The nearest heading; nothing under a title alone, unless the title is as short as a section's name."""
    alone = passage.heading == passage.title and len(passage.title.split()) > 2
    return "" if alone else passage.heading.rpartition(" > ")[2]


def _sentences(own: Sequence[Passage], passages: Sequence[Passage]) -> list[Cited]:
    """The sentences of some of a document's passages, without the rest of one that began in the passage before."""
    before = {passage.id: earlier for earlier, passage in pairwise(passages)}
    found: list[Cited] = []
    for passage in own:
        earlier = before.get(passage.id)
        cut = earlier is not None and earlier.heading == passage.heading and not _ENDED.search(earlier.text)
        spans = sentence_spans(passage.text)
        found += [cite(passage, start, end) for start, end in (spans[1:] if cut else spans)]
    return found


def _all_korean(passages: Sequence[Passage]) -> bool:
    """Whether a document is Korean itself, and not an English one with a Korean summary."""
    return sum(is_korean(passage.text) for passage in passages) > len(passages) / 2


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
