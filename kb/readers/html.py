"""HTML articles (the transformer-circuits.pub and LessWrong kind) as Markdown, through trafilatura.

The main text with its headings, lists, tables and code; menus, comments and scripts fall away. Title, authors, date and
address come from the page's metadata where it has any. Nothing is loaded from the network. Where trafilatura finds no
main text, the page is refused rather than read with its menus.
"""

import re
from pathlib import Path

import trafilatura

from kb.errors import ReadError
from kb.incoming import Incoming, text_id
from kb.readers.markdown import decode
from kb.text import normalise

_ARXIV = re.compile(r"arxiv\.org/(?:abs|pdf|html)/(\d{4}\.\d{4,5})")


def read(path: Path, *, origin: str) -> list[Incoming]:
    """The article as one document. Raises ReadError when the page has no main text."""
    return [read_html(decode(path.read_bytes(), path.name), name=path.stem, origin=origin, source=str(path))]


def read_html(html: str, *, name: str, origin: str, source: str) -> Incoming:
    """An article from its HTML source; `name` is the title of last resort."""
    plain = re.sub(r"<(/?)d-(?:article|front-matter|title|byline|abstract|appendix)\b", r"<\1section", html)
    text = trafilatura.extract(
        plain,
        output_format="markdown",
        include_formatting=True,
        include_tables=True,
        include_comments=False,
        include_images=False,
        include_links=False,
        favor_recall=True,
        deduplicate=False,
        with_metadata=False,
    )
    if not text or len(text) < 200:
        raise ReadError(f"{name} holds no article that can be told from its menus. Save the article alone, or as text.")
    metadata = trafilatura.extract_metadata(html)
    clean = normalise(text).strip() + "\n"
    heading = re.search(r"^#\s+(.+)$", clean, re.MULTILINE)
    title = normalise((metadata and metadata.title) or (heading[1] if heading else name)).strip()
    address = (metadata and metadata.url) or None
    year = re.match(r"\d{4}", (metadata and metadata.date) or "")
    found = _ARXIV.search(address or "")
    return Incoming(
        id=text_id(title, clean),
        title=title,
        kind="article",
        text=clean,
        origin=origin,
        source=source,
        front={
            "url": address,
            "year": int(year[0]) if year else None,
            "authors": [
                author.strip() for author in ((metadata and metadata.author) or "").split(";") if author.strip()
            ],
            "arxiv": found[1] if found else None,
            "source_trust_level": "medium",
        },
    )
