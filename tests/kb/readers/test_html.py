"""HTML articles: the text without the menus, with headings and metadata."""

import pytest

from kb.errors import ReadError
from kb.readers.html import read, read_html

PARAGRAPHS = "".join(
    f"<p>Induction heads copy what followed an earlier occurrence of the token, in model {name}.</p>"
    for name in "ABCDE"
)
PAGE = f"""<html><head><title>On Heads | Site</title><meta name="author" content="Ada Example">
<meta property="article:published_time" content="2021-12-22"><link rel="canonical" href="https://example.org/heads">
</head><body><nav><a href="/">Home</a><a href="/about">Subscribe now</a></nav>
<article><h1>On Heads</h1><h2>Findings</h2>{PARAGRAPHS}<ul><li>first point about circuits</li></ul>
<table><tr><th>head</th><th>effect</th></tr><tr><td>5.1</td><td>0.36</td></tr></table></article>
<footer>Cookie policy</footer><script>alert(1)</script></body></html>"""


def article(html):
    return read_html(html, name="page", origin="file", source="page.html")


def test_text_has_headings_and_no_menus():
    text = article(PAGE).text
    assert "## Findings" in text
    assert "first point about circuits" in text
    assert "Subscribe" not in text
    assert "alert" not in text


def test_table_keeps_its_cells():
    assert "5.1" in article(PAGE).text
    assert "0.36" in article(PAGE).text


def test_metadata_is_read():
    front = article(PAGE).front
    assert (front["url"], front["year"], front["authors"]) == ("https://example.org/heads", 2021, ["Ada Example"])


def test_distill_tags_are_an_article():
    html = f"<html><body><d-title><h1>Circuits</h1></d-title><d-article><h2>Claims</h2>{PARAGRAPHS}</d-article></body></html>"
    assert "## Claims" in article(html).text


def test_page_without_an_article_is_refused(tmp_path):
    (tmp_path / "p.html").write_text("<html><body><nav>Home</nav></body></html>")
    with pytest.raises(ReadError, match="no article"):
        read(tmp_path / "p.html", origin="file")
