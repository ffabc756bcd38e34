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


def test_field_given_twice_counts_once(tmp_path):
    entry = bib(tmp_path, "@misc{a, title={Heads {A}}, year={2020}, url={https://one.org}, url={https://two.org}}")[0]
    assert (entry.title, entry.front["url"], entry.front["year"]) == ("Heads A", "https://one.org", 2020)
    assert "gives url twice" in entry.problems[0]


def test_one_key_for_two_works_keeps_both(tmp_path):
    entries = bib(tmp_path, GOOD + r"@article{wang2022, title={Other {W}ork}, author={M{\"u}ller, Jo}}")
    assert [entry.title for entry in entries] == ["Interpretability in the Wild", "Other Work"]
    assert entries[1].front["authors"] == ["Jo Müller"]
    assert entries[1].id.startswith("bib-wang2022-")
    assert "'wang2022' is given twice" in entries[0].problems[0]


def test_one_work_given_twice_is_one_reference(tmp_path):
    assert len(bib(tmp_path, GOOD + GOOD)) == 1


def test_people_are_read_as_bibtex_means_them(tmp_path):
    entry = bib(
        tmp_path, "@misc{a, title={T}, author={O'Brien, Jr., Pat and {OpenAI} and others}, keywords={a; b, c}}"
    )[0]
    assert entry.front["authors"] == ["Pat O'Brien Jr.", "OpenAI"]
    assert entry.front["tags"] == ["a", "b", "c"]


def test_old_arxiv_ids_are_read(tmp_path):
    entry = bib(tmp_path, "@misc{a, title={T}, eprint={cs/0112017}, archivePrefix={arXiv}}")[0]
    assert entry.front["arxiv"] == "cs/0112017"
