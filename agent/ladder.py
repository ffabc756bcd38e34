"""The evidence ladder: which words a rung carries, and what a sentence says beyond it (METHOD 3.1, guard G17).

The court's own sentences are built so that they never overreach; the check is for sentences that somebody else wrote
(a person, an llm, a paper) about a judged claim. It knows words, not meanings.
"""

import re
from typing import NamedTuple

RUNGS = {
    0: "anecdote",
    1: "observational: shows the pattern",
    2: "correlational or suggestive",
    3: "causal: contributes",
    4: "causal localisation or role",
    5: "faithful circuit",
    6: "generalises",
}

_WORDS: dict[int, str] = {
    1: r"attends?|attending|shows? the pattern|writes? toward",
    2: r"decodable|decodes?|correlates?|encodes?|represents?|suggests?",
    3: r"contributes?|matters?|necessary|needed|affects?|costs?|causes?|drives?|responsible|uses?|relies|depends?|"
    r"because|improves?|hurts?|holds? \w+ back|restores?",
    4: r"locali[sz]ed?|is an? (?:[\w-]+ ){0,2}(?:head|mover)|copies|moves|inhibits|suppresses|feeds|computes?|carries",
    5: r"implements?|circuit|mechanism|complete|minimal|faithful",
    6: r"generali[sz]es?|in general|all models|every model|universal",
}
_PATTERNS = {
    rung: re.compile(rf"\b(?:{words})\b|{korean}")
    for rung, words, korean in [
        (1, _WORDS[1], "주목한"),
        (2, _WORDS[2], "나타낸다|인코딩"),
        (3, _WORDS[3], "기여|필요|영향|의존|때문"),
        (4, _WORDS[4], "국소|복사한|억제한|계산한"),
        (5, _WORDS[5], "회로|구현|메커니즘"),
        (6, _WORDS[6], "일반화|모든 모델"),
    ]
}


class Overreach(NamedTuple):
    """A word that needs a higher rung than the evidence reached."""

    word: str
    needs: int


def overreach(sentence: str, rung: int) -> list[Overreach]:
    """The words of `sentence` that need more than `rung`, in order."""
    lowered = sentence.lower()
    found = [
        (match.start(), Overreach(match.group(0), needs))
        for needs, pattern in _PATTERNS.items()
        if needs > rung
        for match in pattern.finditer(lowered)
    ]
    return [word for _, word in sorted(found)]


def capped(sentence: str, rung: int, carried: str) -> str:
    """`sentence` when its words fit the rung, else the sentence that the evidence carries, saying why."""
    beyond = overreach(sentence, rung)
    if not beyond:
        return sentence
    words = ", ".join(dict.fromkeys(repr(one.word) for one in beyond))
    return f"{carried} (rung {rung}, {RUNGS[rung]}; {words} would need rung {max(one.needs for one in beyond)})"
