"""A paper by its arXiv id: the HTML version first, the PDF where HTML is missing or cannot be read, and the report says so."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

import kb.fetch
from kb.errors import FetchRefusedError, ReadError
from kb.fetch import Fetcher
from tests.kb.conftest import pdf_bytes

ARTICLE = b"<html><head><title>Heads that copy</title></head><body><article>" + (
    b"<p>A page about the heads that copy names.</p>" * 20 + b"</article></body></html>"
)
PAPER = pdf_bytes([[(72, 700 - 14 * n, 10, f"Sentence {n} of the paper on heads that copy.") for n in range(30)]])


class Sent:
    """A fetcher without a network: what stands at the HTML address and at the PDF's; None is refused."""

    def __init__(self, html, pdf):
        self.html, self.pdf = html, pdf

    def fetch(self, name, folder, *, html=True):
        ending, content = (".html", self.html) if html else (".pdf", self.pdf)
        if content is None:
            raise FetchRefusedError("status 404. Check the address.")
        path = folder / f"2211.00593{ending}"
        path.write_bytes(content)
        return path, f"https://arxiv.org/{ending[1:]}/2211.00593"


def test_html_that_can_be_read_is_kept(library):
    report = library.add_address("2211.00593", Sent(ARTICLE, PAPER))
    assert report.items[0].source == "https://arxiv.org/html/2211.00593"
    assert report.items[0].problems == ()


def test_html_that_cannot_be_read_gives_way_to_the_pdf_and_the_report_says_so(library):
    (item,) = library.add_address("arXiv:2211.00593v2", Sent(b"<html></html>", PAPER)).items
    assert (item.state, item.source) == ("added", "https://arxiv.org/pdf/2211.00593")
    assert "HTML version could not be read" in item.problems[0]
    assert library.document(item.document_id).arxiv == "2211.00593"


@pytest.mark.parametrize(("pdf", "error"), [(None, FetchRefusedError), (b"%PDF-1.4 broken", ReadError)])
def test_neither_version_readable_tells_of_both(library, pdf, error):
    with pytest.raises(error, match=r"HTML version could not be read .* The PDF: "):
        library.add_address("2211.00593", Sent(b"<html></html>", pdf))
    assert library.documents() == []


def test_a_page_that_is_no_paper_has_no_other_version(library):
    with pytest.raises(ReadError):
        library.add_address("https://example.org/page", Sent(b"<html></html>", PAPER))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # the name http.server calls
        self.server.asked.append(self.path)
        status, kind, body = self.server.answers.get(self.path, (404, "text/plain", b""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def arxiv(monkeypatch):
    """A server on loopback in arXiv's place, and a fetcher that reaches it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.answers = [], {"/pdf/2211.00593": (200, "application/pdf", PAPER)}
        base = f"http://papers.example:{server.server_address[1]}"
        real = kb.fetch.addresses_of
        monkeypatch.setattr(
            kb.fetch, "addresses_of", lambda name: [found.replace("https://arxiv.org", base) for found in real(name)]
        )
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        server.fetcher = Fetcher(
            allowed=True,
            resolve=lambda host, port: ["127.0.0.1"],
            public=lambda name: True,
            ports=(server.server_address[1],),
        )
        yield server
        server.shutdown()


def test_fetcher_takes_the_pdf_where_there_is_no_html(arxiv, tmp_path):
    path, address = arxiv.fetcher.fetch("2211.00593", tmp_path)
    assert (path.suffix, path.read_bytes()) == (".pdf", PAPER)
    assert arxiv.asked == ["/html/2211.00593", "/pdf/2211.00593"]
    assert address.endswith("/pdf/2211.00593")


def test_fetcher_leaves_the_pdf_where_there_is_html(arxiv, tmp_path):
    arxiv.answers["/html/2211.00593"] = (200, "text/html", ARTICLE)
    assert arxiv.fetcher.fetch("2211.00593", tmp_path)[0].suffix == ".html"
    assert arxiv.asked == ["/html/2211.00593"]


def test_fetcher_without_html_asks_for_the_pdf_alone(arxiv, tmp_path):
    arxiv.fetcher.fetch("2211.00593", tmp_path, html=False)
    assert arxiv.asked == ["/pdf/2211.00593"]


def test_fetcher_tells_of_the_last_address_when_none_answers(arxiv, tmp_path):
    with pytest.raises(FetchRefusedError, match=r"/pdf/2211\.99999 answered with status 404"):
        arxiv.fetcher.fetch("2211.99999", tmp_path)


def test_unreadable_html_over_http_gives_way_to_the_pdf(arxiv, library):
    arxiv.answers["/html/2211.00593"] = (200, "text/html", b"<html></html>")
    (item,) = library.add_address("2211.00593", arxiv.fetcher).items
    assert item.source.endswith("/pdf/2211.00593")
    assert arxiv.asked == ["/html/2211.00593", "/pdf/2211.00593"]
