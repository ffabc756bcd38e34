"""Foreign formats in a process of their own: limits bite, and the ingest goes on."""

import pytest

from kb.errors import ReadError
from kb.readers import sandbox
from kb.readers.sandbox import read_apart

MODULE = "tests.kb.readers.greedy"


def test_document_comes_back_whole(make_pdf):
    path = make_pdf("p.pdf", [[(72, 700 - 14 * n, 10, f"line {n} of a small paper") for n in range(10)]])
    found = read_apart("kb.readers.pdf", path, origin="file")[0]
    assert "line 9 of a small paper" in found.text
    assert found.pages[0].page == 1


def test_readers_own_sentence_comes_back(tmp_path):
    (tmp_path / "b.pdf").write_bytes(b"%PDF nothing")
    with pytest.raises(ReadError, match="cannot be opened as a PDF"):
        read_apart("kb.readers.pdf", tmp_path / "b.pdf", origin="file")


@pytest.mark.parametrize(
    ("what", "reason"), [("memory", "memory"), ("time", "processor time"), ("crash", "status -11")]
)
def test_a_reader_that_goes_wild_costs_one_sentence(tmp_path, what, reason):
    (tmp_path / what).write_text("x")
    with pytest.raises(ReadError, match=reason):
        read_apart(MODULE, tmp_path / what, origin="file", seconds=2, memory=600_000_000)


def test_a_reader_that_sleeps_is_stopped(tmp_path):
    (tmp_path / "sleep").write_text("x")
    with pytest.raises(ReadError, match="took longer"):
        read_apart(MODULE, tmp_path / "sleep", origin="file", seconds=1)


def test_vault_with_a_broken_pdf_goes_in_without_it(library, write_notes, make_pdf):
    vault = write_notes({"a.md": "alpha", "c.bib": "@misc{c, title={Gamma}, year=2020}"})
    (vault / "b.pdf").write_bytes(b"%PDF nothing")
    report = library.add(vault)
    assert [item.state for item in report.items] == ["added", "failed", "added"]


def test_the_same_paper_twice_is_one_document(library, make_pdf):
    pages = [[(72, 700 - 14 * n, 10, f"line {n} of a small paper") for n in range(10)]]
    library.add(make_pdf("one.pdf", [[(72, 740, 22, "One Paper Title"), *pages[0]]]))
    again = library.add(make_pdf("two.pdf", [[(72, 740, 22, "One Paper Title"), *pages[0]]]))
    assert (again.items[0].state, "already" in again.items[0].message) == ("unchanged", True)
    assert len(library.documents()) == 1


def test_limits_are_finite():
    assert sandbox.MEMORY <= 4_000_000_000
    assert sandbox.SECONDS <= 300
