"""BibTeX: accents, braces, arXiv ids; a broken entry costs only itself."""

import pytest

from kb.errors import ReadError
from kb.readers.bibtex import read

GOOD = r"""@article{wang2022, title={Interpretability in the {W}ild}, author={Wang, Kevin and G{\"o}del, Kurt},
  journal={arXiv preprint arXiv:2211.00593}, year={2022}, keywords={circuits, IOI}}
"""


def bib(tmp_path, text):
    (tmp_path / "r.bib").write_text(text, encoding="utf-8")
    return read(tmp_path / "r.bib", origin="file")


def test_fields_are_read_without_latex(tmp_path):
    entry = bib(tmp_path, GOOD)[0]
    assert (entry.title, entry.kind) == ("Interpretability in the Wild", "reference")
    assert entry.front["authors"] == ["Kevin Wang", "Kurt Gödel"]
    assert (entry.front["arxiv"], entry.front["year"], entry.front["tags"]) == ("2211.00593", 2022, ["circuits", "IOI"])


def test_broken_entry_is_a_problem_and_the_rest_goes_in(tmp_path):
    entries = bib(tmp_path, GOOD + "@article{broken, title={x\n")
    assert len(entries) == 1
    assert "not valid BibTeX" in entries[0].problems[0]


def test_file_without_entries_is_refused(tmp_path):
    with pytest.raises(ReadError, match="no BibTeX entry"):
        bib(tmp_path, "nothing here")
