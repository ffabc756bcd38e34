"""Text as the library keeps it and as it searches it.

`normalise` makes the one form in which text is stored: NFC, line feeds, no byte-order mark, no invisible
characters. Every offset in the library counts characters of that form. `searchable` makes the form that goes into
SQLite's FTS5: Hangul (and other scripts written without spaces) become character bigrams, because FTS5's own
trigram tokenizer finds nothing for a Korean word of two syllables. This module knows nothing about notes or
papers, and no dictionary: it does not analyse Korean morphology, it only strips common particles for alias look-up.
"""

import re
import unicodedata

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_BLANKS = re.compile("[\u00a0\u2007\u202f\u3000]")
_UNSPACED = "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_NO_BLANKS = re.compile(f"[{_UNSPACED}]")
_HANGUL = re.compile("[\u3131-\u318e\uac00-\ud7a3]")
_PARTICLE = re.compile(
    r"(?<=[\uac00-\ud7a3A-Za-z0-9)])"
    r"(?:이라는|이란|에서는|에서도|에서만|에서|에게는|에게|한테|으로는|으로도|으로|까지는|까지|부터|처럼|보다|이나|이랑|라는|란|"
    r"에는|에도|에만|로는|로도|와는|과는|들은|들이|들을|들의|들에|랑|나|은|는|이|가|을|를|의|에|로|와|과|도|만|들)$"
)
_SENTENCE_END = re.compile(r"(?<=[.!?。])[\"')\]]*\s+|\n{2,}|\n(?=\s*(?:[-*>|#]|\d+\.)\s?)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:et al|e\.g|i\.e|cf|vs|Fig|Figs|Eq|Eqs|Sec|Tab|App|Dr|Prof|resp|approx|No)|\b[A-Z])\.$"
)

STOPWORDS = frozenset(
    [
        "a",
        "about",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "being",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "of",
        "on",
        "or",
        "our",
        "should",
        "so",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "us",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "tell",
        "explain",
        "please",
    ]
)


def normalise(text: str) -> str:
    """The stored form of a text: NFC, `\\n` line ends, no invisible characters, ordinary spaces."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _BLANKS.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFC", text)))


def is_korean(text: str) -> bool:
    """Whether a query or sentence should be handled as Korean: at least a fifth of its letters are Hangul."""
    letters = sum(character.isalpha() for character in text)
    return letters > 0 and len(_HANGUL.findall(text)) >= 0.2 * letters


def words(text: str) -> list[str]:
    """Casefolded search tokens: words of spaced scripts, overlapping bigrams of unspaced ones."""
    tokens: list[str] = []
    for found in _WORD.finditer(unicodedata.normalize("NFC", text).casefold()):
        run = found[0]
        if len(run) > 1 and not run.isascii() and _NO_BLANKS.match(run):
            tokens.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            tokens.append(run)
    return tokens


def searchable(text: str) -> str:
    """The text as FTS5 indexes it: `words`, separated by blanks."""
    return " ".join(words(text))


def content_words(text: str) -> list[str]:
    """The search tokens of a query without English function words, each once, in order."""
    return list(dict.fromkeys(token for token in words(text) if token not in STOPWORDS))


def name_key(name: str) -> str:
    """The form under which a title or alias is looked up: casefolded words with single blanks between them."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFC", name).casefold()))


def without_particle(word: str) -> str:
    """A Korean word without its last particle ("헤드는" -> "헤드"); other words unchanged."""
    return _PARTICLE.sub("", word)


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans (start, end) of the sentences and list items of a text, without surrounding blanks.

    Abbreviations ("et al.", "e.g.", initials) do not end a sentence. Spans never overlap.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for found in [*_SENTENCE_END.finditer(text), None]:
        end = found.start() if found else len(text)
        if found and "\n" not in found[0] and _ABBREVIATION.search(text[start:end]):
            continue
        piece = text[start:end]
        stripped = piece.strip()
        if stripped:
            left = start + len(piece) - len(piece.lstrip())
            spans.append((left, left + len(stripped)))
        start = found.end() if found else end
    return spans
