"""HTML articles (the transformer-circuits.pub, LessWrong and arXiv kind) as Markdown.

A page that marks its article is read as it stands (`kb.readers.html_text`); from any other page trafilatura takes the
main text with its headings, lists, tables and code, and menus, comments and scripts fall away. Title, authors, year and
address are those that the page states in its metadata; nothing is loaded from the network. Where no main text is found,
the page is refused rather than read with its menus.
"""

import re
from pathlib import Path

import trafilatura
from lxml.etree import ParserError
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from kb.errors import ReadError
from kb.incoming import Incoming, text_id
from kb.readers.html_text import LEAST, article_of, markdown_of
from kb.readers.markdown import decode
from kb.text import normalise

_ARXIV = re.compile(r"arxiv\.org/(?:abs|pdf|html)/(\d{4}\.\d{4,5})")
_DATES = ("citation_publication_date", "citation_date", "article:published_time", "dc.date", "date", "datepublished")
_ADDRESS_YEAR = re.compile(r"/((?:19|20)\d\d)/")


def read(path: Path, *, origin: str) -> list[Incoming]:
    """The article as one document. Raises ReadError when the page has no main text."""
    return [read_html(decode(path.read_bytes(), path.name), name=path.stem, origin=origin, source=str(path))]


def read_html(html: str, *, name: str, origin: str, source: str) -> Incoming:
    """An article from its HTML source; `name` is the title of last resort."""
    try:
        page = document_fromstring(html.encode(), parser=HTMLParser(encoding="utf-8"))
    except ParserError as error:
        raise ReadError(f"{name} is an empty page. Save the article with its text.") from error
    stated = _stated(page)
    title = _title(page)
    article = article_of(page)
    text = markdown_of(article) if article is not None else ""
    if len(text) < LEAST:
        text = _main_text(html)
    if len(text) < LEAST:
        raise ReadError(f"{name} holds no article that can be told from its menus. Save the article alone, or as text.")
    metadata = trafilatura.extract_metadata(html)
    clean = normalise(text).strip() + "\n"
    heading = re.search(r"^#\s+(.+)$", clean, re.MULTILINE)
    title = normalise(title or (metadata and metadata.title) or (heading[1] if heading else name)).strip()
    address = (metadata and metadata.url) or None
    authors = stated["author"] or [
        author.strip() for author in ((metadata and metadata.author) or "").split(";") if author.strip()
    ]
    found = _ARXIV.search(address or "") or _ARXIV.search(" ".join(stated["address"]))
    return Incoming(
        id=text_id(title, clean),
        title=title,
        kind="article",
        text=clean,
        origin=origin,
        source=source,
        front={
            "url": address,
            "year": _year(stated["date"], address, found[1] if found else None),
            "authors": authors,
            "arxiv": found[1] if found else None,
            "source_trust_level": "medium",
        },
    )


def _main_text(html: str) -> str:
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
    return text or ""


def _stated(page: HtmlElement) -> dict[str, list[str]]:
    """What the page says about itself: authors, dates and addresses, in the words of its metadata."""
    stated: dict[str, list[str]] = {"author": [], "date": [], "address": []}
    for meta in page.iter("meta"):
        key = (meta.get("name") or meta.get("property") or meta.get("itemprop") or "").casefold()
        content = " ".join((meta.get("content") or "").split())
        if key == "citation_author" and content:
            last, comma, first = content.partition(",")
            stated["author"].append(f"{first.strip()} {last.strip()}" if comma else content)
        elif key in _DATES and content:
            stated["date"].append(content)
    front = " ".join(element.text_content() for element in page.iter("d-front-matter"))
    stated["author"] += re.findall(r'"author"\s*:\s*"([^"]+)"', front)
    names = [
        " ".join(element.text_content().split()) for element in page.xpath("//*[contains(@class, 'ltx_personname')]")
    ]
    stated["author"] += [name for name in names if 0 < len(name) < 60]
    structured = " ".join(element.text or "" for element in page.xpath("//script[@type='application/ld+json']"))
    stated["date"] += re.findall(r'"datePublished"\s*:\s*"([^"]+)"', structured)
    stated["date"] += [element.get("datetime") for element in page.xpath("//time[@datetime]")][:1]
    stated["address"] += page.xpath("//link[@rel='canonical']/@href | //base/@href")
    return {key: list(dict.fromkeys(values)) for key, values in stated.items()}


def _title(page: HtmlElement) -> str:
    for path in (
        "//meta[@name='citation_title']/@content",
        "//d-title//h1",
        "//*[contains(@class, 'ltx_title_document')]",
    ):
        for found in page.xpath(path):
            words = " ".join((found if isinstance(found, str) else found.text_content()).split())
            if words:
                return words
    return ""


def _year(dates: list[str], address: str | None, arxiv: str | None) -> int | None:
    """The year of publication as the page states it, else as its address does."""
    years = [found[0] for date in dates if (found := re.search(r"(?:19|20)\d\d", date))]
    if years:
        return int(years[0])
    if arxiv:
        return 2000 + int(arxiv[:2])
    found = _ADDRESS_YEAR.search(address or "")
    return int(found[1]) if found else None
