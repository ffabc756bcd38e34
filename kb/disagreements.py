"""Where the literature disagrees: pairs of cited sentences about one thing that point in opposite directions.

Two kinds. `stated`: a sentence that itself says it weakens, disputes or fails to replicate something, set against the
nearest finding of the note it stands in or names. `inferred`: two sentences of different documents that are near in
meaning and differ in polarity (negation, or one of a few pairs of opposites such as increase and decrease), unless both
speak of one work, which only restates it. With each comes what may explain it: models, metrics and ablations that only one side names. It reads words, not arguments:
a pair is a lead for a person, not a finding.
"""

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from kb.embedder import Embedder
from kb.notes import links_of
from kb.records import Cited, Document, Passage, Record
from kb.summaries import cite, sentence_spans

NEAR = 0.6
MOST = 12
_SECTIONS = re.compile(r"findings?|results?|limits|limitations|later evidence|결과|한계", re.IGNORECASE)
_DISPUTES = re.compile(
    r"\b(?:disput\w+|contest\w+|weaken\w*|contradict\w*|fails? to replicate|does not (?:hold|replicate|transfer)|"
    r"challenge[sd]?|questioned|overturn\w*|in tension)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\b(?:not|no|never|nor|without|fails?|cannot|little|hardly|barely|neither)\b", re.IGNORECASE)
_OPPOSITES = (
    (r"increas\w+|raises?|rises?|higher|gains?", r"decreas\w+|lowers?|falls?|drops?|reduc\w+|loses?"),
    (r"better|best|outperform\w*|beats?|win", r"worse|worst|trail\w*|underperform\w*|lose"),
    (r"robust|stable|consistent|same|shared", r"unstable|brittle|inconsistent|differ\w*|depends?"),
    (r"necessary|needed|essential", r"unnecessary|dispensable|redundant"),
)
_MODELS = re.compile(
    r"\b(?:GPT-?[234J]\S*(?: (?:small|medium|large|XL))?|Pythia\S*|Llama\S*(?: \d\S*)?|Gemma\S*(?: \d\S*)?|Claude\S*|"
    r"SmolLM2\S*|BERT|ELMo|Chinchilla\S*|Vicuna\S*)",
    re.IGNORECASE,
)
_METRICS = re.compile(
    r"\b(?:logit difference|KL(?: divergence)?|accuracy|loss|faithfulness|AUC|probability|top-1|perplexity|L0)\b",
    re.IGNORECASE,
)
_ABLATIONS = re.compile(
    r"\b(?:zero|mean|resampl\w+|noise|optimal|edge|node|interchange)[- ]?(?:ablat\w+|patch\w+|level)", re.IGNORECASE
)


class Disagreement(Record):
    """Two cited sentences that disagree, how that was seen, and what differs between them."""

    kind: Literal["stated", "inferred"]
    one: Cited
    other: Cited
    closeness: float
    models: tuple[tuple[str, ...], tuple[str, ...]]
    metrics: tuple[tuple[str, ...], tuple[str, ...]]
    ablations: tuple[tuple[str, ...], tuple[str, ...]]


def disagreements(sources: Sequence[tuple[Document, Sequence[Passage]]], embedder: Embedder) -> list[Disagreement]:
    """The pairs among the findings, limits and later evidence of some documents, nearest first."""
    found = [cited for _, passages in sources for passage in passages for cited in _statements(passage)]
    if len(found) < 2:
        return []
    vectors = embedder.embed([cited.text for cited in found])
    closeness = vectors @ vectors.T
    pairs: list[Disagreement] = []
    for one, other in combinations(range(len(found)), 2):
        near = float(closeness[one, other])
        kind = _kind(found[one], found[other], near)
        if kind:
            pairs.append(_pair(kind, found[one], found[other], near))
    pairs.sort(key=lambda pair: (pair.kind != "stated", -pair.closeness))
    return _spread(pairs)


def polarity(one: str, other: str) -> bool:
    """Whether one of two sentences negates, or uses the opposite of a word of the other."""
    if bool(_NEGATION.search(one)) != bool(_NEGATION.search(other)):
        return True
    for left, right in _OPPOSITES:
        first, second = (re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for words in (left, right))
        for a, b in ((one, other), (other, one)):
            if first.search(a) and not second.search(a) and second.search(b) and not first.search(b):
                return True
    return False


def _statements(passage: Passage) -> list[Cited]:
    if not _SECTIONS.search(passage.heading.rpartition(" > ")[2]):
        return []
    cited = [cite(passage, start, end) for start, end in sentence_spans(passage.text)]
    return [sentence for sentence in cited if len(sentence.text.split()) >= 6]


def _kind(one: Cited, other: Cited, near: float) -> Literal["stated", "inferred"] | None:
    disputes = bool(_DISPUTES.search(one.text)) != bool(_DISPUTES.search(other.text))
    if disputes and near >= NEAR - 0.05:
        return "stated"
    if near >= NEAR and not _works(one) & _works(other) and polarity(one.text, other.text):
        return "inferred"
    return None


def _works(cited: Cited) -> set[str]:
    """The works a sentence speaks for: its own document and those that it links. Two that share one restate it."""
    return {cited.document_id, *(link.target for link in links_of(cited.text))}


def _pair(kind: Literal["stated", "inferred"], one: Cited, other: Cited, near: float) -> Disagreement:
    return Disagreement(
        kind=kind,
        one=one,
        other=other,
        closeness=round(float(np.float32(near)), 3),
        models=_only(_MODELS, one.text, other.text),
        metrics=_only(_METRICS, one.text, other.text),
        ablations=_only(_ABLATIONS, one.text, other.text),
    )


def _only(pattern: re.Pattern[str], one: str, other: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What one side names and the other does not, for both sides."""
    left, right = ({found.casefold(): found for found in pattern.findall(text)} for text in (one, other))
    return tuple(left[key] for key in left if key not in right), tuple(right[key] for key in right if key not in left)


def _spread(pairs: Sequence[Disagreement]) -> list[Disagreement]:
    """At most two pairs for each sentence, so that one strong statement does not fill the list."""
    seen: dict[tuple[str, int], int] = {}
    kept: list[Disagreement] = []
    for pair in pairs:
        ends = [(cited.passage_id, cited.start) for cited in (pair.one, pair.other)]
        if all(seen.get(end, 0) < 2 for end in ends):
            kept.append(pair)
            for end in ends:
                seen[end] = seen.get(end, 0) + 1
    return kept[:MOST]
