"""Where the literature disagrees: pairs of cited sentences about one thing that point in opposite directions.

Two kinds. `stated`: a document reports, under its later evidence, limits or findings, what another work holds against it or
against the common reading, set against the nearest of its own statements. `inferred`: two findings of different documents
that are near in meaning and differ in polarity: one negates words that the other uses, or both share most words and one of a
few opposites (increase and decrease). Advice ("Taking X for Y") is no finding, and two sentences on one work only restate
it. With each pair comes what may explain it: models, metrics and ablations that only one side names; a side that names no
model stands for its document's. It reads words, not arguments: a pair is a lead for a person, not a finding.
"""

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from kb.embedder import Embedder
from kb.notes import links_of
from kb.records import Cited, Document, Passage, Record
from kb.summaries import cite, section, sentence_spans
from kb.text import STOPWORDS, words

NEAR = 0.6  # cosine of two findings on one thing
SAME = 0.85  # cosine from which on a note only restates what it links to
ABOUT = 0.3  # of a report against a document and what it is against
SHARED = 0.3  # share of their words that two findings with opposite words have in common
SCOPE = 4  # words after a negation that it is taken to negate
MOST = 12
_FINDINGS = re.compile(r"\b(?:findings?|results?|conclusions?)\b|결과|발견", re.IGNORECASE)
_LATER = re.compile(r"\blater evidence\b|후속", re.IGNORECASE)
_LIMITS = re.compile(r"\b(?:limits?|limitations?)\b|한계", re.IGNORECASE)
_DECIMAL = re.compile(r"\d+\.\d+|\d+(?= ?%)")
_PREFIX = re.compile(r"^Lead, not settled:\s*")
_ADVICE = re.compile(
    r"^(?:anti-patterns?\b|(?:taking|reading|calling|concluding|comparing|quoting|reporting|ignoring|leaving|publishing|treating|expecting|"
    r"averaging|running|citing|picking|assuming|choosing)\b|\"|(?:use|state|report|name|keep|see|always|never|compare)\b)",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"(?:\]\]|\d{4}\.\d{4,5}\)?|\bet al\.?\)?|\bwork)\s+(?:later\s+|also\s+|nevertheless\s+)?"
    r"(?:finds?|obtains?|reports?|shows?|holds?|claims?|argues?|rejects?|disputes?|contests?|challenges?|contradicts?)\b"
    r"|\b(?:contested|disputed|rebutted|overturned|contradicted|challenged) by\b|\bfound afterwards\b"
    r"|\b(?:not|no|never|cannot|fails?)\b[^.]*\(\[\[[\w-]*\d{4}\]\]|반박|반대되는",
    re.IGNORECASE,
)
_SUPPORTS = re.compile(
    r"\b(?:gains? support|much more than random|is supported|confirm\w*|replicates?|finds? signs|points? to|reported in)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|no|never|nor|without|fails?|failed|cannot|hardly|barely|neither|nothing)\b", re.IGNORECASE
)
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
Sides = tuple[tuple[str, ...], tuple[str, ...]]


HOW = {"stated": "reported by the source itself", "inferred": "inferred from the wording"}


class Disagreement(Record):
    """Two cited sentences that disagree, how that was seen, and what differs between them."""

    kind: Literal["stated", "inferred"]
    one: Cited
    other: Cited
    closeness: float
    models: Sides
    metrics: Sides
    ablations: Sides


def disagreements(sources: Sequence[tuple[Document, Sequence[Passage]]], embedder: Embedder) -> list[Disagreement]:
    """The pairs among some documents: first what they say themselves, in the order of the documents, then nearest first."""
    models = {document.id: document.models for document, _ in sources}
    stated = [pair for document, passages in sources for pair in _stated(passages, models, embedder)]
    linked = {(document.id, name) for document, _ in sources for name in (*document.links, *document.linked_from)}
    inferred = [
        pair
        for pair in _inferred([passages for _, passages in sources], models, embedder)
        if pair.closeness < SAME or (pair.one.document_id, pair.other.document_id) not in linked
    ]
    return _spread([*stated, *sorted(inferred, key=lambda pair: -pair.closeness)])


def polarity(one: str, other: str) -> bool:
    """Whether one of two sentences negates words of the other, or uses the opposite of one in a sentence much like it."""
    for denies, says in ((one, other), (other, one)):
        free = _stems(says) - _negated(says)
        if _negated(denies) & free:
            return True
    if not _alike(one, other):
        return False
    for left, right in _OPPOSITES:
        first, second = (re.compile(rf"\b(?:{alternatives})\b", re.IGNORECASE) for alternatives in (left, right))
        for a, b in ((one, other), (other, one)):
            if first.search(a) and not second.search(a) and second.search(b) and not first.search(b):
                return True
    return False


def _stated(passages: Sequence[Passage], models: dict[str, tuple[str, ...]], embedder: Embedder) -> list[Disagreement]:
    """What a document reports against its own statements, each beside the nearest of them."""
    own = [c for p in passages if _FINDINGS.search(section(p)) or p.heading == p.title for c in _sentences(p)]
    reports = [c for p in passages for c in _sentences(p) if _reports_against(p, c)]
    own = [cited for cited in own if cited not in reports]
    if not own or not reports:
        return []
    closeness = embedder.embed([_PREFIX.sub("", c.text) for c in reports]) @ embedder.embed([c.text for c in own]).T
    pairs: list[Disagreement] = []
    for place, report in enumerate(reports):
        same = [bool(_figures(report) & _figures(cited)) for cited in own]  # the figure that a report is about
        nearest = same.index(True) if any(same) else int(np.argmax(closeness[place]))
        if closeness[place, nearest] + same[nearest] >= ABOUT:
            pairs.append(_pair("stated", own[nearest], report, float(closeness[place, nearest]), models))
    return pairs


def _reports_against(passage: Passage, cited: Cited) -> bool:
    heading, text = section(passage), _PREFIX.sub("", cited.text)
    if _ADVICE.match(text) or (_SUPPORTS.search(text) and not re.search(r"\bagainst|yet|in tension\b", text)):
        return False
    if _LATER.search(heading):
        return True
    return bool(_LIMITS.search(heading) and _REPORTED.search(text))


def _inferred(
    documents: Sequence[Sequence[Passage]], models: dict[str, tuple[str, ...]], embedder: Embedder
) -> list[Disagreement]:
    """Findings of different documents that are near and of opposite polarity."""
    found = [c for passages in documents for p in passages if _FINDINGS.search(section(p)) for c in _sentences(p)]
    found = [cited for cited in found if not _ADVICE.match(cited.text)]
    if len(found) < 2:
        return []
    vectors = embedder.embed([cited.text for cited in found])
    closeness = vectors @ vectors.T
    return [
        _pair("inferred", found[one], found[other], float(closeness[one, other]), models)
        for one, other in combinations(range(len(found)), 2)
        if closeness[one, other] >= NEAR
        and not _works(found[one]) & _works(found[other])
        and not _figures(found[one]) & _figures(found[other])
        and polarity(found[one].text, found[other].text)
    ]


def _sentences(passage: Passage) -> list[Cited]:
    cited = [cite(passage, start, end) for start, end in sentence_spans(passage.text)]
    return [sentence for sentence in cited if len(sentence.text.split()) >= 6]


def _works(cited: Cited) -> set[str]:
    """The works a sentence speaks for: its own document and those that it links. Two that share one restate it."""
    return {cited.document_id, *(link.target for link in links_of(cited.text))}


def _figures(cited: Cited) -> set[str]:
    """Percentages and decimals; findings that share one restate each other."""
    return set(_DECIMAL.findall(cited.text))


def _negated(text: str) -> frozenset[str]:
    """The stems of the content words that follow a negation, up to a comma or another break."""
    found: set[str] = set()
    for negation in _NEGATION.finditer(text):
        after = re.split(r"[,;:.()]", text[negation.end() :])[0]
        found.update(list(_ordered_stems(after))[:SCOPE])
    return frozenset(found)


def _stems(text: str) -> frozenset[str]:
    return frozenset(_ordered_stems(text))


def _ordered_stems(text: str) -> list[str]:
    kept = [word for word in words(text) if word not in STOPWORDS and not _NEGATION.fullmatch(word)]
    return [re.sub(r"(?:ing|ed|es|s|ly)$", "", word) if word.isascii() and len(word) > 4 else word for word in kept]


def _alike(one: str, other: str) -> bool:
    left, right = _stems(one), _stems(other)
    return len(left & right) >= SHARED * min(len(left), len(right))


def _pair(
    kind: Literal["stated", "inferred"], one: Cited, other: Cited, near: float, models: dict[str, tuple[str, ...]]
) -> Disagreement:
    named = [
        dict.fromkeys(_MODELS.findall(cited.text)) or dict.fromkeys(models.get(cited.document_id, ()))
        for cited in (one, other)
    ]
    return Disagreement(
        kind=kind,
        one=one,
        other=other,
        closeness=round(float(np.float32(near)), 3),
        models=_only(list(named[0]), list(named[1])),
        metrics=_only(_METRICS.findall(one.text), _METRICS.findall(other.text)),
        ablations=_only(_ABLATIONS.findall(one.text), _ABLATIONS.findall(other.text)),
    )


def _only(one: Sequence[str], other: Sequence[str]) -> Sides:
    """What one side names and the other does not, for both sides."""
    left, right = ({found.casefold().strip(".,;:)"): found.strip(".,;:)") for found in side} for side in (one, other))
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
