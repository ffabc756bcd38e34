"""Sentences about what can be read from the stream at a layer: by a probe (decodable), or by the logit lens.

The place is a site (resid20@END) or "layer 20", which means the stream entering that layer, at END unless the sentence
names another position. What is decoded must be one of the properties that the linear probe knows. Asks back otherwise.
"""

import re
from typing import Any

from agent import claim_parser_words as words
from agent.claim_parser_mentions import Sentence
from agent.errors import ClaimError

_LAYER = re.compile(r"\b(?:layer|stream)\s*(\d+)\b|(\d+)\s*(?:층|번\s*레이어)|레이어\s*(\d+)")
_AT = re.compile(r"(?:\bat|@)\s*(?:the\s+)?(?:position\s+)?(end|s1|s2|io|s1\+1)\b(?:\s*position)?|(end|s1|s2)\s*위치")
_TOKEN = re.compile(r"\b(?:the\s+)?(io|s1|s2)\s+(?:token|name)\b|\btoken\s+(?:at|of)\s+(io|s1|s2)\b")
_NAMED = {"indirect object": "IO", "repeated name": "S2", "subject": "S1", "간접 목적어": "IO", "주어": "S1"}
_ORDER = re.compile(
    r"\border\b|\bwhich (?:of the two )?names? (?:comes? first|is the answer|will be)|first or (?:the )?second name|순서"
)


def reads_site(sentence: Sentence) -> bool:
    """Whether this is a sentence about reading the stream at a layer."""
    said = any(pattern.search(sentence.marked) for pattern in (words.LENS, words.DECODED, words.KNOWS))
    return said and _site(sentence) is not None and not words.RESTORES.search(sentence.marked)


def site_fields(sentence: Sentence) -> dict[str, Any]:
    """Type, site and details. Raises ClaimError that asks what is decoded, or says that a negation is no claim here."""
    if re.search(r"\bnot (?!yet|before)|n't\b|지\s*않|없", sentence.marked):
        raise ClaimError(
            "The sentence is negated. Verify that it is readable there; when it is not, that comes out refuted."
        )
    site = _site(sentence)
    assert site is not None, sentence
    lens = words.LENS.search(sentence.marked)
    knows = words.KNOWS.search(sentence.marked) is not None
    if lens or (knows and re.search(r"\banswer\b|정답|답을", sentence.marked)):
        return _lens(sentence, site, knows=knows and not lens)
    if beyond := words.BEYOND_PROBE.search(sentence.marked):
        raise ClaimError(
            f"G2: {beyond[0]!r} says more than a probe can show. Verify that it is decodable there, and separately that "
            f"patching {site} restores the task."
        )
    return {"type": "decoding", "components": (site,), "details": {"target": _decoded(sentence)}}


def _lens(sentence: Sentence, site: str, *, knows: bool) -> dict[str, Any]:
    onset = (
        re.search(r"\bfirst\b|\bfrom (?:layer|resid|⟦)|\bnot (?:yet|before)\b|처음|부터", sentence.marked) is not None
    )
    details = {name: True for name, said in (("onset", onset), ("knows", knows)) if said}
    return {"type": "readable", "components": (site.partition("@")[0] + "@END",), "details": details}


def _site(sentence: Sentence) -> str | None:
    named = [name for name in sentence.names if name.startswith("resid")]
    if len(sentence.names) > len(named) or len(named) > 1:
        return None
    place = _AT.search(sentence.marked)
    position = (place[1] or place[2]).upper() if place else "END"
    if named:
        return named[0] if "@" in named[0] else f"{named[0]}@{position}"
    layer = _LAYER.search(sentence.marked)
    return f"resid{next(group for group in layer.groups() if group)}@{position}" if layer else None


def _decoded(sentence: Sentence) -> str:
    if _ORDER.search(sentence.marked):
        return "order"
    if re.search(r"\btemplate\b|템플릿", sentence.marked):
        return "template"
    if found := _TOKEN.search(sentence.marked):
        return f"token:{(found[1] or found[2]).upper()}"
    for name, label in _NAMED.items():
        if name in sentence.marked:
            return f"token:{label}"
    raise ClaimError(
        "What is said to be decodable? A probe here is trained on the order of the two names, on the template, or on the "
        "token at a labelled position: 'the order of the names is decodable at resid20@END', 'the S2 token is decodable "
        "at resid20@END'."
    )
