"""Which document a person means by words that are no name of it: "the IOI paper", "Conmy et al. 2023", an arXiv id.

Exact names come first (`kb.names`). Then an arXiv id, also inside an address; then the one document, among those of the
kind asked for, with a name that holds all the words and the fewest others. Ties are no answer: a search must decide.
Parentheses are tried without their content and for their content alone. It reads names, never texts.
"""

import re
from collections.abc import Mapping

from kb.errors import UnknownNameError
from kb.names import Names
from kb.text import STOPWORDS, name_key, without_particle

_ARXIV = re.compile(r"(?<!\d)(\d{4}\.\d{4,5})(?:v\d+)?(?!\d)")
_PAPER = re.compile(r"\b(?:papers?|articles?|et al)\b\.?|논문", re.IGNORECASE)
_PARENTHESES = re.compile(r"^(?P<before>[^()]*?)\s*\((?P<inside>[^()]+)\)(?P<after>[^()]*)$")
_ACRONYM = re.compile(r"\b[A-Z]{2,}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MANY = 4  # documents with a word in their names, from which on it means none of them
_COVERED = 0.5  # share of a name that words must make up when no kind is asked for


def meant(names: Names, arxiv: Mapping[str, str], words: str, kind: str | None = None) -> str | None:
    """The id of the document that `words` mean; `arxiv` maps arXiv ids to documents. None when nothing or too much fits."""
    if (found := _ARXIV.search(words)) and found[1] in arxiv:
        return names.canonical(arxiv[found[1]])
    wanted = kind or ("paper" if _PAPER.search(words) else None)
    other_kind: str | None = None
    for name in _variants(words):
        exact = _exact(names, name, wanted or "paper")
        if exact is not None and wanted in (None, names.kinds.get(exact)):
            return exact
        other_kind = other_kind or exact
        held = _holding(names, name, wanted)
        if held is None and exact is not None:  # a concept in another language: the paper with its title's words
            held = _holding(names, names.titles[exact], wanted)
        if held is not None:
            return held
    return other_kind


def _variants(words: str) -> list[str]:
    """The words, without "paper" and its like, and both halves of `a (b)`."""
    plain = " ".join(_PAPER.sub(" ", words).split()).strip(" ,.:;")
    halves = _PARENTHESES.match(plain)
    split = [f"{halves['before']} {halves['after']}".strip(), halves["inside"]] if halves else []
    one = [plain[:-1]] if plain.isascii() and plain.endswith("s") else []
    return [name for name in dict.fromkeys([words.strip(), plain, *one, *split]) if name_key(name)]


def _exact(names: Names, name: str, kind: str | None) -> str | None:
    try:
        return names.resolve(name, prefer=kind)
    except UnknownNameError:
        return None


def _holding(names: Names, name: str, kind: str | None) -> str | None:
    """The one document of which a name holds all the words and the fewest others; an id before an alias."""
    wanted = _tokens(name)
    if not wanted or (kind is None and len(wanted) == 1 and not _ACRONYM.search(name)):
        return None
    best: dict[str, tuple[int, int]] = {}
    for key, owners in names.by_key.items():
        held = _tokens(key)
        if not wanted <= held or (kind is None and len(wanted) < _COVERED * len(held)):
            continue
        for owner in owners:
            identity = names.canonical(owner.document_id)
            if kind in (None, names.kinds.get(identity)):
                best[identity] = min(best.get(identity, (99, 99)), (len(held - wanted), 0 if kind else owner.rank))
    if len(best) > 1 and any(_YEAR.fullmatch(word) for word in wanted):
        return None  # an author's papers of one year
    if len(wanted) == 1 and len(best) > _MANY:
        return None
    nearest = [identity for identity, distance in best.items() if distance == min(best.values())]
    return nearest[0] if len(nearest) == 1 else None


def _tokens(name: str) -> frozenset[str]:
    """The words of a name, without English function words, plural s and Korean particles."""
    found = (without_particle(word) for word in name_key(name).split() if word not in STOPWORDS)
    return frozenset(word[:-1] if word.isascii() and len(word) > 3 and word.endswith("s") else word for word in found)
