"""PDF papers: text in reading order, with page numbers, through PDFium.

`kb.readers.pdf_lines` gives the lines of each page, `kb.readers.pdf_front` title, authors and year,
`kb.readers.pdf_margins` takes headers, footers and page numbers away, `kb.readers.pdf_words` joins words at line ends,
`kb.readers.pdf_headings` knows section titles, which become Markdown headings, `kb.readers.pdf_paragraphs` makes paragraphs and
tables. A scanned PDF has no text and is refused; formulas come as the words PDFium sees, in its order.
"""

from collections.abc import Sequence
from pathlib import Path

import pypdfium2

from kb.errors import ReadError
from kb.incoming import Incoming, text_id
from kb.passages import PageStart
from kb.readers.pdf_front import first_page
from kb.readers.pdf_lines import pages_text
from kb.readers.pdf_margins import without_margins
from kb.readers.pdf_paragraphs import Block, blocks_of

MAX_PAGES = 600


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
    pages = pages_text(pdf)
    pdf.close()
    front = first_page(pages[0].lines, pages[0].across, metadata) if pages else None
    text, starts = _join(blocks_of(without_margins([page.lines for page in pages])))
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


def _join(blocks: Sequence[Block]) -> tuple[str, list[PageStart]]:
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
