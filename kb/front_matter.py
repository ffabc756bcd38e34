"""The fields of a note's front matter, read leniently and brought to one scale.

A fault never loses the note: YAML that does not parse is salvaged key by key, a value of the wrong kind is left
out, and each fault is a `Problem` with its line and what to do. Every value is read as text first (YAML's
`BaseLoader`): YAML would turn the arXiv id 2310.10730 into a number without its last zero, a commit 0123456 into octal.
"""

import re
from datetime import date
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from kb.identifiers import arxiv_id

MAX_FRONT_MATTER = 64_000
_EMPTY = ("", "~", "null", "Null", "NULL", "None")
LISTS = ("aliases", "tags", "raw_sources", "tech_stack", "authors", "models", "questions")
WORDS = ("id", "title", "category", "status", "canonical_id", "duplicate_of", "kind", "arxiv", "url")
OTHERS = (
    "source_trust_level",
    "confidence_score",
    "verification_status",
    "last_reinforced",
    "github_commit",
    "year",
    "claims",
)
TRUST = {"high": 1.0, "medium": 0.7, "low": 0.4, "untrusted": 0.1}
_TRUST_WORDS = {
    **dict.fromkeys(("high", "s", "a", "primary", "peer-reviewed", "trusted", "official", "높음", "상"), "high"),
    **dict.fromkeys(("medium", "b", "moderate", "preprint", "secondary", "mid", "중간", "보통", "중"), "medium"),
    **dict.fromkeys(("low", "c", "d", "tertiary", "blog", "낮음", "하"), "low"),
    **dict.fromkeys(("untrusted", "none", "e", "f", "unknown"), "untrusted"),
}
VERIFICATION = ("verified", "partially-verified", "unverified", "disputed", "retracted")
_VERIFICATION_WORDS = {
    **dict.fromkeys(("verified", "confirmed", "true", "yes", "검증됨", "검증", "확인됨"), "verified"),
    **dict.fromkeys(
        ("partially-verified", "partially verified", "partial", "partly verified", "mixed", "부분 검증"),
        "partially-verified",
    ),
    **dict.fromkeys(
        ("unverified", "pending", "false", "no", "none", "todo", "draft", "미검증", "검증 안됨", "대기"), "unverified"
    ),
    **dict.fromkeys(("disputed", "contested", "contradicted", "논쟁", "논쟁 중"), "disputed"),
    **dict.fromkeys(("retracted", "refuted", "withdrawn", "deprecated", "철회", "철회됨"), "retracted"),
}
_TOP_KEY = re.compile(r"^([^\W\d][\w -]*?)\s*:(?=\s|$)")
_OTHER_NAMES = {
    "alias": "aliases",
    "tag": "tags",
    "author": "authors",
    "제목": "title",
    "별칭": "aliases",
    "별명": "aliases",
    "태그": "tags",
    "저자": "authors",
    "연도": "year",
    "년도": "year",
    "분류": "category",
    "상태": "status",
    "모델": "models",
    "출처": "raw_sources",
    "신뢰도": "source_trust_level",
    "검증": "verification_status",
}


class Problem(BaseModel):
    """A fault in a note: where, what, and the remedy. `line` counts from 1 in the file."""

    model_config = ConfigDict(frozen=True)
    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message} {self.remedy}"


class NoteClaim(BaseModel):
    """A claim that a note makes in machine-readable form, so that it can be turned into a prediction."""

    model_config = ConfigDict(frozen=True, extra="allow")
    claim: str
    task: str | None = None
    component: str | None = None
    intervention: str | None = None
    expected: str | None = None
    refuted_if: str | None = None


class FrontMatter(BaseModel):
    """What a note says about itself, with words and numbers brought to one scale (`trust`, `verification_status`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    title: str
    category: str | None = None
    status: str | None = None
    canonical_id: str | None = None
    aliases: tuple[str, ...] = ()
    duplicate_of: str | None = None
    source_trust_level: str | None = None
    confidence_score: float | None = None
    verification_status: str | None = None
    tags: tuple[str, ...] = ()
    raw_sources: tuple[str, ...] = ()
    last_reinforced: str | None = None
    github_commit: str | None = None
    tech_stack: tuple[str, ...] = ()
    kind: str = "note"
    year: int | None = None
    authors: tuple[str, ...] = ()
    arxiv: str | None = None
    url: str | None = None
    models: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    claims: tuple[NoteClaim, ...] = ()
    extra: dict[str, Any] = Field(default_factory=dict)


def split_front_matter(text: str) -> tuple[str, str, list[Problem]]:
    """Front matter and body. A front matter that is never closed, or too long, is body with a problem; two rules with
    text between them that has no field are body without one."""
    opening = re.match(r"---[ \t]*\n", text)
    if not opening:
        return "", text, []
    closing = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.MULTILINE).search(text, opening.end())
    if not closing:
        problem = Problem(
            line=1,
            message="The front matter is opened with --- but never closed.",
            remedy="Put a line with only --- after the last field.",
        )
        return "", text, [problem]
    header = text[opening.end() : closing.start()]
    if len(header) > MAX_FRONT_MATTER:
        problem = Problem(
            line=1,
            message=f"The front matter has {len(header)} characters; at most {MAX_FRONT_MATTER} are read.",
            remedy="Move long text below the closing ---.",
        )
        return "", text[closing.end() :].lstrip("\n"), [problem]
    if header.strip() and not any(_TOP_KEY.match(line) or line.startswith("#") for line in header.split("\n")):
        return "", text, []
    return header, text[closing.end() :].lstrip("\n"), []


def load_fields(header: str) -> tuple[dict[str, Any], dict[str, int], list[Problem]]:
    """YAML values, the file line of each key, and problems; blocks that do not parse are left out alone."""
    blocks, problems = _blocks(header)
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for line, key, block in blocks:
        try:
            if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(block, Loader=yaml.CBaseLoader)):
                problems.append(
                    Problem(
                        line=line,
                        message=f"{key} uses a YAML alias (*name).",
                        remedy="Write the value out, or put it in quotation marks.",
                    )
                )
                continue
            loaded = yaml.load(block, Loader=yaml.CBaseLoader)
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            what = getattr(error, "problem", None) or str(error)
            plain = re.fullmatch(r"[^\n:]+:\s*([^\s\[{\"'&*!|>%@`#][^\n]*)\n?", block.rstrip() + "\n")
            problems.append(
                Problem(
                    line=line + min(mark.line if mark else 0, block.rstrip().count("\n")),
                    message=f"{key} is not valid YAML ({what})" + (", read as plain text." if plain else "."),
                    remedy=f'Put the value in quotation marks, as in {key}: "..."; the other fields were read.',
                )
            )
            if not plain:
                continue
            loaded = {key: plain[1].strip()}
        if isinstance(loaded, dict):
            if key in values:
                problems.append(
                    Problem(line=line, message=f"{key} is given twice.", remedy="Keep one; the last one was read.")
                )
            values.update({str(name): value for name, value in loaded.items()})
            lines[key] = line
    for name in list(values):
        usual = _usual(name)
        if usual not in values:
            values[usual], lines[usual] = values.pop(name), lines.get(name, 1)
    return values, lines, problems


def _usual(name: str) -> str:
    """The usual name of a field that is written in capitals, in the singular or in Korean."""
    plain = name.strip().casefold()
    plain = _OTHER_NAMES.get(plain, plain).replace("-", "_")
    return plain if plain in (*LISTS, *WORDS, *OTHERS) else name


def _blocks(header: str) -> tuple[list[tuple[int, str, str]], list[Problem]]:
    """The front matter cut into (file line, key, YAML block) at its top-level keys."""
    blocks: list[tuple[int, str, str]] = []
    problems: list[Problem] = []
    for number, line in enumerate(header.split("\n"), start=2):
        found = _TOP_KEY.match(line)
        if found:
            blocks.append((number, found[1], line + "\n"))
        elif blocks:
            start, key, block = blocks[-1]
            blocks[-1] = (start, key, block + line.replace("\t", "  ") + "\n")
        elif line.strip() and not line.lstrip().startswith("#"):
            problems.append(
                Problem(
                    line=number,
                    message=f"{line.strip()[:60]!r} is not a field.",
                    remedy="Write each field as `name: value`.",
                )
            )
    return blocks, problems


class FieldReader:
    """Reads values of the expected kind; what does not fit becomes a problem and is left out."""

    def __init__(self, values: dict[str, Any], lines: dict[str, int], problems: list[Problem]) -> None:
        self.values = values
        self.lines = lines
        self.problems = problems

    def fault(self, key: str, remedy: str) -> None:
        message = f"{key} is {str(self.values[key])[:60]!r}."
        self.problems.append(Problem(line=self.lines.get(key, 1), message=message, remedy=remedy))

    def word(self, key: str) -> str | None:
        value = self.values.get(key)
        if value is None or value in _EMPTY:
            return None
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):  # [[link]] without quotes
            inner = value[0]
            if len(inner) == 1 and isinstance(inner[0], str):
                return f"[[{inner[0]}]]" if key in ("canonical_id", "duplicate_of") else inner[0]
        self.fault(key, "Give one word or one line of text.")
        return None

    def items(self, key: str) -> tuple[str, ...]:
        value = self.values.get(key)
        if value is None or value in _EMPTY:
            return ()
        if isinstance(value, str) and key in ("aliases", "tags", "tech_stack"):
            value = re.split(r"[,\s]+(?=#)|," if key == "tags" and value.startswith("#") else ",", value)
        if not isinstance(value, list):
            value = [value]
        if any(isinstance(item, list | dict) for item in value):
            self.fault(key, "Give a plain list, one item on each line after a dash; the nested items were left out.")
        flat = [item.strip().removeprefix("#" if key == "tags" else "") for item in value if isinstance(item, str)]
        return tuple(dict.fromkeys(item for item in flat if item not in _EMPTY))

    def rest(self) -> dict[str, Any]:
        known = {*LISTS, *WORDS, *OTHERS}
        return {
            **{key: self.items(key) for key in LISTS},
            **{key: self.link(key) for key in ("canonical_id", "duplicate_of")},
            **{key: self.word(key) for key in ("category", "status", "url", "github_commit")},
            "arxiv": self.arxiv(),
            "kind": self.word("kind") or "note",
            "source_trust_level": self.trust(),
            "confidence_score": self.confidence(),
            "verification_status": self.verification(),
            "last_reinforced": self.day(),
            "year": self.year(),
            "claims": self.claims(),
            "extra": {key: value for key, value in self.values.items() if key not in known and _is_plain(value)},
        }

    def link(self, key: str) -> str | None:
        word = self.word(key)
        found = re.fullmatch(r"\[\[([^\[\]|#]+)[^\[\]]*\]\]", word) if word else None
        return found[1].strip() if found else word

    def arxiv(self) -> str | None:
        word = self.word("arxiv")
        if word is None:
            return None
        found = arxiv_id(word)
        if found is None:
            self.fault("arxiv", "Give an arXiv id, as in 2211.00593 or cs/0301001, or its address at arxiv.org.")
        return found

    def trust(self) -> str | None:
        word = self.word("source_trust_level")
        if word is None:
            return None
        if word.casefold() in _TRUST_WORDS:
            return _TRUST_WORDS[word.casefold()]
        number = _number(word)
        if number is None or not 0 <= number <= 100:
            self.fault("source_trust_level", f"Use one of {', '.join(TRUST)}, or a number from 0 to 1 or 1 to 5.")
            return None
        share = number if number <= 1 else number / 5 if number <= 5 else number / 10 if number <= 10 else number / 100
        return "high" if share >= 0.75 else "medium" if share >= 0.5 else "low" if share >= 0.2 else "untrusted"

    def confidence(self) -> float | None:
        word = self.word("confidence_score")
        if word is None:
            return None
        number = _number(word)
        if number is None or not 0 <= number <= 100:
            self.fault("confidence_score", "Give a number from 0 to 1 (or a percentage up to 100).")
            return None
        return number / 100 if number > 1 else number

    def verification(self) -> str | None:
        word = self.word("verification_status")
        if word is None:
            return None
        known = _VERIFICATION_WORDS.get(word.casefold().replace("_", "-")) or _VERIFICATION_WORDS.get(word.casefold())
        if known is None:
            self.fault("verification_status", f"Use one of {', '.join(VERIFICATION)}.")
        return known

    def day(self) -> str | None:
        word = self.word("last_reinforced")
        if word is None:
            return None
        found = re.match(r"(\d{4})[-./년]\s?(\d{1,2})[-./월]\s?(\d{1,2})", word)
        try:
            return date(*map(int, found.groups())).isoformat() if found else date.fromisoformat(word).isoformat()
        except ValueError:
            self.fault("last_reinforced", "Give a date as YYYY-MM-DD.")
            return None

    def year(self) -> int | None:
        word = self.word("year")
        if word is None:
            return None
        if not re.fullmatch(r"(?:1[5-9]|20)\d\d", word):
            self.fault("year", "Give a year with four digits.")
            return None
        return int(word)

    def claims(self) -> tuple[NoteClaim, ...]:
        value = self.values.get("claims")
        if value is None or value in _EMPTY:
            return ()
        read: list[NoteClaim] = []
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                read.append(NoteClaim(claim=item))
            elif isinstance(item, dict) and isinstance(item.get("claim"), str):
                read.append(NoteClaim(**{str(k): str(v) for k, v in item.items() if not isinstance(v, list | dict)}))
            else:
                self.fault("claims", "Give a list whose items have a `claim:` line; this item was left out.")
        return tuple(read)


def _number(word: str) -> float | None:
    found = re.fullmatch(r"(\d+(?:[.,]\d+)?)\s*(%?)(?:\s*/\s*(\d+))?", word)
    if not found:
        return None
    number = float(found[1].replace(",", "."))
    return number / float(found[3]) if found[3] and float(found[3]) else number / 100 if found[2] else number


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
