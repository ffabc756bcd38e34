"""A marked article of an HTML page as Markdown: headings, paragraphs, lists, tables, code, quotations, formulas, footnotes.

For pages that say where their article is (Distill's `d-article`, arXiv's LaTeXML, LessWrong's post body, one `article` or
`main`), walked with lxml. Footnotes stand after the paragraph that refers to them; citation marks, pictures, menus and
contents fall away; a formula is its TeX source between dollar signs. Emphasis is dropped, the words stay as they are. This module
does not guess where an article is.
"""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

_ROOTS = (
    "//d-article",
    "//*[contains(concat(' ', normalize-space(@class), ' '), ' ltx_document ')]",
    "//*[@id='postContent' or @id='postBody' or contains(@class, 'PostsPage-postContent')]",
    "//article",
    "//main | //*[@role='main']",
)
_GONE = (
    "self::script[not(starts-with(@type, 'math/tex'))] or self::style or self::nav or self::footer or self::form or "
    "self::button or self::svg or self::noscript or self::template or self::iframe or self::d-contents or self::d-cite or "
    "self::d-byline or self::d-bibliography or self::d-front-matter or self::d-title or @hidden or "
    "contains(@class, 'ltx_tag_note') or contains(@class, 'ltx_note_mark') or contains(@class, 'ltx_TOC') or "
    "contains(@class, 'ltx_tag_item') or contains(@class, 'ltx_tag_enumerate') or contains(@class, 'ltx_authors') or "
    "@id='comments' or contains(@class, 'comments-node') or contains(@class, 'CommentsSection') or "
    "contains(@class, 'table-of-contents') or @id='toc' or contains(concat(' ', normalize-space(@class), ' '), ' toc ') or "
    "@role='doc-noteref' or @role='doc-backlink' or contains(@class, 'footnote-ref') or contains(@class, 'footnote-back') or "
    "contains(@class, 'reversefootnote') or self::sup[starts-with(@id, 'fnref')] or contains(@class, 'MathJax_Preview')"
)
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_BLOCKS = frozenset(["p", "div", "section", "article", "main", "header", "figure", "figcaption", "blockquote", "ul", "ol", "li", "table", "pre", "dl", "dt", "dd", "hr", "aside", "details", "summary", "center", "d-figure", "d-appendix", "d-article", "d-code"])  # fmt: skip
_FOOTNOTES = ("d-footnote",)
_APART = ("ltx_bibblock", "ltx_tag_bibitem")  # inline, but words of their own
LEAST = 200  # characters of an article


def article_of(page: HtmlElement) -> HtmlElement | None:
    """The element that holds the article, when the page marks exactly one; of marks inside each other the innermost."""
    for path in _ROOTS:
        found = [element for element in page.xpath(path) if len(element.text_content().split()) > 40]
        around = {ancestor for element in found for ancestor in element.iterancestors()}
        inner = [element for element in found if element not in around]
        if len(inner) == 1:
            return inner[0]
    return None


def markdown_of(article: HtmlElement) -> str:
    """The article as Markdown, blocks apart by a blank line."""
    for element in article.xpath(f".//*[{_GONE}]"):
        element.drop_tree()
    return "\n\n".join(_blocks(article)) + "\n"


def _blocks(element: HtmlElement) -> Iterator[str]:
    """The blocks inside an element; text and inline elements between blocks are paragraphs."""
    line = element.text or ""
    notes: list[str] = []
    for child in element:
        if not isinstance(child.tag, str):
            line += child.tail or ""
        elif child.tag in _HEADINGS or child.tag in _BLOCKS or _holds_blocks(child):
            yield from _paragraph(line, notes)
            line, notes = child.tail or "", []
            yield from _block(child)
        else:
            line += _inline(child, notes) + (child.tail or "")
    yield from _paragraph(line, notes)


def _holds_blocks(element: HtmlElement) -> bool:
    """Whether an inline element, such as a link around a heading, has blocks inside."""
    if element.tag in _FOOTNOTES or element.tag == "math" or "ltx_note" in element.get("class", "").split():
        return False
    return any(inner.tag in _HEADINGS or inner.tag in _BLOCKS for inner in element.iterdescendants())


def _paragraph(line: str, notes: list[str]) -> Iterator[str]:
    words = " ".join(line.split())
    if words:
        yield re.sub(r" +([.,;:!?)])", r"\1", words)
    yield from (f"(Footnote: {note})" for note in notes)


def _block(element: HtmlElement) -> Iterator[str]:
    match element.tag:
        case tag if tag in _HEADINGS:
            notes: list[str] = []
            words = " ".join(_inline(element, notes).split())
            if words:
                yield f"{_HEADINGS[tag]} {words}"
            yield from _paragraph("", notes)
        case "pre" | "d-code":
            yield f"```\n{element.text_content().strip(chr(10))}\n```"
        case "table":
            yield from _table(element)
        case "ul" | "ol":
            yield "\n".join(_items(element, ""))
        case "blockquote":
            yield "\n>\n".join("> " + block.replace("\n", "\n> ") for block in _blocks(element))
        case "hr":
            return
        case _:
            yield from _blocks(element)


def _items(element: HtmlElement, indent: str) -> Iterator[str]:
    for number, item in enumerate(element.iterchildren("li"), start=1):
        mark = f"{number}. " if element.tag == "ol" else "- "
        inner = list(_blocks(item))
        for place, block in enumerate(inner):
            lead = indent + (mark if place == 0 else " " * len(mark))
            words = block.lstrip("# ") if block.startswith("#") else block
            yield lead + words.replace("\n", "\n" + indent + " " * len(mark))


def _table(element: HtmlElement) -> Iterator[str]:
    if element.xpath(".//table") or "ltx_equation" in element.get("class", ""):  # a table that is there for its layout
        for row in element.iter("tr"):
            cells = [cell for cell in row.iterchildren("td", "th") if not cell.xpath(".//table")]
            words = [" ".join(_blocks(cell)) for cell in cells]
            yield from _paragraph(" ".join(words), [])
        return
    rows = [[" ".join(" ".join(_blocks(cell)).split()) for cell in row.iter("td", "th")] for row in element.iter("tr")]
    rows = [row for row in rows if any(row)]
    if rows:
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        yield "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _inline(element: HtmlElement, notes: list[str]) -> str:
    """The words of an inline element; its footnotes go to `notes`."""
    if element.tag in _FOOTNOTES or "ltx_note" in element.get("class", "").split():
        notes.append(" ".join(element.text_content().split()))
        return ""
    if element.tag == "math":
        return f"${element.get('alttext') or ' '.join(element.text_content().split())}$"
    if element.tag == "d-math" or element.tag == "script":
        return f"${' '.join(element.text_content().split())}$"
    if element.tag == "br":
        return " "
    if "mjx-math" in element.get("class", "").split() and element.get("aria-label"):
        return f"${element.get('aria-label')}$"
    words = element.text or ""
    for child in element:
        inner = _inline(child, notes) if isinstance(child.tag, str) else ""
        words += (f" {inner} " if child.tag in _BLOCKS else inner) + (child.tail or "")
    if any(name in element.get("class", "").split() for name in _APART):
        return f"{words} "
    return f"`{words.strip()}`" if element.tag == "code" and words.strip() else words
