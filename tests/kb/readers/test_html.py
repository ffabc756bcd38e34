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


DISTILL = f"""<html><head></head><body><d-front-matter><script type="text/json">{{"title": "Zoom", "authors":
[{{"author": "Ada Example", "affiliation": "X"}}, {{"author": "Li Wei"}}]}}</script></d-front-matter>
<d-title><h1>Zoom Out</h1></d-title><d-contents><h3>Contents</h3></d-contents><d-article>
<h2>Claims</h2><p>Features are directions<d-cite key="a2015"></d-cite>.<d-footnote>A direction is a linear combination.
</d-footnote> They add up.</p>{PARAGRAPHS}<p>See <a href="https://x.org/2015/06/a">an old post</a>.</p>
<figure><img src="x.png"><figcaption>Figure 1: heads.</figcaption></figure><pre><code>a = 1
b = 2</code></pre></d-article></body></html>"""


def test_distill_page_keeps_headings_footnotes_captions_and_code():
    text = article(DISTILL).text
    assert (
        "## Claims\n\nFeatures are directions. They add up.\n\n(Footnote: A direction is a linear combination.)" in text
    )
    assert "Figure 1: heads." in text
    assert "```\na = 1\nb = 2\n```" in text
    assert "Contents" not in text


def test_distill_page_names_its_authors_and_no_year_is_guessed():
    found = article(DISTILL)
    assert (found.title, found.front["authors"], found.front["year"]) == ("Zoom Out", ["Ada Example", "Li Wei"], None)


def test_arxiv_page_keeps_formulas_and_notes():
    html = f"""<html><head><base href="https://arxiv.org/html/2211.00593v1/"></head><body><nav>skip</nav>
    <article class="ltx_document"><h1 class="ltx_title ltx_title_document">On Heads</h1>
    <span class="ltx_personname">Ada Example</span><h2 class="ltx_title">1 Results</h2>
    <p>The loss is <math alttext="L=x^2"><mi>L</mi></math> here.<span class="ltx_note"><sup class="ltx_note_mark">1</sup>
    <span class="ltx_note_outer">Only in GPT-2.</span></span></p>{PARAGRAPHS}
    <ol><li><p>first</p></li><li><p>second</p></li></ol></article></body></html>"""
    found = article(html)
    assert "The loss is $L=x^2$ here.\n\n(Footnote: Only in GPT-2.)" in found.text
    assert "1. first\n2. second" in found.text
    assert (found.front["arxiv"], found.front["year"], found.front["authors"]) == ("2211.00593", 2022, ["Ada Example"])


def test_a_list_of_teasers_is_no_article_of_its_own():
    teaser = "<article><h2>Teaser</h2><p>" + "words of a teaser " * 30 + "</p></article>"
    html = f"<html><body><div id='postContent'><h2>Post</h2>{PARAGRAPHS}</div>{teaser * 3}</body></html>"
    assert "teaser" not in article(html).text


LATEXML = f"""<html><head><base href="/html/2401.12345v2/"></head><body><nav>Home</nav><article class="ltx_document">
<h1 class="ltx_title ltx_title_document">Heads that <span>copy</span><span class="ltx_note"><sup class="ltx_note_mark">1</sup>
<span class="ltx_note_content">Supported by a grant.</span></span></h1><div class="ltx_authors"><span class="ltx_personname">Ada
Beek<sup>1</sup>\u2003Jun Kim<sup>2</sup><br><sup>1</sup>Institute of Examples<br>ada@example.org</span>
<span class="ltx_personname">Li Wei</span></div><section><h2>1 Claims<span class="ltx_note"><span class="ltx_note_content">Seen
twice.</span></span></h2>{PARAGRAPHS}<ul><li><span class="ltx_tag ltx_tag_item">\u2022</span><div><p>First point.</p></div></li></ul>
<table class="ltx_equation"><tr><td></td><td><math alttext="y=Wx"></math></td><td><span>(1)</span></td></tr></table></section>
<ul><li><span class="ltx_tag ltx_tag_bibitem">Li (2020)</span><span class="ltx_bibblock">W. Li.</span><span
class="ltx_bibblock">On heads.</span></li></ul></article></body></html>"""


def test_arxiv_page_says_title_people_and_id_without_notes():
    found = article(LATEXML)
    assert found.title == "Heads that copy"
    assert found.front["authors"] == ["Ada Beek", "Jun Kim", "Li Wei"]
    assert (found.front["arxiv"], found.front["year"]) == ("2401.12345", 2024)


def test_arxiv_page_keeps_lists_equations_and_references_apart():
    text = article(LATEXML).text
    assert "## 1 Claims\n\n(Footnote: Seen twice.)" in text
    assert "- First point." in text
    assert "$y=Wx$ (1)" in text
    assert "Li (2020) W. Li. On heads." in text


LESSWRONG = f"""<html><head><title>On heads \u2014 LessWrong</title></head><body><main><h1>On heads</h1><div id="postBody">
<div class="PostsPage-postContent"><div id="postContent"><p>A claim.<span class="footnote-reference" role="doc-noteref"><sup>
<a href="#fn1">[1]</a></sup></span> It holds for <span class="mjx-math" aria-label="x^2"><span>x</span></span>.</p>{PARAGRAPHS}
<ol><li class="footnote-item"><span class="footnote-back-link"><a>^</a></span><div><p>Said before.</p></div></li></ol></div></div>
</div><div class="CommentsSection">{PARAGRAPHS}I disagree entirely.</div></main></body></html>"""


def test_lesswrong_post_is_read_without_comments_and_marks():
    found = article(LESSWRONG)
    assert found.title == "On heads"
    assert "A claim. It holds for $x^2$." in found.text
    assert "1. Said before." in found.text
    assert "disagree" not in found.text


def test_heading_inside_a_link_stays_a_heading():
    html = f'<body><article><a href="#f"><h2>Findings</h2></a>{PARAGRAPHS}</article></body>'
    assert "## Findings\n\n" in article(html).text


def test_contents_of_a_blog_are_no_text():
    html = f'<body><article><div class="toc"><ul><li>Findings first</li></ul></div>{PARAGRAPHS}</article></body>'
    assert "Findings first" not in article(html).text


def test_distill_page_without_a_title_element_uses_its_front_matter():
    html = f"""<html><body><d-front-matter><script type="text/json">{{"title":"Curves","authors":[]}}</script></d-front-matter>
<d-title><div></div></d-title><d-article><h2>Other</h2>{PARAGRAPHS}</d-article></body></html>"""
    assert article(html).title == "Curves"


@pytest.mark.parametrize(
    ("charset", "word"),
    [("windows-1252", "naïve “heads”"), ("euc-kr", "귀납 헤드"), ("koi8-r", "головы"), ("x-none", "plain")],
)
def test_page_is_read_in_the_encoding_it_states(tmp_path, charset, word):
    html = (
        f'<html><head><meta charset="{charset}"></head><body><article><p>{word}</p>{PARAGRAPHS}</article></body></html>'
    )
    (tmp_path / "p.html").write_bytes(html.encode("ascii" if charset == "x-none" else charset))
    assert word in read(tmp_path / "p.html", origin="file")[0].text
