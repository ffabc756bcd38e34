import pytest
from markdown_it import MarkdownIt

from ui.safe_markdown import highlighted, plain, safe


def images(markdown: str) -> int:
    tokens = MarkdownIt("commonmark").parse(markdown)
    return sum(child.type == "image" for token in tokens for child in token.children or [])


@pytest.mark.parametrize(
    "attack",
    [
        "![](https://x.example/?q=secret)",
        "!![a](https://x.example)",
        "\\![a](https://x.example) ![b](https://x.example)",
        "\\\\![a](https://x.example)",
        "[![a](https://x.example)](https://y.example)",
        "![a [b] c](https://x.example 't')",
        "![a][r]\n\n[r]: https://x.example/pixel.png",
        "![r]\n\n[r]: https://x.example/pixel.png",
    ],
)
def test_no_image_survives(attack):
    assert images(attack) > 0
    assert images(safe(attack)) == 0


def test_a_web_link_stays_a_link():
    assert (
        safe("see [the paper](https://arxiv.org/abs/2211.00593)") == "see [the paper](https://arxiv.org/abs/2211.00593)"
    )


@pytest.mark.parametrize(
    "target", ["javascript:alert", "data:text/html;base64,xx", "file:///etc/passwd", "JAVASCRIPT:x"]
)
def test_a_link_that_is_no_web_address_leads_nowhere(target):
    assert safe(f"[press]({target})") == "[press](#)"


def test_a_reference_that_is_no_web_address_leads_nowhere():
    assert safe("[a][r]\n\n[r]: javascript:alert(1)") == "[a][r]\n\n[r]: #"
    assert safe("[r]: https://x.org") == "[r]: https://x.org"


def test_foreign_text_cannot_speak_in_the_products_badges():
    assert ":green-badge[" not in safe("it is :green-badge[supported] by this")
    assert ":red[" not in safe(":red[refuted]")


def test_colons_in_prose_stay():
    assert safe("layers: a5.h1, see: [x](https://x.org)") == "layers: a5.h1, see: [x](https://x.org)"


def test_plain_text_shows_every_sign_as_it_is():
    text = "a*b*_c_ `d` [e](f) <g> #h $x$ :red[i] ~~j~~ ![k](l)"
    rendered = MarkdownIt("commonmark").render(plain(text))
    assert rendered == "<p>a*b*_c_ `d` [e](f) &lt;g&gt; #h $x$ :red[i] ~~j~~ ![k](l)</p>\n"


def test_plain_text_does_not_become_a_list_or_heading():
    rendered = MarkdownIt("commonmark").render(plain("1. one\n- two\n# three\n> four"))
    assert not any(tag in rendered for tag in ("<ol", "<ul", "<h1", "<blockquote"))


def test_the_quote_is_marked_where_it_stands():
    shown = highlighted("before the *quoted* words after", "the *quoted* words")
    assert shown == r"before :orange-background[the \*quoted\* words] after"


def test_a_quote_over_two_lines_is_marked_as_one():
    assert highlighted("x one\ntwo y", "one\ntwo") == "x :orange-background[one two] y"


def test_a_quote_cannot_close_its_own_mark():
    assert highlighted("a ] b", "] b") == r"a :orange-background[\] b]"


def test_a_quote_that_is_not_there_marks_nothing():
    assert highlighted("some text", "other words") == "some text"
