"""Exports and comparison tables."""

import json

import numpy as np
import pytest

from kb.comparison import as_markdown
from kb.errors import KbError
from kb.library import Library
from kb.records import Filters


def test_bibtex_reads_back(starter, tmp_path):
    from kb.readers.bibtex import read

    (tmp_path / "out.bib").write_text(starter.export("bibtex", Filters(kinds=("paper",))), encoding="utf-8")
    entries = {entry.aliases[0]: entry for entry in read(tmp_path / "out.bib", origin="file")}
    assert len(entries) == 76
    assert entries["ioi-wang-2022"].front["arxiv"] == "2211.00593"
    assert entries["ioi-wang-2022"].title.startswith("Interpretability in the Wild")


def test_a_list_of_authors_that_goes_on_says_so(starter):
    exported = starter.export("bibtex", Filters(kinds=("paper",)))
    assert "author = {Kevin Wang and Alexandre Variengien and Arthur Conmy and others}," in exported
    assert "author = {Stefan Heimersheim and Neel Nanda}," in exported
    assert "Arthur Conmy et al. (2022)" in starter.export("markdown", Filters(tags=("ioi",)))


def test_reading_list_is_newest_first_with_trust(starter):
    lines = starter.export("markdown", Filters(tags=("ioi",))).splitlines()[2:]
    assert any("trust high, verified" in line for line in lines)
    years = [int(line.split("(", 1)[1][:4]) for line in lines if line.split("(", 1)[1][:4].isdigit()]
    assert years == sorted(years, reverse=True)


def test_exported_vectors_belong_to_their_passages(starter, tmp_path):
    count = starter.export_passages(tmp_path)
    vectors = np.load(tmp_path / "vectors.npy", allow_pickle=False)
    lines = [json.loads(line) for line in (tmp_path / "passages.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len(vectors) == count
    assert starter.quote(lines[7]["id"]) == lines[7]["text"]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_passages_without_a_vector_are_not_left_out_in_silence(tmp_path):
    with Library.open(tmp_path / "home") as library:
        library.add_text("Copy heads copy.", title="Copy head")
        with pytest.raises(KbError, match=r"1 passages have no vector.*library build"):
            library.export_passages(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_comparison_has_a_cited_row_for_each_paper(starter):
    table = starter.compare(["ioi-wang-2022", "greater-than-hanna-2023"])
    assert [row.document_id for row in table] == ["ioi-wang-2022", "greater-than-hanna-2023"]
    for row in table:
        cited = [row.question, row.method, row.limit, *row.findings]
        assert all(cell and starter.quote(cell.passage_id, cell.start, cell.end) == cell.text for cell in cited)
    printed = as_markdown(table)
    assert printed.count("\n| ") == 2
    for row in table:
        assert all(cell.passage_id in printed for cell in (row.question, row.method, row.limit, *row.findings))


def test_note_and_paper_of_one_work_are_linked_not_collapsed(library, write_notes):
    library.add(
        write_notes(
            {
                "note.md": "---\nid: note\narxiv: 2211.00593\n---\nmy note",
                "r.bib": "@article{w, title={Wild}, eprint={2211.00593}, archiveprefix={arXiv}, year=2022}",
            }
        )
    )
    assert library.document("note").same_work == ("bib-w",)
    assert len(library.documents()) == 2
