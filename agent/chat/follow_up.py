"""Short questions that rest on the one before: "and its limits?", "summarise it", "what about EAP-IG?".

A subject that is nothing but pronouns becomes the subject of the nearest earlier question that had one; a question that is
nothing but a new subject repeats what was asked about the old one. Only the reader's own questions are looked at.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.chat.router import Route, route

_EMPTY = (
    r"it|its|this|that|these|those|they|them|their|he|she|ones?|same|from|in|of|here|there|the|an?|and|about|papers?|note"
    r"|그|이|(?:그|이)것의?|저것|그거|이거|여기서?|거기서?|(?:그|이)?논문|방금|위의?"
)
_ABOUT = ("summarise", "define")
_INSTEAD = re.compile(
    r"^\s*(?:(?:and|what about|how about|and what about)\s+(?P<en>[^?]{2,60}?)|(?:그럼|그러면|그리고)\s+(?P<ko>[^?]{1,40}?)(?:는|은)?(?:요)?)\s*[?？]*\s*$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w.-]+")


def in_context(question: str, earlier: Sequence[str], experiments: Sequence[str]) -> Route:
    """The route of a question after the questions `earlier`, oldest first."""
    found = route(question, experiments)
    if not earlier:
        return found
    if found.intent in _ABOUT and _only_pronouns(found.subject):
        before = _last_about(earlier, experiments)
        if before is not None:
            kind = {"kind": before.arguments["kind"]} if "kind" in before.arguments else {}
            return replace(found, subject=before.subject, arguments={**kind, **found.arguments})
        return found
    instead = _INSTEAD.match(question)
    if instead and found.intent in ("search", *_ABOUT) and "part" not in found.arguments:
        before = _last_about(earlier, experiments)
        if before is not None:
            return replace(before, subject=(instead["en"] or instead["ko"]).strip(), language=found.language)
    return found


def _last_about(earlier: Sequence[str], experiments: Sequence[str]) -> Route | None:
    """The newest earlier question about one document or term."""
    for place in range(len(earlier) - 1, -1, -1):
        found = in_context(earlier[place], earlier[:place], experiments)
        if found.intent in _ABOUT and not _only_pronouns(found.subject):
            return found
    return None


def _only_pronouns(subject: str) -> bool:
    return all(re.fullmatch(_EMPTY, word, re.IGNORECASE) for word in _WORD.findall(subject))
