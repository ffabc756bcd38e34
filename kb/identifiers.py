"""Exact identifiers in a text, in one spelling: arXiv ids, attention heads, MLPs, hook names.

Heads become `a9.h9`, MLPs `m3`, arXiv ids `arxiv:2211.00593`, hooks their own name without the block. A bare `9.9`
counts as a head only where the text speaks of heads; elsewhere it is a number. `arxiv_id` brings what a person wrote as an arXiv id
to its one normal form, by which documents about one work are linked. The full vocabulary of components is
`tools.component`'s; `kb` may not import it and needs only enough to find them in prose.
"""

import re

_ARXIV = re.compile(r"(?<![\d.])(\d{4}\.\d{4,5})(?:v\d+)?(?![\d.]*\d)")
_ARXIV_WRITTEN = re.compile(
    r"(?:(?:https?://)?(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/|(?:https?://)?(?:dx\.)?(?:doi\.org/)?10\.48550/)?(?:arxiv[:.]\s*)?"
    r"(?:(?P<new>\d\d(?:0[1-9]|1[0-2])\.\d{4,5})|(?P<archive>[a-z]+(?:-[a-z]+)?)(?:\.[a-z]{2})?/(?P<old>\d\d(?:0[1-9]|1[0-2])\d{3}))"
    r"(?:v\d+)?(?:\.pdf)?/?(?:[?#]\S*)?(?:\s*\[[a-z.-]+\])?",
    re.IGNORECASE,
)
_HEADS = re.compile(
    r"\ba(?P<a>\d{1,3})\.h(?P<b>\d{1,3})\b|\bL(?P<c>\d{1,3})\.?H(?P<d>\d{1,3})\b"
    r"|\blayer (?P<e>\d{1,3}),? head (?P<f>\d{1,3})\b|\bhead (?P<h>\d{1,3}) (?:of|in|at) layer (?P<g>\d{1,3})\b"
    r"|(?P<i>\d{1,3})\s*번?\s*(?:층|레이어)의?\s*(?P<j>\d{1,3})\s*번?\s*헤드"
    r"|(?:레이어|층)\s*(?P<k>\d{1,3})\s*의?\s*헤드\s*(?P<l>\d{1,3})",
    re.IGNORECASE,
)
_BARE_HEAD = re.compile(r"(?<![\d.=<>~$])\b(\d{1,2})\.(\d{1,2})\b(?!\.?\d|%| ?(?:nats|bits|logit|B\b|M\b))")
_SPEAKS_OF_HEADS = re.compile(r"\bheads?\b|\bmovers?\b|헤드", re.IGNORECASE)
_MLP = re.compile(r"\b(?:mlp|m)[ .]?(\d{1,3})\b", re.IGNORECASE)
_HOOK = re.compile(r"\bhook_[a-z_]+\b", re.IGNORECASE)


def identifiers(text: str) -> list[str]:
    """The identifiers of a text, each once, in the order of their kinds."""
    found: dict[str, None] = {f"arxiv:{match[1]}": None for match in _ARXIV.finditer(text)}
    for match in _HEADS.finditer(text):
        layer, head = (int(value) for value in _layer_first(match.groupdict()))
        found[f"a{layer}.h{head}"] = None
    if _SPEAKS_OF_HEADS.search(text):
        for match in _BARE_HEAD.finditer(_ARXIV.sub(" ", text)):
            found[f"a{int(match[1])}.h{int(match[2])}"] = None
    for match in _MLP.finditer(text):
        found[f"m{int(match[1])}"] = None
    for match in _HOOK.finditer(text):
        found[match[0].casefold()] = None
    return list(found)


def arxiv_id(written: str) -> str | None:
    """The normal form of one arXiv id, address or DOI: `2211.00593`, `cs/0301001`; None when it is none.

    The version goes, and the subject class of an old id: arXiv knows cs.CL/0301001 as cs/0301001, too.
    """
    found = _ARXIV_WRITTEN.fullmatch(written.strip())
    if not found:
        return None
    return found["new"] or f"{found['archive'].lower()}/{found['old']}"


def _layer_first(groups: dict[str, str | None]) -> list[str]:
    """The two numbers that matched; the patterns name their groups so that the layer's sorts before the head's."""
    return [value for _, value in sorted(groups.items()) if value is not None]
