"""What a paper says about itself on its first page: title, authors, year, arXiv id.

The title is the largest text of the upper first page, or what the file calls it when the page says the same in large letters (the
name of a journal may be larger). Authors stand between it and the abstract: a line counts when every
part of it between commas, semicolons and "and" is a person's name by its form (two to five words, capitals, initials,
particles such as "van"), none of them a word of institutions. The year is that of the arXiv id (a stamp dates the version), else the
one that the page states for itself: copyright or venue line. What the page does not state stays empty; the file's creation date is no year of publication.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from statistics import median

from kb.readers.pdf_lines import Line
from kb.readers.pdf_words import Joiner
from kb.text import normalise

ARXIV = re.compile(r"arXiv:\s?(\d{4}\.\d{4,5})")
_STAMP_YEAR = re.compile(r"\d{1,2}\s?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\s?((?:19|20)\d\d)")
_PUBLISHED = re.compile(
    r"(?:©|\bcopyright\b|\bpublished\b|\baccepted\b|\bproceedings of\b).{0,160}?\b((?:19|20)\d\d)\b", re.IGNORECASE
)
_VENUE = re.compile(
    r"(?:conference|workshop|preprint|journal|symposium|vol(?:ume|\.)|"
    r"\b(?:ICLR|NeurIPS|NIPS|ICML|ACL|EMNLP|NAACL|EACL|COLM|TMLR|AAAI|COLING)\b).{0,80}?\b((?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_ABSTRACT = re.compile(
    r"^(?:[\dIVXⅠ]+\.?\s+)?(?:(?:abstract|introduction|summary|keywords)\b|요\s?약|초\s?록|국문\s?초록|서\s?론)",
    re.IGNORECASE,
)
_KOREAN_NAME = re.compile(
    "[김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마길](?:[가-힣]{1,2}|(?:\\s[가-힣]){1,3})(?<!대학|학교|학과|학부|공학|연구|센터)"
)
_INSTITUTION = re.compile(
    r"\b(?:university|universit\w+|institut\w*|department|dept|school|college|faculty|research|lab\w*|cent(?:er|re)|"
    r"academy|inc|ltd|corp\w*|group|team|google|deepmind|meta|facebook|microsoft|openai|anthropic|eleutherai|amazon|apple|ibm|"
    r"nvidia|hospital|foundation|society|division|street|avenue|road|ai|usa|uk|abstract|proceedings|conference|journal|introduction|"
    r"equal|contribution|author|version|draft|preprint|review|member|senior|student|fellow|under|work|done|available|online)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[*†‡§¶∗⋆⋄◦•#^\d\u2600-\u27bf\u25a0-\u25ff]+|\S+@\S+")
_NAME_WORD = re.compile(r"(?:[^\W\d_][\w'’.-]*[^\W\d_]|[^\W\d_]\.?(?:-?[^\W\d_]\.)*)")
_PARTICLES = frozenset(("van", "von", "der", "den", "de", "del", "della", "di", "da", "du", "la", "le", "bin", "ibn", "al", "zu", "ter", "dos", "el"))  # fmt: skip


@dataclass(frozen=True)
class FirstPage:
    """What was found; `title` is empty when nothing stands out."""

    title: str
    authors: tuple[str, ...]
    year: int | None
    arxiv: str | None


def first_page(lines: Sequence[Line], across: str, stored: dict[str, str]) -> FirstPage:
    """Read the first page; `stored` is the file's own metadata."""
    title_lines = _title_lines(lines)
    title = " ".join(normalise(joined(title_lines)).split())[:300].strip()
    stored_title = " ".join(normalise(stored.get("Title", "")).split())
    if (len(title.split()) < 2 and len(stored_title.split()) > 3) or _is_printed(stored_title, lines):
        title = stored_title
    everything = " ".join([across, *(line.text for line in lines)])
    found = ARXIV.search(everything)
    authors = max(_authors(lines, title_lines), tuple(names_in(stored.get("Author", ""))), key=len)
    authors = tuple(name for name in authors if name != title)
    return FirstPage(title, authors, _year(across, lines, found[1] if found else None), found[1] if found else None)


def joined(lines: Sequence[Line]) -> str:
    """The words of a title that runs over several lines."""
    joiner = Joiner(())
    return reduce(joiner.join, (line.text.strip() for line in lines), "")


def _is_printed(stored: str, lines: Sequence[Line]) -> bool:
    """Whether the page prints the title that the file carries, in letters larger than its text."""
    letters = [re.sub(r"\W", "", text).casefold() for text in (stored, joined(_large(lines)))]
    return len(stored.split()) > 1 and letters[0] in letters[1]


def _large(lines: Sequence[Line]) -> list[Line]:
    body = median(line.height for line in lines) if lines else 0.0
    return [line for line in lines if line.height > 1.15 * body]


def names_in(line: str) -> list[str]:
    """The people of a line that holds nothing else; none otherwise."""
    parts = [part for part in re.split(r",|;|&|\band\b", _MARKS.sub(" , ", normalise(line))) if part.strip()]
    names = [" ".join(part.split()) for part in parts]
    return names if names and all(_is_name(name) for name in names) else []


def _is_name(name: str) -> bool:
    words = name.split()
    if _KOREAN_NAME.fullmatch(name):
        return True
    if not 2 <= len(words) <= 5 or _INSTITUTION.search(name):
        return False
    whole = [word for word in words if word.casefold() not in _PARTICLES]
    capital = all(_NAME_WORD.fullmatch(word) and word[0].isupper() for word in whole)
    shouted = [word for word in whole if len(word.strip(".")) > 1 and word.isupper() and "." not in word]
    return len(whole) >= 2 and capital and (not shouted or len(shouted) == sum(len(w.strip(".")) > 1 for w in whole))


def _title_lines(lines: Sequence[Line]) -> list[Line]:
    """The largest text of the upper half, when it is larger than the rest."""
    if not lines:
        return []
    middle = (max(line.top for line in lines) + min(line.bottom for line in lines)) / 2
    upper = [line for line in lines if line.bottom > middle and len(line.text) > 3 and "arXiv" not in line.text]
    largest = max((line.height for line in upper), default=0.0)
    body = median(line.height for line in lines)
    big = [line for line in upper if line.height > 0.93 * largest]
    return big if largest > 1.15 * body and len(big) <= 5 else []


def _authors(lines: Sequence[Line], title: Sequence[Line]) -> tuple[str, ...]:
    if not title:
        return ()
    below = [line for line in lines if line.top < min(part.bottom for part in title) + 2]
    below.sort(key=lambda line: (-round(line.top), line.left))
    names: dict[str, None] = {}
    for line in below:
        if _ABSTRACT.match(line.text) or len(line.text) > 400:
            break
        names.update(dict.fromkeys(names_in(line.plain.strip(" ,;"))))
    return tuple(names)[:60]


def _year(across: str, lines: Sequence[Line], arxiv: str | None) -> int | None:
    if arxiv:
        return 2000 + int(arxiv[:2])
    stamp = _STAMP_YEAR.search(" ".join([across, *(line.text for line in lines if "arXiv" in line.text)]))
    if stamp:
        return int(stamp[1])
    body = median(line.height for line in lines) if lines else 0.0
    ordered = [line.text for line in sorted(lines, key=lambda line: -line.top)]
    edges = (" ".join(ordered[:4]), " ".join(ordered[-4:]))
    small = " ".join(line.text for line in lines if line.height < 0.95 * body)  # notes below the columns
    found = [_PUBLISHED.search(text) for text in (*edges, small)] + [_VENUE.search(text) for text in edges]
    return next((int(stated[1]) for stated in found if stated), None)
