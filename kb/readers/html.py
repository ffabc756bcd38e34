"""HTML articles (the transformer-circuits.pub, LessWrong and arXiv kind) as Markdown.

A page that marks its article is read as it stands (`kb.readers.html_text`); from any other page trafilatura takes the
main text with its headings, lists, tables and code, and menus, comments and scripts fall away. Title, authors, year and
address are those that the page states in its metadata; nothing is loaded from the network. Where no main text is found,
the page is refused rather than read with its menus.
"""

import re
from copy import deepcopy
from pathlib import Path

import trafilatura
from lxml.etree import ParserError
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from kb.errors import ReadError
from kb.incoming import Incoming, text_id
from kb.readers.html_text import LEAST, article_of, markdown_of
from kb.readers.markdown import decode
from kb.readers.pdf_front import names_in
from kb.text import normalise

_ARXIV = re.compile(r"(?:arxiv\.org/(?:abs|pdf|html)/|^/html/|^arXiv:\s?)(\d{4}\.\d{4,5})", re.MULTILINE)
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s+[|·—–-]\s+")
_DATES = ("citation_publication_date", "citation_date", "article:published_time", "dc.date", "date", "datepublished")
_ADDRESS_YEAR = re.compile(r"/((?:19|20)\d\d)/")


def read(path: Path, *, origin: str) -> list[Incoming]:
    """The article as one document. Raises ReadError when the page has no main text."""
    data = path.read_bytes()
    charset = _CHARSET.search(data[:4096])
    html = decode(data, path.name, charset[1].decode() if charset else None)
    return [read_html(html, name=path.stem, origin=origin, source=str(path))]


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
    named = metadata and metadata.title and _without_site(metadata.title, page)
    clean = normalise(text).strip() + "\n"
    heading = re.search(r"^#\s+(.+)$", clean, re.MULTILINE)
    title = normalise(title or named or (heading[1] if heading else name)).strip()
    address = (metadata and metadata.url) or None
    authors = stated["author"] or [
        author.strip() for author in ((metadata and metadata.author) or "").split(";") if author.strip()
    ]
    found = _ARXIV.search("\n".join([address or "", *stated["address"]]))
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
    front = _front_matter(page)
    stated["author"] += re.findall(r'"author"\s*:\s*"([^"]+)"', front)
    for element in page.xpath("//*[contains(@class, 'ltx_personname')]"):
        stated["author"] += _people(element)
    structured = " ".join(element.text or "" for element in page.xpath("//script[@type='application/ld+json']"))
    stated["date"] += re.findall(r'"datePublished"\s*:\s*"([^"]+)"', structured)
    stated["date"] += [element.get("datetime") for element in page.xpath("//time[@datetime]")][:1]
    stated["address"] += page.xpath("//link[@rel='canonical']/@href | //base/@href")
    stated["address"] += [element.text_content().strip() for element in page.xpath("//*[@id='watermark-tr']")]
    return {key: list(dict.fromkeys(values)) for key, values in stated.items()}


def _people(element: HtmlElement) -> list[str]:
    """The people of an author's entry, without the marks, places and mail addresses that stand in it."""
    pieces = [element.text or ""]
    for inner in element.iterdescendants():
        mark = inner.tag in ("sup", "br") or "ltx_note" in (inner.get("class") or "")
        pieces += [" ; " if mark else inner.text or "", inner.tail or ""]
    parts = [" ".join(part.split()) for part in "".join(pieces).split(";")]
    names = [name for part in parts for name in names_in(part)]
    return names or [part for part in parts[:1] if 0 < len(part) < 60]


def _title(page: HtmlElement) -> str:
    for path in (
        "//meta[@name='citation_title']/@content",
        "//d-title//h1",
        "//*[contains(@class, 'ltx_title_document')]",
    ):
        for found in page.xpath(path):
            words = " ".join((found if isinstance(found, str) else _without_notes(found)).split())
            if words:
                return words
    named = re.match(r'\s*\{\s*"title"\s*:\s*"([^"]+)"', _front_matter(page))
    return named[1] if named else ""


def _front_matter(page: HtmlElement) -> str:
    """The JSON in which a Distill article states its title and authors."""
    return " ".join(element.text_content() for element in page.iter("d-front-matter"))


def _without_notes(title: HtmlElement) -> str:
    whole = deepcopy(title)
    whole.tail = None
    for note in whole.xpath(".//*[contains(@class, 'ltx_note') or contains(@class, 'ltx_pubnotes')]"):
        if note.getparent() is not None:
            note.drop_tree()
    return whole.text_content()


def _without_site(title: str, page: HtmlElement) -> str:
    """The title without the name of its site ("On heads — LessWrong"), when the page's own heading leaves it out."""
    for heading in page.iter("h1"):
        words = " ".join(heading.text_content().split())
        rest = title.removeprefix(words)
        if words and rest != title and _SEPARATOR.match(rest):
            return words
    return title


def _year(dates: list[str], address: str | None, arxiv: str | None) -> int | None:
    """The year of publication as the page states it, else as its address does."""
    years = [found[0] for date in dates if (found := re.search(r"(?:19|20)\d\d", date))]
    if years:
        return int(years[0])
    if arxiv:
        return 2000 + int(arxiv[:2])
    found = _ADDRESS_YEAR.search(address or "")
    return int(found[1]) if found else None
