"""PDF papers: text in reading order, with page numbers, through PDFium.

`kb.readers.pdf_lines` gives the lines of each page, `kb.readers.pdf_front` title, authors and year. Here lines that repeat
at the top or bottom of pages, and bare page numbers, are dropped; words hyphenated at a line end are joined; captions
and small print that interrupt a sentence are set before its paragraph; numbered and well-known section titles become
Markdown headings. A scanned PDF has no text and is refused; formulas and tables come as the words PDFium sees, in its
order.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median

import pypdfium2

from kb.errors import ReadError
from kb.incoming import Incoming, text_id
from kb.passages import PageStart
from kb.readers.pdf_front import first_page
from kb.readers.pdf_lines import Line, page_text
from kb.text import normalise

MAX_PAGES = 600
_NUMBERED = re.compile(r"^(?:\d{1,2}|[A-H])(?:\.\d{1,2}){0,2}\.?\s+[A-Z][^.!?]{2,70}(?<![-,;:])$")
_KNOWN = re.compile(
    r"^(?:(?:\d{1,2}\.?\s+)?(?:Abstract|Introduction|Background|Related Work|Preliminaries|Methods?|Methodology|Experiments?"
    r"|Results?|Discussion|Limitations?|Conclusions?|Acknowledge?ments?|References|Bibliography|Appendix))$",
    re.IGNORECASE,
)
_CAPTION = re.compile(r"^(?:Figure|Fig\.|Table|Algorithm)\s?\d+\s?[:.|]")
_RUN_IN = re.compile(r"^Abstract\s?[.:—–-]\s*(?=\S)")
_BULLET = re.compile(r"^[•▪◦‣∙]\s*")


@dataclass
class _Block:
    """A heading, paragraph or aside with where its pages start (offset, page)."""

    text: str = ""
    pages: list[tuple[int, int]] = field(default_factory=list)

    def add(self, words: str, page: int) -> None:
        if not self.pages or self.pages[-1][1] != page:
            self.pages.append((len(self.text), page))
        if self.text and words[:1].islower() and re.search(r"[a-z]-$", self.text):
            self.text = self.text[:-1] + words
        else:
            self.text = f"{self.text} {words}" if self.text else words


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
    pages = [page_text(pdf[number]) for number in range(len(pdf))]
    pdf.close()
    front = first_page(pages[0].lines, pages[0].across, metadata) if pages else None
    running = _running([page.lines for page in pages])
    blocks = _blocks([[line for line in page.lines if _bare(line.text) not in running] for page in pages])
    text, starts = _join(blocks)
    if front is None or len(text) < 100:
        raise ReadError(f"{path.name} has no text to read: it may be scanned. Run a text recognition over it first.")
    name = front.title or path.stem
    return [
        Incoming(
            id=text_id(name, text),
            title=name,
            kind="paper",
            text=text,
            origin=origin,
            source=str(path),
            front={
                "arxiv": front.arxiv,
                "authors": list(front.authors),
                "year": front.year,
                "source_trust_level": "medium",
            },
            pages=tuple(starts),
        )
    ]


def _bare(text: str) -> str:
    return re.sub(r"[\d\W]+", "", text).casefold()


def _running(pages: Sequence[Sequence[Line]]) -> set[str]:
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


def _blocks(pages: Sequence[Sequence[Line]]) -> list[_Block]:
    """Headings, paragraphs and asides in reading order; an aside never splits a sentence of its page."""
    blocks: list[_Block] = []
    body = _body([line for lines in pages for line in lines])
    before: Line | None = None  # the last line of the running paragraph
    aside: Line | None = None  # the last line of the aside that interrupts it
    for number, lines in enumerate(pages, start=1):
        gaps = [first.bottom - second.top for first, second in pairwise(lines)]
        usual = median([gap for gap in gaps if gap > -0.5 * body] or [2.0])
        for line in lines:
            words = normalise(line.text).strip()
            if _is_heading(words, line.height, body):
                blocks.append(_Block(f"## {words}", [(0, number)]))
                before = aside = None
                continue
            if number == 1 and (opening := _RUN_IN.match(words)):
                blocks += [_Block("## Abstract", [(0, number)]), _Block(words[opening.end() :], [(0, number)])]
                before, aside = line, None
                continue
            open_sentence = not blocks[-1].text.endswith((".", "!", "?", ":")) if before else False
            if before and open_sentence and before.height < 1.07 * body and _is_aside(words, line, before, aside):
                _set_aside(blocks, words, number, joined=aside is not None and not _CAPTION.match(words))
                aside = line
                continue
            if before is None or _is_apart(before, line, usual, words, blocks[-1].text, interrupted=aside is not None):
                blocks.append(_Block())
            blocks[-1].add(_BULLET.sub("- ", words), number)
            before, aside = line, None
    return blocks


def _body(lines: Sequence[Line]) -> float:
    """The height of the running text: that of most characters."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.height, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 1.0


def _is_aside(words: str, line: Line, before: Line, aside: Line | None) -> bool:
    """A caption, print smaller than the paragraph's such as a footnote, or the next line of one."""
    if _CAPTION.match(words) or line.height < 0.93 * before.height:
        return True
    near = aside is not None and 0 <= aside.bottom - line.top < 0.6 * line.height
    return near and aside is not None and abs(line.height - aside.height) < 0.03 * line.height


def _set_aside(blocks: list[_Block], words: str, page: int, *, joined: bool) -> None:
    """Put an aside before the paragraph it interrupts, or after it when that began on an earlier page."""
    early = blocks[-1].pages[0][1] < page
    if joined and len(blocks) > 1 and not early:
        blocks[-2].add(words, page)
    elif early:
        blocks[-1].add(words, page)
    else:
        blocks.insert(len(blocks) - 1, _Block(words, [(0, page)]))


def _is_apart(before: Line, line: Line, usual: float, words: str, text: str, *, interrupted: bool) -> bool:
    """Whether a line begins a new paragraph."""
    if _BULLET.match(words):
        return True
    if interrupted or before.bottom - line.top < -line.height:  # the next column or page goes on
        return text.endswith((".", ":", "?", "!")) and not words[:1].islower()
    if abs(line.height - before.height) > 0.1 * before.height:  # a title, its authors, an abstract
        return True
    gap = before.bottom - line.top
    ended = text.endswith((".", ":", "?", "!"))
    return gap > usual + 0.5 * line.height or (ended and line.left > before.left + 0.7 * line.height)


def _join(blocks: Sequence[_Block]) -> tuple[str, list[PageStart]]:
    """One text, and where each page starts in it."""
    text = ""
    starts: list[PageStart] = []
    for block in blocks:
        text = f"{text}\n\n" if text else ""
        for offset, page in block.pages:
            if not starts or page > starts[-1].page:
                starts.append(PageStart(page, len(text) + offset))
        text += block.text
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
