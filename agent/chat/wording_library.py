"""Sentences of the built-in analyst about the library: what a search found, summaries, definitions, sources, claims to test.

Every sentence of the literature is verbatim and cited; bullets, callout marks and table bars around it are left off. Of a
passage that a search found, the sentences nearest to the question in words are shown, in the reader's language where the
note has it.
"""

import re
from itertools import pairwise
from typing import Any

from agent.chat.found import Found
from agent.chat.found_library import claim_details
from agent.chat.router import Language
from agent.chat.wording_tables import one_line, pick
from kb.summaries import sentence_spans
from kb.text import content_words, sentences, words

SHOWN = 5
SENTENCES = 2  # of one passage
_MARKS = re.compile(r"^(?:(?:[-*+>]|\d+[.)])\s+|\[!\w+\][+-]?[^\n]*\n?\s*)")
_INFERS = re.compile(
    r"\b(?:so|therefore|hence|thus|proves?|means that|right)\b|맞지|맞죠|니까|그러므로|따라서|증거", re.IGNORECASE
)
_TABLE_RULE = re.compile(r"^\|[\s|:-]+\|?$")
_NAMES = {
    "question": ("Question", "질문"),
    "method": ("Method", "방법"),
    "findings": ("Findings", "결과"),
    "limits": ("Limits", "한계"),
}


def passages(found: Found, language: Language) -> str:
    """What a search found: the sentences of each passage that are nearest to the question."""
    lines = [pick(language, "The library says:", "라이브러리의 내용:")]
    cited = {citation.passage_id: citation for citation in found.citations}
    korean: dict[str, list[dict[str, Any]]] = found.data.get("korean", {})
    hits = found.data["hits"][:SHOWN]
    if _INFERS.search(found.data["query"]):  # a conclusion is answered by the note on why it does not follow
        hits = sorted(hits, key=lambda name: not cited[name].document_id.startswith("anti-pattern"))
    for name in hits:
        section = found.data.get("sections", {}).get(name, "")
        title = f"*{cited[name].title}*" + (f" ({section})" if section and section != cited[name].title else "")
        said = f"{nearest_sentences(cited[name].quote, found.data['query'])} [^p:{name}]"
        if name in found.data.get(
            "against", {}
        ):  # its passages tell the wrong conclusion, too: say what is held against it
            said, title = " ".join(_sentence(s) for s in found.data["against"][name]), f"*{cited[name].title}*"
        own = " ".join(_sentence(s) for s in korean.get(name, []))
        lines.append(f"- {own} — *{cited[name].title}*\n  - {said}" if own else f"- {said} — {title}")
    lines += [str(remark) for remark in found.data.get("remarks", [])]
    return "\n".join(lines)


def nothing(found: Found, language: Language) -> str:
    """That the library does not say: the words that it never uses, what came nearest, and what to do."""
    unused = ", ".join(f"`{word}`" for word in found.data.get("unused", [])[:4])
    titles = {citation.passage_id: citation.title for citation in found.citations}
    nearest = "; ".join(f"*{titles[name]}* [^p:{name}]" for name in found.data.get("nearest", []))
    said = [pick(language, "The library does not say.", "라이브러리에는 답이 없습니다.")]
    if unused:
        said.append(pick(language, f"It never uses {unused}.", f"라이브러리에 없는 말: {unused}."))
    if nearest:
        said.append(
            pick(language, f"Nearest, but not an answer: {nearest}.", f"답은 아니지만 가장 가까운 자료: {nearest}.")
        )
    said.append(
        pick(
            language,
            "Add a paper or note with `circuit-court library add`, or ask in other words.",
            "`circuit-court library add`로 논문이나 노트를 추가하거나 다른 말로 물어보세요.",
        )
    )
    return " ".join(said)


def nearest_sentences(text: str, question: str) -> str:
    """Up to two sentences of a passage that share most words with the question, in their order; its first when none does."""
    items = (
        sentence_spans(text) if _MARKS.match(text.lstrip()) and not text.lstrip().startswith(">") else sentences(text)
    )
    spans = [text[start:end] for start, end in items]
    spans = [span for span in spans if bare(span) and not _TABLE_RULE.match(span)]
    asked = set(content_words(question))
    shared = {place: len(asked & set(words(span))) for place, span in enumerate(spans)}
    best = sorted((place for place, count in shared.items() if count), key=lambda place: (-shared[place], place))
    chosen = sorted(best[:SENTENCES]) or ([0] if spans else [])
    pieces = [bare(spans[place]) for place in chosen]
    gaps = [" … " if after > before + 1 else " " for before, after in pairwise(chosen)]
    return "".join(piece + gap for piece, gap in zip(pieces, [*gaps, ""], strict=True))


def bare(sentence: str) -> str:
    """A sentence on one line without the list, callout or table marks around it."""
    while (shorter := _MARKS.sub("", sentence.strip())) != sentence:
        sentence = shorter
    if sentence.startswith("|"):
        sentence = " · ".join(cell.strip() for cell in sentence.strip("| ").split("|") if cell.strip())
    return one_line(re.sub(r"\n>\s?", "\n", sentence))


def summary(found: Found, language: Language) -> str:
    """A summary, or the part of it that was asked for."""
    data, part = found.data["summary"], found.data["part"]
    parts = [f"**{data['title']}**"]
    if part == "all" and language == "ko" and data["korean"]:
        parts.append(" ".join(_sentence(s) for s in data["korean"]))
    several = {c.passage_id: c.title for c in found.citations} if len(data["document_ids"]) > 1 else {}
    for name, titles in _NAMES.items():
        if part in ("all", name) and data[name]:
            lines = [f"- {_sentence(s)}{_of(several.get(s['passage_id']))}" for s in data[name]]
            parts.append(f"**{pick(language, *titles)}**\n" + "\n".join(lines))
    if part in ("all", "tests") and data["tests"]:
        title = pick(language, "What could be tested here", "여기서 시험할 수 있는 것")
        parts.append(f"**{title}**\n" + "\n".join(_claim(test, language) for test in data["tests"]))
    if len(parts) == 1:
        parts.append(
            pick(
                language,
                "The library has nothing of this kind about it.",
                "라이브러리에는 이에 해당하는 내용이 없습니다.",
            )
        )
    if data["verification"] not in (None, "verified"):
        parts.append(f"_{pick(language, 'This note is marked', '이 노트의 상태:')} {data['verification']}._")
    return "\n\n".join(parts)


def definition(found: Found, language: Language) -> str:
    """What a term means; in Korean first where the note says it in Korean."""
    data = found.data["definition"]
    said = (data["korean"] if language == "ko" else []) or data["sentences"]
    return f"**{data['title']}**\n\n" + " ".join(_sentence(s) for s in said)


def source(found: Found, language: Language) -> str:
    """Who wrote a document, when, and where it is."""
    data = found.data
    parts = [f"**{data['title']}**"]
    if data["sentences"]:
        parts.append("\n".join(f"- {_sentence(s)}" for s in data["sentences"]))
    elif data["facts"]:
        names = {
            "authors": pick(language, "authors", "저자"),
            "year": pick(language, "year", "연도"),
            "address": pick(language, "address", "주소"),
        }
        parts.append("\n".join(f"- {names[name]}: {value}" for name, value in data["facts"].items()))
    else:
        parts.append(
            pick(language, "The library does not say who wrote it or when.", "라이브러리에는 저자나 연도가 없습니다.")
        )
    return "\n\n".join(parts)


def paper_claims(found: Found, language: Language) -> str:
    """Claims of the literature, each with what would test it."""
    rows = found.data["claims"]
    if not rows:
        return pick(language, found.text, "그에 대한 문헌의 주장은 라이브러리에 없습니다.")
    intro = pick(language, "Claims that the library's papers make:", "라이브러리 논문들의 주장:")
    return "\n".join([intro, *(f"{_claim(row, language)} — *{row['title']}*" for row in rows)])


def untested(found: Found, language: Language) -> str:
    """Why a paper's claim is not tested here, and how it would be."""
    claim = found.data["claim"]
    return f"{found.data[language]}\n\n{_claim(claim, language)} — *{claim['title']}*"


def _claim(claim: dict[str, Any], language: Language) -> str:
    korean = {"in": "대상", "task": "과제", "by": "개입", "expected": "예상", "refuted if": "반박 조건"}
    said = [f"{pick(language, name, korean[name])}: {one_line(words_)}" for name, words_ in claim_details(claim)]
    return f"- **{claim['claim']}**" + (f" ({'; '.join(said)})" if said else "")


def _sentence(cited: dict[str, Any]) -> str:
    text = bare(cited["text"])
    return f"{text}{' …' if text.endswith(',') else ''} [^p:{cited['passage_id']}]"


def _of(title: str | None) -> str:
    return f" — *{title}*" if title else ""
