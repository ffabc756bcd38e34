"""Written summaries held against the passages they cite, sentence by sentence.

A language model may word a summary; a sentence of it stands only when it cites passages that it was given, and every
number, every name (a word with a capital inside the sentence, with digits or all in capitals) and every quotation in it
occurs in one of those passages, and at least a third of its other content words do, too. What fails is dropped, counted and
shown with the reason. It compares words: a sentence that passes may still misread its source.
"""

import re
from collections.abc import Mapping, Sequence

from kb.records import Record
from kb.text import STOPWORDS, is_korean, normalise, words

SHARED = 1 / 3
_NUMBER = re.compile(r"(?<![\w.])[-−+]?\d+(?:,\d{3})*(?:\.\d+)?(?:\s?%)?(?![\w]|\.\d)")
_QUOTED = re.compile(r"[\"“]([^\"“”]{3,})[\"”]|「([^」]{3,})」")
_NAME = re.compile(r"[A-Za-z][\w.*+-]*")


class Written(Record):
    """A sentence that a language model wrote for one part of a summary, and the passages it cites."""

    part: str
    text: str
    passage_ids: tuple[str, ...]


class Dropped(Record):
    """A sentence that was taken out, and why."""

    sentence: Written
    reason: str


class WrittenSummary(Record):
    """A summary in a language model's words of which every sentence passed the check; `dropped` holds the others."""

    title: str
    document_ids: tuple[str, ...]
    llm: str
    sentences: tuple[Written, ...]
    dropped: tuple[Dropped, ...]


def check_sentences(
    drafted: Sequence[Written], passages: Mapping[str, str]
) -> tuple[tuple[Written, ...], tuple[Dropped, ...]]:
    """The sentences that stand and those that fail; `passages` are the texts that the writer was given, by id."""
    kept: list[Written] = []
    dropped: list[Dropped] = []
    for sentence in drafted:
        reason = fault(sentence, passages)
        if reason:
            dropped.append(Dropped(sentence=sentence, reason=reason))
        else:
            kept.append(sentence)
    return tuple(kept), tuple(dropped)


def fault(sentence: Written, passages: Mapping[str, str]) -> str | None:
    """Why a sentence may not stand; None when it may."""
    if not sentence.passage_ids:
        return "it cites nothing"
    strange = [name for name in sentence.passage_ids if name not in passages]
    if strange:
        return f"it cites {strange[0]}, which was not given"
    source = normalise("\n".join(passages[name] for name in sentence.passage_ids))
    text = normalise(sentence.text)
    for number in _NUMBER.findall(text):
        if _plain_number(number) not in {_plain_number(found) for found in _NUMBER.findall(source)}:
            return f"the number {number.strip()} is not in what it cites"
    for found in _QUOTED.finditer(text):
        quotation = next(filter(None, found.groups()))
        if " ".join(quotation.split()) not in " ".join(source.split()):
            return f"the quotation {quotation[:60]!r} is not verbatim in what it cites"
    known = set(words(source))
    for name in _names(text):
        if not set(words(name)) <= known:
            return f"the name {name} is not in what it cites"
    return _shares_words(text, source)


def _names(text: str) -> list[str]:
    """Words that are names by their form; a capital at the beginning of the sentence alone is none."""
    names: list[str] = []
    for found in _NAME.finditer(text):
        word = found[0].rstrip(".")
        first = not text[: found.start()].strip(" \"'“(")
        shaped = any(letter.isdigit() for letter in word) or any(letter.isupper() for letter in word[1:])
        if shaped or (word[0].isupper() and not first and len(word) > 1):
            names.append(word)
    return names


def _shares_words(text: str, source: str) -> str | None:
    """Whether enough of a sentence's words are its source's; a sentence in the other language cannot be compared."""
    if is_korean(text) != is_korean(source):
        return None
    own = {_stem(word) for word in words(text) if word not in STOPWORDS}
    known = {_stem(word) for word in words(source)}
    share = len(own & known) / len(own) if own else 1.0
    return None if share >= SHARED else f"it shares {share:.0%} of its words with what it cites"


def _stem(word: str) -> str:
    return re.sub(r"(?:ations?|ings?|ed|es|s|ly)$", "", word) if word.isascii() and len(word) > 5 else word


def _plain_number(number: str) -> str:
    value = number.replace(",", "").replace("−", "-").replace(" ", "").lstrip("+")
    return value.rstrip("0").rstrip(".") if "." in value and "%" not in value else value
