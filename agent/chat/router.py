"""Reads a question and says what it asks for: the built-in analyst's only understanding of language.

Method: ordered patterns, English and Korean, from the most specific (a claim id, an experiment's name, a component)
to the least (a search of the library). It guesses no facts and answers nothing; what it cannot place becomes a
search, and the answer says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.chat.parts import asked_part

Intent = Literal[
    "show-claim",
    "run-experiment",
    "rank",
    "verify",
    "list-claims",
    "list-experiments",
    "paper-claims",
    "test-paper-claim",
    "summarise",
    "compare",
    "disagreements",
    "define",
    "investigate",
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
_TEST_HERE = re.compile(
    r"^\s*(?:can this be tested (?:here|in this model)\?|test (?:this|here|the claim):?|이것을 여기서 시험:?)\s*(?P<words>.+?)\s*"
    r"(?:\((?P<id>\S+#\d+)\))?\s*$",
    re.IGNORECASE,
)
_CLAIM_ID = re.compile(r"\b(c[0-9a-f]{6,})\b")
COMPONENT = re.compile(
    r"\ba\d{1,3}\.h\d{1,3}\b|\bL\d{1,3}\s?H\d{1,3}\b|(?<![\d.])(?<![=≈~<>])(?<![=≈~<>] )\d{1,3}\.\d{1,3}(?![\d.%]|\s*(?:%|percent|billion|B\b|M\b))"
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
_OURS = r"(?:this|the|our|my)\s+(?:language\s+)?(?:model|network|transformer)(?!s)|smollm[\w.-]*|planted:[\w-]+"
_INVESTIGATE = re.compile(
    rf"^\s*(?:please\s+|can you\s+|could you\s+)?investigate\b"
    rf"|\bhow\s+(?:does|do|did|can|is|would)\s+(?:{_OURS})\s+(?:\w+\s+){{0,2}}?(?:do|doing|perform|solve|solving|compute|implement|handle"
    rf"|carry|manage|complete|predict|know|decide|find|pick|choose|get|answer|accomplish|achieve)\b"
    rf"|\bhow\s+(?:is|are)\b.*\b(?:done|solved|computed|implemented|performed|carried out)\b.*\b(?:in|by|inside)\s+(?:{_OURS})"
    rf"|\b(?:what|which)\s+(?:circuit|mechanism|algorithm)s?\b.*(?:{_OURS})"
    r"|(?:^\s*|\b(?:please|can you|could you|let's|let us|help me)\s+)(?:find|discover|reverse[- ]engineer|uncover|map)\b"
    r".*\b(?:circuit|mechanism)\b"
    r"|(?:조사|탐구|규명)\s*(?:해|하)|(?:이|본|우리|저희)\s*모델\S*\s.*어떻게|(?:이|본|우리|저희)\s*모델\S*\s.*(?:회로|메커니즘|기제)",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"^\s*(?:please\s+|can you\s+|could you\s+)?investigate\b|(?:조사|탐구|규명)\s*(?:해|하)", re.IGNORECASE
)
_LITERATURE = re.compile(
    r"\b(?:papers?|literature|library|notes?|et al|according to|published)\b|논문|문헌|라이브러리|노트"
    r"|\b(?:gpt|llama|pythia|gemma|claude|mistral|qwen|bert)\b",
    re.IGNORECASE,
)
_DISAGREE = re.compile(
    r"\bwhere\b.*\b(?:disagree|contradict|conflict|differ)\w*"
    r"|\b(?:papers?|literature|authors?|studies|evidence|findings|results|researchers?|people|notes?)\b.*"
    r"\b(?:disagree|contradict|conflict|disput|in tension)\w*|\b(?:disagreements?|contradictions?|controvers\w+)\b"
    r"|엇갈리|어긋나|모순|상충|이견|의견이\s*다른|논쟁",
    re.IGNORECASE,
)
_TOPIC = re.compile(r"\b(?:about|on|over|regarding|whether|in)\s+(?P<topic>.+)$", re.IGNORECASE)
_TOPIC_KO = re.compile(r"^(?P<topic>.+?)\s*(?:에\s*대해서?|에\s*관해서?|에서)\s")
_BETWEEN = re.compile(
    r"\s*,\s*(?:and\s+)?|\s+(?:and|with|versus|vs\.?|to|against|from)\s+|(?<=[\uac00-\ud7a3A-Za-z0-9])(?:와|과|랑|하고)\s+",
    re.IGNORECASE,
)
_NOT_NAMES = re.compile(
    r"\b(?:(?:what(?:'s| is| are)\s+)?(?:the\s+)?differences?\s+between|how\s+do(?:es)?|differ|differences?)\b|\bthe\b|의\s*$|(?:을|를)\s*$",
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
_TRAILING = re.compile(
    r"\s+about$|(?:이란|란|이|가|은|는)?\s*(?:뭐|무엇|뭔)\S*\s*$"
    r"|(?:이란|란|에\s*대해서?|을|를|의)?\s*(?:설명\S*|요약\S*|정리\S*|알려\s*\S*|정의\S*|비교\S*|차이\S*)\s*$"
)
_WHAT = re.compile(r"^\s*(?:what|which|why|how|who)\b|뭐|무엇|무슨|어떤|왜", re.IGNORECASE)
_ABOUT = re.compile(r"\b(?:about|on|regarding)\s+(?P<en>.+?)[\s?.!]*$|^(?P<ko>.+?)에\s*(?:대한|관한)\s", re.IGNORECASE)


def language_of(text: str) -> Language:
    """Korean when the text has Hangul, English otherwise."""
    return "ko" if _HANGUL.search(text) else "en"


def subject_of(question: str) -> str:
    """What remains of a question when its asking words are taken off."""
    text = _LEADING.sub("", question.strip().rstrip("?？.!。 "))
    text = " ".join(_FILLER.sub(" ", text).split()).strip(" ,.:;")
    while (shorter := _TRAILING.sub("", text).strip(" ,.:;")) not in ("", text):
        text = shorter
    return text or question.strip()


def compared(subject: str) -> list[str]:
    """The names in "A and B", "A versus B", "A와 B"."""
    parts = [" ".join(_NOT_NAMES.sub(" ", part).split()) for part in _BETWEEN.split(subject)]
    return [part for part in parts if part]


def _topic(question: str) -> str:
    """What a question about disagreements is about."""
    text = question.strip().rstrip("?？.!。 ")
    found = _TOPIC_KO.search(text) or _TOPIC.search(text)
    return found["topic"].strip() if found else subject_of(text)


def _wants_investigation(question: str) -> bool:
    """Whether it asks how the model under study does something; what the literature says is the library's."""
    if not _INVESTIGATE.search(question):
        return False
    return bool(_COMMAND.search(question)) or not _LITERATURE.search(question)


def route(question: str, experiments: Sequence[str]) -> Route:
    """Place a question. `experiments` are the names that may be run."""
    language = language_of(question)

    def to(intent: Intent, subject: str | None = None, **arguments: Any) -> Route:
        return Route(intent, subject_of(question) if subject is None else subject, language, arguments)

    if found := _TEST_HERE.match(question):
        return to("test-paper-claim", found["id"] or found["words"])
    if found := _CLAIM_ID.search(question):
        return to("show-claim", found[1])
    if _HELP.search(question):
        return to("help")
    if (name := _experiment_in(question, experiments)) and re.search(r"\brun\b|실행|돌려", question, re.IGNORECASE):
        return to("run-experiment", name, params=_settings(question))
    if COMPONENT.search(question) and _WHAT.search(question) and _LITERATURE.search(question):
        return to("search", question.strip())
    if COMPONENT.search(question) and not _SUMMARISE.search(question):
        return to("verify", question.strip())
    if _wants_investigation(question):
        return to("investigate", question.strip())
    if _DISAGREE.search(question):
        return to("disagreements", _topic(question))
    if asked := asked_part(question):
        return to("summarise", **asked)
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


_VERDICTS = {
    "supported": r"\bsupported\b|\bheld up\b|지지",
    "inconclusive": r"\binconclusive\b|\bopen\b|\bundecided\b|미결",
    "refuted": r"\brefuted\b|\bnegative\b|\bfailed\b|\brejected\b|반박|기각",
}


def _narrowed(intent: Intent, question: str) -> dict[str, Any]:
    """A summary of "the ... paper" is about that paper, not about the topic."""
    if intent == "list-claims":
        named = [word for word, pattern in _VERDICTS.items() if re.search(pattern, question, re.IGNORECASE)]
        return {"verdict": named[0]} if len(named) == 1 else {}
    if intent == "compare" and len(re.findall(r"\bpaper\b|논문", question, re.IGNORECASE)) > 1:
        return {"kind": "paper"}
    if intent == "paper-claims" and (found := _ABOUT.search(question)):
        return {"about": (found["en"] or found["ko"]).strip()}
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
