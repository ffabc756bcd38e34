"""Fetching: off by default; refuses what is not public; pins the address; checks redirects; caps size. Real HTTP on loopback."""

import gzip
import threading
import time
from dataclasses import replace
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
        if self.path.startswith("/to?"):
            return self.answer(302, location=self.path.removeprefix("/to?"))
        if self.path == "/packed":
            return self.answer(200, gzip.compress(b"<p>x</p>" * 100_000), kind="text/html", coding="gzip")
        if self.path == "/drip":
            return self.drip()
        if self.path.startswith("/raw/"):
            return self.answer(200, b"---\nid: far\n---\ntext", kind="text/plain")
        if self.path == "/zip":
            return self.answer(200, b"PK", kind="application/zip")
        if self.path == "/missing":
            return self.answer(404)
        return self.answer(200, PAGE, kind="text/html; charset=utf-8")

    def drip(self):
        """One byte of a header at a time, for as long as anybody listens."""
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while True:
                self.wfile.write(b"x")
                time.sleep(0.02)
        except OSError:
            return

    def answer(self, status, body=b"", kind="text/plain", location=None, coding=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        if coding:
            self.send_header("Content-Encoding", coding)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.hosts = []
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
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
     "0.0.0.0", "100.64.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "255.255.255.255", "198.18.0.1",
     "192.0.0.8", "192.88.99.1", "fec0::1", "::7f00:1", "::ffff:0:7f00:1", "64:ff9b:1::7f00:1", "2001:0:7f00:1::",
     "2606:4700::5efe:7f00:1", "2606:4700::200:5efe:7f00:1", "3fff::1", "5f00::1", "ff02::1", "fe80::1%lo"],
)  # fmt: skip
def test_private_addresses(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"])
def test_public_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "[::ffff:7f00:1]", "127\u30020\u30020\u30021"]
)
def test_other_spellings_of_this_machine_are_refused(host, tmp_path):
    with pytest.raises(FetchRefusedError, match=r"not a (public|web) address"):
        Fetcher(allowed=True).fetch(f"http://{host}/", tmp_path)


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "gopher://papers.example/", "//inside.example/x", "http://papers.example:22/",
     "http://a:b@papers.example/", "http://[::1", "http://papers.example:99999/", "http://[::ffff:10.0.0.7]/"],
)  # fmt: skip
def test_redirect_tricks_are_refused(server, fetcher, tmp_path, location):
    guarded = replace(fetcher, resolve=lambda host, port: ["127.0.0.1" if host == "papers.example" else "10.0.0.7"])
    with pytest.raises(FetchRefusedError):
        guarded.fetch(url(server, f"/to?{location}"), tmp_path)
    assert len(server.hosts) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address", ["http://x:99999/", "http://x:a/", "http://[::1", "http://a..b/", "http://x.org/\x00"]
)
def test_broken_addresses_are_refused_in_a_sentence(address, tmp_path):
    with pytest.raises(FetchRefusedError):
        Fetcher(allowed=True).fetch(address, tmp_path)


def test_packed_answer_is_refused(server, fetcher, tmp_path):
    with pytest.raises(FetchRefusedError, match="packed"):
        fetcher.fetch(url(server, "/packed"), tmp_path)


def test_server_that_drips_is_left_at_the_deadline(server, fetcher, tmp_path, monkeypatch):
    monkeypatch.setattr(kb.fetch, "SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(FetchRefusedError, match="took longer"):
        fetcher.fetch(url(server, "/drip"), tmp_path)
    assert time.monotonic() - began < 3


def test_plain_text_keeps_the_ending_of_its_address(server, fetcher, tmp_path):
    assert fetcher.fetch(url(server, "/raw/note.md"), tmp_path)[0].name == "raw-note.md"
    assert fetcher.fetch(url(server, "/raw/page.exe"), tmp_path)[0].name == "raw-page.exe.txt"


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
    assert addresses_of("arXiv:cs/0112017") == ["https://arxiv.org/pdf/cs/0112017"]


def test_a_fetched_page_is_a_document_whose_source_is_its_address(server, fetcher, library):
    item = library.add_address(url(server, "/heads"), fetcher).items[0]
    assert (item.state, item.source) == ("added", url(server, "/heads"))
    assert library.document(item.document_id).origin == "web"
    assert library.add_address(url(server, "/heads"), fetcher).items[0].state == "unchanged"


def test_a_page_fetched_again_takes_the_place_of_what_it_was(server, fetcher, library, monkeypatch):
    library.add_address(url(server, "/heads"), fetcher)
    monkeypatch.setattr(f"{__name__}.PAGE", PAGE.replace(b"circuits", b"other circuits"))
    library.add_address(url(server, "/heads"), fetcher)
    assert ["other circuits" in library.document(line.id).text for line in library.documents()] == [True]


def test_a_fetched_paper_knows_its_arxiv_id(library, tmp_path):
    (tmp_path / "p.html").write_bytes(PAGE)
    item = library.ingest.page(tmp_path / "p.html", "https://arxiv.org/html/2211.00593v1")[0]
    assert library.document(item.document_id).arxiv == "2211.00593"
