"""A Korean question in English words: dictionary look-up, longest entry first, no grammar.

MiniLM reads no Korean and BM25 matches characters, so a Korean question about an English passage is also asked in the
English words of `glossary.yaml`. Within a word, entries are matched from its beginning (stems before endings, parts of
compounds); an entry of one syllable must be the whole word apart from a particle. Words without an entry give nothing.
The result is a bag of words in the order of the question, not a translation to show to anybody.
"""

import re
from functools import cache
from pathlib import Path

import yaml

from kb.text import normalise, without_particle

_HANGUL = re.compile(r"[가-힣]+|[A-Za-z0-9][\w*+./-]*")
LONGEST = 12


@cache
def glossary() -> dict[str, str]:
    """Korean entries, blanks kept, with their English words."""
    loaded = yaml.load((Path(__file__).parent / "glossary.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {normalise(str(korean)): english for group in loaded.values() for korean, english in group.items()}


@cache
def asking_words() -> frozenset[str]:
    """Words of both languages that ask or point and say nothing of what is asked about."""
    files = [Path(__file__).parent / name for name in ("english_asking.txt", "korean_asking.txt")]
    return frozenset(word for file in files for word in normalise(file.read_text(encoding="utf-8")).split())


def is_asking(word: str) -> bool:
    """Whether a Korean word only asks or points: as it is written, or without its particle where it is no dictionary entry itself."""
    asking = asking_words()
    return word in asking or (word not in glossary() and without_particle(word) in asking)


def english_words(question: str) -> list[str]:
    """The English words for a question's Korean ones, its Latin words kept, each once."""
    words = _HANGUL.findall(normalise(question))
    found: list[str] = []
    place = 0
    while place < len(words):
        step, english = _phrase(words, place)
        found.extend(english)
        place += step
    return list(dict.fromkeys(word for phrase in found for word in phrase.split()))


def _phrase(words: list[str], place: int) -> tuple[int, list[str]]:
    """English for the longest entry of several words that begins here, or else for this one word."""
    if words[place].isascii():
        return 1, [words[place]]
    for length in (3, 2):
        run = words[place : place + length]
        if len(run) == length:
            for last in dict.fromkeys((run[-1], without_particle(run[-1]))):
                phrase = " ".join([*run[:-1], last])
                if phrase in glossary():
                    return length, [glossary()[phrase]]
    return 1, _word(words[place])


def _word(word: str) -> list[str]:
    """English for a word: entries from its beginning on; syllables that begin no entry are passed over."""
    for form in (word, without_particle(word)):
        if form in glossary():
            return [glossary()[form]]
    found: list[str] = []
    start = 0
    while start < len(word):
        for length in range(min(LONGEST, len(word) - start), 1, -1):
            entry = word[start : start + length]
            if entry in glossary():
                found.append(glossary()[entry])
                start += length
                break
        else:
            start += 1
    return found
