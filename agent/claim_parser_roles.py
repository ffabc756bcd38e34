"""Sentences that say what a head does: the roles of the literature, and "attends to ..., copies ..., counts ...".

Method: the words after the component are matched whole, so that a description with more in it than a test can check
is not taken for a simpler one. Returns None when no tested role says the same.
"""

import re
from collections.abc import Callable
from typing import Any

from agent.claim_parser_mentions import Sentence

_ROLES: list[tuple[str, str]] = [
    (r"negative name[- ]?mover|copy[- ]suppression|copy[- ]suppressing|부정 (?:네임|이름)", "negative-name-mover"),
    (r"name[- ]?mov(?:er|ing)|네임\s*무버|이름\s*이동", "name-mover"),
    (r"s[- ]?inhibition|subject[- ]inhibition|s-억제|주어\s*억제|억제\s*헤드", "s-inhibition"),
    (r"previous[- ]token|prev[- ]token|이전\s*토큰", "previous-token"),
    (r"duplicate[- ]token|중복\s*토큰", "duplicate-token"),
    (r"induction|유도\s*헤드|인덕션", "induction"),
]
_READER = re.compile(
    r"⟦0⟧.*(?:s|subject)[- ]?inhibition head,? (?:that |which )?(?:directly )?"
    r"(?:feed(?:s|ing)|writ(?:es|ing) in?to|act(?:s|ing) on|read by) (?:the )?(?:quer(?:y|ies) of )?⟦1⟧"
)
_REPEATED = frozenset({"induction", "previous-token"})

_WHAT = r"(?:token|number|word|element|item|value)"
_PLACES: dict[str, str] = {
    "first": "first",
    "second": "second",
    "last": "last",
    "final": "last",
    "second-to-last": "second-last",
    "penultimate": "second-last",
    "previous": "previous",
    "preceding": "previous",
    "next": "next",
    "following": "next",
    "largest": "largest",
    "smallest": "smallest",
}
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_QUERY = r"(?:the query(?:'s)?(?: (?:number|token|own))?|its own(?: number)?|the local (?:one|number)|its)"
_BOS = r"(?P<bos>,? (?:plus|and|as well as) bos)?"
_RELATIONS: dict[str, str] = {
    "smaller": "smaller",
    "lower": "smaller",
    "larger": "larger",
    "greater": "larger",
    "bigger": "larger",
    "same": "same",
    "different": "different",
    "other": "different",
}


def _place(found: re.Match[str]) -> dict[str, Any]:
    return {"target": _PLACES[found["place"]], "carries": "token"}


def _relation(carries: str) -> Callable[[re.Match[str]], dict[str, Any]]:
    def fields(found: re.Match[str]) -> dict[str, Any]:
        target = _RELATIONS[found["relation"]]
        return {"target": target + ("+bos" if found.groupdict().get("bos") else ""), "carries": carries}

    return fields


def _fixed(target: str, carries: str) -> Callable[[re.Match[str]], dict[str, Any]]:
    return lambda found: {"target": target + ("+bos" if found.groupdict().get("bos") else ""), "carries": carries}


def _steps(found: re.Match[str]) -> dict[str, Any]:
    steps = _NUMBERS[found["steps"]]
    back = found["side"] in ("left", "back", "earlier", "before")
    return {"target": f"offset:{-steps if back else steps}", "carries": "token"}


def _counter(target: str) -> Callable[[re.Match[str]], dict[str, Any]]:
    return lambda found: {"target": target + "+bos", "carries": "count"}


_EVERYWHERE = r"(?: of the sequence)?(?: to (?:every|each) position| everywhere)?"
_SPREAD = r"(?:counter head: )?spreads attention evenly over bos and over "
_TAIL = r"(?: \(padding is ignored\))?(?:;.*)?"
_DOES: list[tuple[str, Callable[[re.Match[str]], dict[str, Any]]]] = [
    (rf"(?:copies|moves) the (?P<place>{'|'.join(_PLACES)}) {_WHAT}{_EVERYWHERE}", _place),
    (rf"copies the {_WHAT} (?:of|at|from) the (?P<place>next|previous|first|last) position{_EVERYWHERE}", _place),
    (
        rf"copies the {_WHAT} (?P<steps>{'|'.join(_NUMBERS)}) (?:positions?|tokens?|steps?) "
        r"(?:to the )?(?P<side>left|right|back|earlier|later|before|after)",
        _steps,
    ),
    (rf"copies the {_WHAT} (?:found )?at the mirrored (?:index|position)", _fixed("mirror", "token")),
    (rf"copies the {_WHAT} whose rank equals the (?:slot )?index", _fixed("rank", "token")),
    (r"(?:attends to its own position and )?copies its own token", _fixed("self", "token")),
    (r"attends to its own position", _fixed("self", "nothing")),
    (rf"attends to the (?P<place>{'|'.join(_PLACES)}) {_WHAT}", lambda f: {"target": _PLACES[f["place"]]}),
    (
        rf"attends to (?:positions|words|tokens) holding an? (?P<relation>{'|'.join(_RELATIONS)}) {_WHAT}"
        rf"(?: (?:than|from|as) {_QUERY})?{_BOS}",
        _relation("nothing"),
    ),
    (
        rf"attends to (?:positions|words|tokens) holding the (?P<relation>same) {_WHAT}(?: as {_QUERY})?{_BOS}",
        _relation("nothing"),
    ),
    (rf"attends to positions whose {_WHAT} occurs exactly once{_BOS}", _fixed("unique", "nothing")),
    (rf"attends to positions whose {_WHAT} (?:is repeated|occurs more than once){_BOS}", _fixed("repeated", "nothing")),
    (rf"counts positions whose {_WHAT} is repeated(?: somewhere)?", _counter("repeated")),
    (rf"counts positions whose {_WHAT} is (?P<relation>smaller|larger) than {_QUERY}", _relation("count")),
    (r"measures the (?:sequence )?length(?: of the sequence)?", _counter("all")),
    (r"averages an? flag over the current and all earlier positions", _fixed("prefix", "average")),
    (r"averages the flag over the whole sequence(?: including later positions)?", _fixed("all", "average")),
    (rf"{_SPREAD}every real token in the sequence{_TAIL}", _counter("all")),
    (
        rf"{_SPREAD}every position holding an? (?P<relation>smaller|larger|different) {_WHAT} (?:than|from) {_QUERY}{_TAIL}",
        lambda f: {"target": _RELATIONS[f["relation"]] + "+bos", "carries": "count"},
    ),
]
_COMPILED = [(re.compile(pattern), fields) for pattern, fields in _DOES]
_SUBJECT = re.compile(r"^(?:the )?(?:role of )?⟦0⟧:?\s*")


def role_fields(sentence: Sentence) -> dict[str, Any] | None:
    """Type, components and details of a role that is tested here, else None."""
    if len(sentence.names) == 2 and _READER.search(sentence.marked):
        head, reader = sentence.names
        return {"type": "head-role", "components": (head,), "details": {"role": "s-inhibition", "reader": reader}}
    if len(sentence.names) != 1 or not sentence.names[0].startswith("a"):
        return None
    said = _SUBJECT.sub("", sentence.marked)
    for pattern, fields in _COMPILED:
        if found := pattern.fullmatch(said):
            return {"type": "target-role", "components": sentence.names, "details": fields(found)}
    for pattern, role in _ROLES:
        if re.search(rf"(?:{pattern})(?:[\s-]*(?:attention )?(?:heads?|헤드)|\b)", sentence.marked):
            return {"type": "head-role", "components": sentence.names, "details": {"role": role}}
    return None


def role_task(fields: dict[str, Any], tasks: list[str], default: str) -> str:
    """The task a role is tested on when the sentence names none: repeated tokens for roles about repetition."""
    role = fields.get("details", {}).get("role")
    return "induction" if role in _REPEATED and default == "ioi" and "induction" in tasks else default
