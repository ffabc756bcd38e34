"""PDF papers: text in reading order, with page numbers, through PDFium.

PDFium gives runs of text with their boxes. Here they become lines; a page with an empty gutter in its middle is read
column by column between lines that cross the gutter; lines that repeat at the top or bottom of pages, and bare page
numbers, are dropped; words hyphenated at a line end are joined; ligatures are spelled out. The title is the largest
text on the upper first page. Numbered and well-known section titles become Markdown headings. A scanned PDF has no
text and is refused; formulas and tables come as the words PDFium sees, in its order.
"""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import pypdfium2

from kb.errors import ReadError
from kb.incoming import Incoming, text_id
from kb.passages import PageStart
from kb.text import normalise

MAX_PAGES = 600
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_ARXIV = re.compile(r"arXiv:\s?(\d{4}\.\d{4,5})")
_NUMBERED = re.compile(r"^(?:\d{1,2}|[A-H])(?:\.\d{1,2}){0,2}\.?\s+[A-Z][^.!?]{2,70}(?<![-,;:])$")
_KNOWN = re.compile(
    r"^(?:(?:\d{1,2}\.?\s+)?(?:Abstract|Introduction|Background|Related Work|Preliminaries|Methods?|Methodology|Experiments?"
    r"|Results?|Discussion|Limitations?|Conclusions?|Acknowledge?ments?|References|Bibliography|Appendix))$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Line:
    """A line of text with its box (PDF points; y grows upwards)."""

    left: float
    bottom: float
    right: float
    top: float
    text: str

    @property
    def height(self) -> float:
        return self.top - self.bottom


def read(path: Path, *, origin: str) -> list[Incoming]:
    """The paper as one document.

    Raises ReadError when the file is broken, encrypted, too long or has no text.
    """
    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise ReadError(
            f"{path.name} cannot be opened as a PDF ({error}). Open and save it with a PDF viewer."
        ) from error
    if len(pdf) > MAX_PAGES:
        raise ReadError(f"{path.name} has {len(pdf)} pages; at most {MAX_PAGES} are read. Split it.")
    metadata = pdf.get_metadata_dict()
    pages = [_page_lines(pdf[number]) for number in range(len(pdf))]
    pdf.close()
    stamp = " ".join(line.text for lines in pages[:1] for line in lines)
    title = _title(pages[0] if pages else [], metadata.get("Title", ""))
    running = _running(pages)
    text, starts = _join([[line for line in _upright(lines) if _bare(line.text) not in running] for lines in pages])
    if len(text) < 100:
        raise ReadError(f"{path.name} has no text to read: it may be scanned. Run a text recognition over it first.")
    found = _ARXIV.search(stamp)
    front = {"arxiv": found[1] if found else None, "authors": [], "source_trust_level": "medium"}
    name = title or path.stem
    return [
        Incoming(
            id=text_id(name, text),
            title=name,
            kind="paper",
            text=text,
            origin=origin,
            source=str(path),
            front=front,
            pages=tuple(starts),
        )
    ]


def _page_lines(page: pypdfium2.PdfPage) -> list[_Line]:
    """The text runs of a page, joined into lines, in reading order."""
    found = page.get_textpage()
    runs: list[_Line] = []
    for number in range(found.count_rects()):
        left, bottom, right, top = found.get_rect(number)
        text = found.get_text_bounded(left, bottom, right, top)
        text = re.sub(r"[\x02\ufffe\ufffd]", "-", text.translate(_LIGATURES)).replace("\r", " ").replace("\n", " ")
        if text.strip():
            runs.append(_Line(left, bottom, right, top, text.strip()))
    return _reading_order(_merge(runs), page.get_width())


def _merge(runs: list[_Line]) -> list[_Line]:
    """Runs on one baseline that nearly touch become one line."""
    lines: list[_Line] = []
    for run in sorted(runs, key=lambda run: (-round((run.top + run.bottom) / 2), run.left)):
        for place in range(len(lines) - 1, max(-1, len(lines) - 8), -1):
            line = lines[place]
            overlap = min(line.top, run.top) - max(line.bottom, run.bottom)
            gap = run.left - line.right
            size = max(1.0, min(line.height, run.height))
            if overlap > 0.5 * size and -0.5 * size < gap < 1.2 * max(line.height, run.height):
                space = " " if gap > 0.22 * size else ""
                lines[place] = _Line(
                    line.left,
                    min(line.bottom, run.bottom),
                    max(line.right, run.right),
                    max(line.top, run.top),
                    line.text + space + run.text,
                )
                break
        else:
            lines.append(run)
    return lines


def _reading_order(lines: list[_Line], width: float) -> list[_Line]:
    """Top to bottom; where there is a gutter, the left column before the right, between lines that cross it."""
    gutter = _gutter(lines, width)
    if gutter is None:
        return sorted(lines, key=lambda line: (-line.top, line.left))
    ordered: list[_Line] = []
    left: list[_Line] = []
    right: list[_Line] = []
    for line in sorted(lines, key=lambda line: -line.top):
        if line.left < gutter - 5 and line.right > gutter + 5:
            ordered += [*left, *right, line]
            left, right = [], []
        else:
            (left if line.right <= gutter + 5 else right).append(line)
    return [*ordered, *left, *right]


def _gutter(lines: list[_Line], width: float) -> float | None:
    """The x of an empty vertical strip near the middle, if a tenth of the lines or fewer cross it."""
    wide = [line for line in lines if line.right - line.left > 0.15 * width]
    if len(wide) < 10:
        return None
    best: tuple[int, float] | None = None
    for step in range(40, 61):
        x = width * step / 100
        crossing = sum(line.left < x - 2 and line.right > x + 2 for line in wide)
        if best is None or (crossing, abs(step - 50)) < (best[0], abs(best[1] / width * 100 - 50)):
            best = (crossing, x)
    assert best is not None
    sides = [sum(line.right <= best[1] + 5 for line in wide), sum(line.left >= best[1] - 5 for line in wide)]
    return best[1] if best[0] <= 0.25 * len(wide) and min(sides) >= 0.2 * len(wide) else None


def _upright(lines: list[_Line]) -> list[_Line]:
    """Lines that are not turned by 90 degrees (the arXiv stamp on the margin)."""
    return [line for line in lines if not (line.height > 3 * (line.right - line.left) and len(line.text) > 3)]


def _bare(text: str) -> str:
    return re.sub(r"[\d\W]+", "", text).casefold()


def _running(pages: list[list[_Line]]) -> set[str]:
    """Headers and footers: what stands at the edge of at least three pages, apart from digits; page numbers too."""
    counts: Counter[str] = Counter()
    for lines in pages:
        if not lines:
            continue
        top, bottom = max(line.top for line in lines), min(line.bottom for line in lines)
        edge = 0.07 * (top - bottom)
        marks = {_bare(line.text) for line in lines if line.top > top - edge or line.bottom < bottom + edge}
        counts.update(marks)
    need = max(3, len(pages) // 4)
    return {mark for mark, count in counts.items() if count >= need} | {""}


def _title(lines: list[_Line], stored: str) -> str:
    """The largest text of the upper first page, or the stored title when that is longer than three words."""
    upright = _upright(lines)
    if upright:
        middle = (max(line.top for line in upright) + min(line.bottom for line in upright)) / 2
        upper = [line for line in upright if line.bottom > middle and len(line.text) > 3 and "arXiv" not in line.text]
        largest = max((line.height for line in upper), default=0.0)
        body = median(line.height for line in upright)
        big = [line for line in upper if line.height > 0.9 * largest]
        if largest > 1.15 * body and len(big) <= 5:
            return normalise(" ".join(line.text for line in big))[:300].strip()
    return normalise(stored).strip() if len(stored.split()) > 3 else ""


def _join(pages: list[list[_Line]]) -> tuple[str, list[PageStart]]:
    """One text with paragraphs, and where each page starts in it."""
    text = ""
    starts: list[PageStart] = []
    before: _Line | None = None
    body = median([line.height for lines in pages for line in lines] or [1.0])
    for number, lines in enumerate(pages, start=1):
        starts.append(PageStart(number, len(text)))
        gaps = [first.bottom - second.top for first, second in pairwise(lines)]
        usual = median([gap for gap in gaps if gap > -2] or [2.0])
        for line in lines:
            words = normalise(line.text).strip()
            if _is_heading(words, line.height, body):
                text = f"{text.rstrip()}\n\n## {words}\n\n".lstrip()
                before = None
            elif words:
                text = _append(text, words, before, line, usual)
                before = line
    return text, starts


def _is_heading(words: str, height: float, body: float) -> bool:
    """A well-known section title, or a numbered one that is larger than the text or mostly capitalised."""
    if _KNOWN.match(words):
        return True
    if not _NUMBERED.match(words) or height < 0.97 * body:
        return False
    long = [word for word in words.split()[1:] if len(word) > 3]
    capital = sum(word[0].isupper() for word in long)
    return len(long) > 0 and (2 * capital > len(long) or (words[0].isdigit() and height > 1.25 * body))


def _append(text: str, words: str, before: _Line | None, line: _Line, usual: float) -> str:
    """The text with one more line: joined to a hyphenated word, after a blank, or as a new paragraph."""
    if before is None or text.endswith("\n"):
        return text + words
    if words[:1].islower() and re.search(r"[a-z]-$", text):
        return text[:-1] + words
    gap = before.bottom - line.top
    ended = text.endswith((".", ":", "?", "!"))
    apart = gap > usual + 0.6 * line.height or (ended and line.left > before.left + 0.8 * line.height)
    return text + ("\n\n" if apart and gap > -2 else " ") + words
