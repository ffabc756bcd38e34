"""Reads a question and says what it asks for: the built-in analyst's only understanding of language.

Method: ordered patterns, English and Korean, from the most specific (a claim id, an experiment's name, a component)
to the least (a search of the library). It guesses no facts and answers nothing; what it cannot place becomes a
search, and the answer says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Intent = Literal[
    "show-claim",
    "run-experiment",
    "rank",
    "verify",
    "list-claims",
    "list-experiments",
    "paper-claims",
    "summarise",
    "compare",
    "define",
    "help",
    "search",
]
Language = Literal["en", "ko"]


@dataclass(frozen=True)
class Route:
    """What the question asks for, about what, in which language."""

    intent: Intent
    subject: str
    language: Language
    arguments: dict[str, Any] = field(default_factory=dict)


_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_CLAIM_ID = re.compile(r"\b(c[0-9a-f]{6,})\b")
COMPONENT = re.compile(
    r"\ba\d{1,3}\.h\d{1,3}\b|\bL\d{1,3}\s?H\d{1,3}\b|(?<![\d.])\d{1,3}\.\d{1,3}(?![\d.%]|\s*(?:%|percent|billion|B\b|M\b))"
    r"|\bhead\s+\d+\s+(?:of|in)\s+layer\s+\d+|\blayer\s+\d+[, ]+head\s+\d+|\bmlp\s*\d+\b|\bm\d{1,3}\b"
    r"|(?:레이어|층)\s*\d+\S*\s*헤드\s*\d+|\d+\s*번?\s*(?:층|레이어)\S*\s*\d+\s*번?\s*헤드",
    re.IGNORECASE,
)
_SETTING = re.compile(r"\b(\w+)\s*=\s*(\"[^\"]*\"|\[[^\]]*\]|\S+)")

_HELP = re.compile(r"^\s*(?:help|what can (?:you|i) do|how do i use|도움말?|무엇을 할 수|뭘 할 수)", re.IGNORECASE)
_RANK = re.compile(
    r"\b(?:which|what)\s+(?:attention\s+)?(?:heads?|components?|mlps?|parts?)\b(?!.*\b(?:is|are) called\b)"
    r"|\b(?:find|rank|list|show)\b.*\bheads?\b.*\b(?:matter|important|for|do)\b|(?:어떤|어느|무슨)\s*(?:헤드|구성)",
    re.IGNORECASE,
)
_LIST_CLAIMS = re.compile(
    r"\b(?:list|show|which|what)\b.*\b(?:claims?|verdicts?)\b|(?:주장|판정|평결)(?:들)?\s*(?:목록|보여|을 보|은\?|은 무엇)",
    re.IGNORECASE,
)
_PAPER_CLAIMS = re.compile(r"\bclaims?\b.*\b(?:papers?|literature|library|testable)\b|문헌.*주장", re.IGNORECASE)
_LIST_EXPERIMENTS = re.compile(
    r"\b(?:list|show|which|what)\b.*\bexperiments?\b|실험\s*(?:목록|종류)|어떤\s*실험", re.IGNORECASE
)
_SUMMARISE = re.compile(
    r"\b(?:summari[sz]e|summary of|tl;?dr|give me the gist of|overview of|main (?:points|findings) of)\b|요약|정리해",
    re.IGNORECASE,
)
_COMPARE = re.compile(r"\b(?:compare|versus|vs\.?|differences? between|differ from)\b|비교|차이", re.IGNORECASE)
_DEFINE = re.compile(
    r"^\s*(?:what(?:'s| is| are| does)|who|define|explain|describe|tell me about|how does|how do)\b"
    r"|(?:이란|란|이|가|은|는)?\s*(?:뭐|무엇|뭔)|설명해|알려\s*줘|정의",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"\b(?:please|can you|could you|would you|for me|the paper|paper|papers|article|note|briefly|in this model)\b"
    r"|논문|노트|해\s*줘|해\s*주세요|좀",
    re.IGNORECASE,
)
_LEADING = re.compile(
    r"^\s*(?:what(?:'s| is| are| does)|who (?:is|are)|define|explain|describe|tell me about|how does|how do"
    r"|summari[sz]e|summary of|give me the gist of|overview of|main (?:points|findings) of|tl;?dr|compare)\s+"
    r"(?:of\s+)?(?:an?\s+|the\s+)?",
    re.IGNORECASE,
)
_TRAILING_KO = re.compile(
    r"(?:이란|란|에\s*대해서?|을|를|이|가|은|는|의)?\s*(?:(?:뭐|무엇|뭔)\S*|설명\S*|요약\S*|정리\S*|알려\s*\S*|정의\S*|비교\S*|차이\S*)\s*$"
)


def language_of(text: str) -> Language:
    """Korean when the text has Hangul, English otherwise."""
    return "ko" if _HANGUL.search(text) else "en"


def subject_of(question: str) -> str:
    """What remains of a question when its asking words are taken off."""
    text = _LEADING.sub("", question.strip().rstrip("?？.!。 "))
    text = _TRAILING_KO.sub("", text)
    text = " ".join(_FILLER.sub(" ", text).split()).strip(" ,.:;")
    return text or question.strip()


def route(question: str, experiments: Sequence[str]) -> Route:
    """Place a question. `experiments` are the names that may be run."""
    language = language_of(question)

    def to(intent: Intent, subject: str | None = None, **arguments: Any) -> Route:
        return Route(intent, subject_of(question) if subject is None else subject, language, arguments)

    if found := _CLAIM_ID.search(question):
        return to("show-claim", found[1])
    if _HELP.search(question):
        return to("help")
    if (name := _experiment_in(question, experiments)) and re.search(r"\brun\b|실행|돌려", question, re.IGNORECASE):
        return to("run-experiment", name, params=_settings(question))
    if COMPONENT.search(question) and not _SUMMARISE.search(question):
        return to("verify", question.strip())
    for intent, pattern in _BY_PATTERN:
        if pattern.search(question):
            return to(intent, **_narrowed(intent, question))
    return to("search", question.strip())


_BY_PATTERN: list[tuple[Intent, re.Pattern[str]]] = [
    ("paper-claims", _PAPER_CLAIMS),
    ("list-claims", _LIST_CLAIMS),
    ("list-experiments", _LIST_EXPERIMENTS),
    ("summarise", _SUMMARISE),
    ("rank", _RANK),
    ("compare", _COMPARE),
    ("define", _DEFINE),
]


def _narrowed(intent: Intent, question: str) -> dict[str, Any]:
    """A summary of "the ... paper" is about that paper, not about the topic."""
    paper = intent == "summarise" and re.search(r"\bpaper\b|\bet al\b|논문", question, re.IGNORECASE)
    return {"kind": "paper"} if paper else {}


def _experiment_in(question: str, experiments: Sequence[str]) -> str | None:
    spelled = question.lower().replace("_", "-")
    matches = [name for name in experiments if name in spelled or name.replace("-", " ") in spelled]
    return max(matches, key=len) if matches else None


def _settings(question: str) -> dict[str, Any]:
    """`n=64 component=a5.h1` as a dictionary; numbers become numbers, the rest stays text."""
    values: dict[str, Any] = {}
    for name, raw in _SETTING.findall(question):
        text = raw.strip("\"',")
        values[name] = int(text) if re.fullmatch(r"\d+", text) else text
    if "component" not in values and (found := COMPONENT.search(_SETTING.sub(" ", question))):
        values["component"] = found[0]
    return values
