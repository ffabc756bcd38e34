"""An arXiv id however it is written is one id, so that what the library holds about one work is linked."""

import pytest

from kb.front_matter import FieldReader
from kb.identifiers import arxiv_id
from kb.notes import parse_note


@pytest.mark.parametrize(
    "written",
    ["2211.00593", "arXiv:2211.00593v2", " arxiv: 2211.00593 ", "https://arxiv.org/abs/2211.00593",
     "http://www.arxiv.org/pdf/2211.00593v1.pdf", "arxiv.org/html/2211.00593v3", "10.48550/arXiv.2211.00593",
     "https://doi.org/10.48550/arXiv.2211.00593", "2211.00593 [cs.LG]", "https://arxiv.org/abs/2211.00593?context=cs"],
)  # fmt: skip
def test_every_spelling_is_the_one_normal_form(written):
    assert arxiv_id(written) == "2211.00593"


@pytest.mark.parametrize(
    ("written", "normal"),
    [("cs.CL/0301001", "cs/0301001"), ("arXiv:cs/0301001v1", "cs/0301001"),
     ("https://arxiv.org/abs/hep-th/9901001", "hep-th/9901001"), ("math.GT/0309136", "math/0309136")],
)  # fmt: skip
def test_old_ids_lose_version_and_subject_class(written, normal):
    assert arxiv_id(written) == normal


@pytest.mark.parametrize(
    "written",
    ["2213.00593", "2211.593", "https://example.org/2211.00593", "10.1234/2211.00593", "cs/03010", "soon", ""],
)
def test_what_is_no_arxiv_id_is_none(written):
    assert arxiv_id(written) is None


def test_a_notes_arxiv_field_that_is_no_id_is_listed_with_its_line():
    note = parse_note("---\nid: a\narxiv: forthcoming\n---\ntext", "a.md")
    assert note.front.arxiv is None
    assert [(fault.line, fault.message) for fault in note.problems] == [(3, "arxiv is 'forthcoming'.")]
    assert "2211.00593" in note.problems[0].remedy


def test_an_empty_arxiv_field_is_no_fault():
    problems = []
    assert FieldReader({"arxiv": ""}, {"arxiv": 2}, problems).arxiv() is None
    assert problems == []


@pytest.mark.parametrize("eprint", ["2211.00593", "2211.00593v2", "arXiv:2211.00593"])
@pytest.mark.parametrize("written", ["arXiv:2211.00593v2", "https://arxiv.org/abs/2211.00593", "2211.00593"])
def test_a_note_and_a_reference_of_one_work_are_linked(library, write_notes, written, eprint):
    entry = f"@misc{{wang, title={{Interpretability in the Wild}}, eprint={{{eprint}}}, archivePrefix={{arXiv}}}}"
    vault = write_notes({"ioi.md": f"---\nid: ioi\narxiv: {written}\n---\nMy reading of it.", "refs.bib": entry})
    library.add(vault)
    assert library.document("ioi").same_work == ("bib-wang",)
    assert library.document("bib-wang").same_work == ("ioi",)


def test_a_note_and_a_reference_are_linked_by_an_old_id(library, write_notes):
    entry = "@misc{old, title={T}, eprint={cs.CL/0301001}, archivePrefix={arXiv}}"
    vault = write_notes({"n.md": "---\nid: n\narxiv: arXiv:cs/0301001v2\n---\ntext", "refs.bib": entry})
    library.add(vault)
    assert library.document("n").same_work == ("bib-old",)


def test_preprint_and_published_version_of_one_title_are_linked_and_stay_two(library, write_notes):
    title = "title: A Circuit for Indirect Object Identification"
    vault = write_notes(
        {
            "preprint.md": f"---\nid: preprint\n{title}\narxiv: 2211.00593\n---\nfirst version",
            "published.md": f"---\nid: published\n{title.upper().replace('TITLE', 'title')}\nyear: 2023\n---\nsecond version",
        }
    )
    library.add(vault)
    assert [line.id for line in library.documents()] == ["preprint", "published"]
    assert library.document("preprint").same_work == ("published",)
    assert library.document("published").text == "second version"
    assert library.document("published").canonical_id == "published"


def test_works_that_share_a_short_title_are_not_linked(library, write_notes):
    vault = write_notes(
        {"a.md": "---\nid: a\ntitle: Copy heads\n---\nx", "b.md": "---\nid: b\ntitle: Copy heads\n---\ny"}
    )
    library.add(vault)
    assert library.document("a").same_work == ()
