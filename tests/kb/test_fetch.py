"""Fetching: off by default; refuses what is not public; pins the address; checks redirects; caps size. Real HTTP on loopback."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import kb.fetch
from kb.errors import FetchRefusedError
from kb.fetch import Fetcher, addresses_of, is_public

PAGE = b"<html><body><article>" + b"<p>a page about circuits</p>" * 20 + b"</article></body></html>"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # the name http.server calls
        self.server.hosts.append(self.headers["Host"])
        if self.path == "/redirect":
            return self.answer(302, location="http://inside.example/secret")
        if self.path == "/loop":
            return self.answer(302, location="/loop")
        if self.path == "/zip":
            return self.answer(200, b"PK", kind="application/zip")
        if self.path == "/missing":
            return self.answer(404)
        return self.answer(200, PAGE, kind="text/html; charset=utf-8")

    def answer(self, status, body=b"", kind="text/plain", location=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.hosts = []
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def fetcher(server):
    """Fetches from the loopback server under public-looking names; `inside.example` is a private address."""

    def resolve(host, port):
        return ["10.0.0.7"] if host == "inside.example" else ["127.0.0.1"]

    port = server.server_address[1]
    return Fetcher(allowed=True, resolve=resolve, public=lambda name: name == "127.0.0.1", ports=(port, 80))


def url(server, path):
    return f"http://papers.example:{server.server_address[1]}{path}"


def test_off_until_allowed(tmp_path):
    with pytest.raises(FetchRefusedError, match="off"):
        Fetcher(allowed=False).fetch("https://example.org", tmp_path)


def test_page_is_saved_under_its_kind(server, fetcher, tmp_path):
    path, address = fetcher.fetch(url(server, "/heads"), tmp_path)
    assert (path.name, path.read_bytes(), address) == ("heads.html", PAGE, url(server, "/heads"))
    assert server.hosts == [f"papers.example:{server.server_address[1]}"]


def test_name_is_resolved_once_and_the_checked_address_is_used(server, tmp_path):
    answers = iter([["127.0.0.1"], ["10.0.0.7"]])
    fetcher = Fetcher(
        allowed=True,
        resolve=lambda host, port: next(answers),
        public=lambda name: name == "127.0.0.1",
        ports=(server.server_address[1],),
    )
    assert fetcher.fetch(url(server, "/heads"), tmp_path)[0].is_file()
    assert next(answers) == ["10.0.0.7"]


def test_redirect_to_a_private_address_is_refused(server, fetcher, tmp_path):
    with pytest.raises(FetchRefusedError, match=r"inside\.example is not a public address"):
        fetcher.fetch(url(server, "/redirect"), tmp_path)


def test_endless_redirects_end(server, fetcher, tmp_path):
    with pytest.raises(FetchRefusedError, match="more than 5"):
        fetcher.fetch(url(server, "/loop"), tmp_path)
    assert len(server.hosts) == 6


@pytest.mark.parametrize(("path", "reason"), [("/zip", "application/zip"), ("/missing", "status 404")])
def test_other_answers_are_refused(server, fetcher, tmp_path, path, reason):
    with pytest.raises(FetchRefusedError, match=reason):
        fetcher.fetch(url(server, path), tmp_path)


def test_size_is_capped(server, fetcher, tmp_path, monkeypatch):
    monkeypatch.setattr(kb.fetch, "MAX_BYTES", 100)
    with pytest.raises(FetchRefusedError, match="larger than"):
        fetcher.fetch(url(server, "/heads"), tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://example.org/x",
        "https://user:pw@example.org/",
        "https://example.org:8080/",
        "http:///x",
    ],
)
def test_addresses_that_are_no_plain_web_addresses(address, tmp_path):
    with pytest.raises(FetchRefusedError):
        Fetcher(allowed=True, resolve=lambda host, port: ["1.1.1.1"]).fetch(address, tmp_path)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "::1", "fe80::1", "::ffff:127.0.0.1", "fd00::1",
     "0.0.0.0", "100.64.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1"],
)  # fmt: skip
def test_private_addresses(address):
    assert not is_public(address)


def test_one_private_address_among_public_ones_is_enough(tmp_path):
    fetcher = Fetcher(allowed=True, resolve=lambda host, port: ["1.1.1.1", "127.0.0.1"])
    with pytest.raises(FetchRefusedError, match="not a public"):
        fetcher.fetch("https://example.org/", tmp_path)


def test_arxiv_is_html_first_then_pdf():
    expected = ["https://arxiv.org/html/2211.00593", "https://arxiv.org/pdf/2211.00593"]
    for name in (
        "2211.00593",
        "arXiv:2211.00593",
        "https://arxiv.org/abs/2211.00593",
        "https://arxiv.org/pdf/2211.00593.pdf",
    ):
        assert addresses_of(name) == expected


def test_a_fetched_page_is_a_document_whose_source_is_its_address(server, fetcher, library):
    item = library.add_address(url(server, "/heads"), fetcher).items[0]
    assert (item.state, item.source) == ("added", url(server, "/heads"))
    assert library.document(item.document_id).origin == "web"
    assert library.add_address(url(server, "/heads"), fetcher).items[0].state == "unchanged"
