"""Nothing in an answer stands unless it resolves: numbers to what this turn's tools returned, quotations to passages.

Method: every number and every quotation of four words or more is looked up in the texts that the tools returned in
this turn, in the question, and in the cited passages, character by character (numbers up to the rounding shown,
percent against fractions). What is not there is struck out in place (`~~0.42~~`) and listed. Markers that point at
unknown ids are removed and listed too. It does not judge whether a sentence is a fair reading of its source.
"""

import re
from collections.abc import Iterable, Sequence

from agent.answer import MARKER, Answer
from agent.chat.found import Found

_NUMBER = re.compile(r"(?<![\w.^/:#-])[-−+]?\d+(?:,\d{3})*(?:\.\d+)?(?:\s?%)?(?![\w-])")
_LIST_ITEM = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)
_QUOTE = re.compile(r"(?<!\w)[\"“](?P<body>[^\"“”\n]+?)(?<=\S)[\"”]")  # short ones too, so that quotes pair up
_SHORT = 12
_SKIP = re.compile(r"`[^`\n]*`|\[\^[prci]:[^\]]+\]|https?://\S+|~~.*?~~")


def check_answer(text: str, found: Sequence[Found], *, question: str, llm: str) -> Answer:
    """Build the Answer that is shown: `text` with everything unresolved struck out."""
    sources = [question, *(item.text for item in found), *(c.quote for item in found for c in item.citations)]
    citations = {citation.passage_id: citation for item in found for citation in item.citations}
    known = {
        "p": set(citations),
        "r": {result for item in found for result in item.results},
        "c": {claim for item in found for claim in item.claims},
        "i": {run for item in found for run in item.investigations},
    }
    struck: list[str] = []
    text = _drop_unknown_markers(text, known, struck)
    text = _strike_quotes(text, sources, struck)
    text = _strike_numbers(text, sources, struck)
    mentioned: dict[str, list[str]] = {"p": [], "r": [], "c": [], "i": []}
    for marker in MARKER.finditer(text):
        if marker["id"] not in mentioned[marker["kind"]]:
            mentioned[marker["kind"]].append(marker["id"])
    return Answer(
        text=text,
        citations=[citations[passage] for passage in mentioned["p"]],
        results=mentioned["r"],
        claims=mentioned["c"],
        investigations=mentioned["i"],
        struck=struck,
        llm=llm,
    )


def _drop_unknown_markers(text: str, known: dict[str, set[str]], struck: list[str]) -> str:
    def replaced(marker: re.Match[str]) -> str:
        if marker["id"] in known[marker["kind"]]:
            return marker[0]
        struck.append(marker[0])
        return ""

    return MARKER.sub(replaced, text)


def _strike_quotes(text: str, sources: Iterable[str], struck: list[str]) -> str:
    haystack = _plain("\n".join(sources))

    def replaced(quote: re.Match[str]) -> str:
        body = quote["body"]
        if len(body) < _SHORT or len(body.split()) < 4 or _plain(MARKER.sub("", body)) in haystack:
            return quote[0]
        struck.append(quote[0])
        return f"~~{quote[0]}~~"

    return _QUOTE.sub(replaced, text)


def _strike_numbers(text: str, sources: Iterable[str], struck: list[str]) -> str:
    allowed = {value for source in sources for token in _NUMBER.findall(source) for value in _values(token)}
    kept = [match.span() for match in _SKIP.finditer(text)] + [match.span() for match in _LIST_ITEM.finditer(text)]

    def replaced(number: re.Match[str]) -> str:
        inside = any(start <= number.start() < end for start, end in kept)
        if inside or any(_same(token, value) for token in [number[0]] for value in allowed):
            return number[0]
        struck.append(number[0])
        return f"~~{number[0]}~~"

    return _NUMBER.sub(replaced, text)


def _parse(token: str) -> tuple[float, int, bool]:
    """Value, decimals shown, whether it is a percentage."""
    percent = token.rstrip().endswith("%")
    digits = token.rstrip("% \u00a0").replace(",", "").replace("−", "-")
    decimals = len(digits.partition(".")[2])
    return float(digits), decimals, percent


def _values(token: str) -> set[float]:
    value, _, percent = _parse(token)
    return {value, value / 100} if percent else {value}


def _same(token: str, source: float) -> bool:
    """True when `token` is `source` rounded to the digits shown (as a percentage too). A sign must agree when shown."""
    value, decimals, percent = _parse(token)
    slack = 0.5 * 10**-decimals + 1e-9
    candidates = [source * 100] if percent else [source]
    if percent:
        candidates.append(source)
    signed = token.strip()[0] in "-−+"
    return any(abs(value - c) <= slack or (not signed and abs(value - abs(c)) <= slack) for c in candidates)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[*_`]", "", text).split())
