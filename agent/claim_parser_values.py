"""Sentences that say what an MLP writes at each word: "maps each word to its length", "marks odd indices", ...

Method: the words after the component are matched whole, as in `agent/claim_parser_roles.py`. Values that are only
renamings (half of the length, swapped indices) have no reading here, because no test tells them from what they rename.
"""

import re
from typing import Any

from agent.claim_parser_mentions import Sentence

_FLAG = r"(?:flags|marks)(?: each| all)?"
_N = r"(?:local |position's |own )?number"
_DOES: list[tuple[str, str, bool]] = [
    (r"maps each word to its length", "word-length", False),
    (r"maps each word to the number of (?:its )?vowels(?: in it)?", "word-vowels", False),
    (rf"{_FLAG} positions? (?:holding|with) the token '(?P<token>[^']+)'", "is:{token}", True),
    (rf"{_FLAG} positions? whose token is '(?P<token>[^']+)'", "is:{token}", True),
    (rf"{_FLAG} positions? whose token is a vowel", "vowel", True),
    (rf"{_FLAG} positions in the (?P<half>first|second) half of the sequence", "{half}-half", True),
    (rf"{_FLAG} (?:the )?(?P<parity>odd|even) (?:indices|positions)", "{parity}-index", True),
    (rf"{_FLAG} positions by the parity of their index", "odd-index", False),
    (rf"{_FLAG} (?:the )?(?P<parity>odd|even) numbers", "{parity}-number", True),
    (rf"{_FLAG} (?:positions whose number is|numbers that are) (?P<parity>odd|even)", "{parity}-number", True),
    (rf"adds the (?:position )?index to the {_N}", "number+index", False),
    (rf"subtracts the (?:position )?index from the (?:{_N}|token)", "number-index", False),
    (rf"adds the previous number to the {_N}", "number+previous", False),
    (r"divides the occurrence count by the (?:sequence )?length", "occurrences/length", False),
    (r"tests whether the mirrored token equals the local token", "mirror-equal", False),
    (r"compares the mirrored token with the local token; true when equal", "mirror-equal", False),
    (rf"tests whether the {_N} is divisible by the first number", "divisible-by-first", False),
    (rf"tests whether the {_N} equals the first number", "equals-first", False),
    (r"writes the position index for first appearances and -1 for repeats", "first-index", False),
    (r"outputs the (?P<extreme>largest|smallest) number(?: of the sequence)?", "{extreme}", False),
]
_COMPILED = [(re.compile(pattern), value, marks) for pattern, value, marks in _DOES]
_SUBJECT = re.compile(r"^(?:the )?(?:role of )?⟦0⟧:?\s*")


def value_fields(sentence: Sentence) -> dict[str, Any] | None:
    """Type, components and details of what an MLP is said to write, else None. Quoted tokens keep their case."""
    if len(sentence.names) != 1 or not re.fullmatch(r"m\d+", sentence.names[0]):
        return None
    said = _SUBJECT.sub("", sentence.marked)
    for pattern, value, marks in _COMPILED:
        if found := pattern.fullmatch(said):
            named = found.groupdict()
            if "token" in named and (quoted := re.search(r"'([^']+)'", sentence.said)):
                named["token"] = quoted[1]
            details: dict[str, Any] = {"value": value.format(**named)}
            return {
                "type": "value-role",
                "components": sentence.names,
                "details": details | ({"marks": True} if marks else {}),
            }
    return None
