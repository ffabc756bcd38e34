from html.parser import HTMLParser

from tests.agent.reports import report
from ui.report_page import report_html


class Reader(HTMLParser):
    """Collects tags and what they would load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data")]


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_the_page_needs_no_script_and_loads_nothing():
    page = read(report_html(report()))
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert page.loads == []


def test_the_graph_is_inline_for_light_and_dark():
    assert read(report_html(report())).tags.count("svg") == 2


def test_foreign_text_is_escaped():
    page = report_html(report(question='<img src="https://x/?q=secret">'))
    assert "<img" not in page


def test_refuted_claims_are_on_the_page():
    assert "c2 is necessary for IOI" in report_html(report())
