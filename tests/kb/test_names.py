"""Canonical notes, duplicates, aliases, links."""

import pytest

from kb.errors import UnknownNameError


@pytest.fixture
def wiki(library, write_notes):
    library.add(
        write_notes(
            {
                "main.md": "---\nid: main\ntitle: Main note\naliases: [대표 노트, MN]\n---\ncircuits of heads [[other]]",
                "dup.md": "---\nid: dup\nduplicate_of: main\n---\ncircuits of heads, copied",
                "old.md": "---\nid: old\ncanonical_id: dup\n---\ncircuits of heads, older",
                "other.md": "---\nid: other\ntitle: Other\n---\nsee [[대표 노트]] and [[nowhere]]",
            }
        )
    )
    return library


def test_duplicate_redirects_along_a_chain(wiki):
    found = wiki.document("old")
    assert (found.id, found.redirected_from, found.duplicates) == ("main", "old", ("dup", "old"))


def test_duplicates_are_one_entry_in_a_search(wiki):
    assert [hit.document_id for hit in wiki.search("circuits of heads").hits].count("main") == 1
    assert not {"dup", "old"} & {hit.document_id for hit in wiki.search("circuits of heads").hits}


@pytest.mark.parametrize("name", ["main", "Main note", "mn", "대표 노트", "대표노트"])
def test_a_document_by_any_of_its_names(wiki, name):
    assert wiki.document(name).id == "main"


def test_links_are_resolved_through_aliases_both_ways(wiki):
    assert wiki.document("other").links == ("main", "nowhere")
    assert wiki.document("main").linked_from == ("other",)


def test_unknown_name_offers_the_nearest(wiki):
    with pytest.raises(UnknownNameError, match="Nearest: main"):
        wiki.document("main nte")


def test_circle_of_duplicates_is_reported_not_guessed(library, write_notes):
    report = library.add(
        write_notes({"a.md": "---\nid: a\nduplicate_of: b\n---\nx", "b.md": "---\nid: b\nduplicate_of: a\n---\ny"})
    )
    (problem,) = report.problems
    assert problem.startswith("a -> b -> a is a circle")
    assert (library.document("a").id, library.document("b").id) == ("a", "b")


def test_redirect_to_nowhere_is_reported(library, write_notes):
    report = library.add(write_notes({"a.md": "---\nid: a\ncanonical_id: missing\n---\nx"}))
    assert report.problems == ("a redirects to missing, which the library does not have: add it or clear it.",)


def test_canonical_and_duplicate_that_disagree_are_reported(library, write_notes):
    notes = {name: f"---\nid: {name}\n---\nx" for name in ("b.md", "c.md")}
    notes["a.md"] = "---\nid: a\ncanonical_id: b.md\nduplicate_of: c.md\n---\nx"
    report = library.add(write_notes(notes))
    assert "two notes" in report.problems[0]


def test_ambiguous_alias_names_all_owners(library, write_notes):
    library.add(
        write_notes(
            {
                name: f"---\nid: {name[0]}\naliases: [ACDC]\nkind: {kind}\n---\nx"
                for name, kind in (("a.md", "paper"), ("b.md", "concept"))
            }
        )
    )
    with pytest.raises(UnknownNameError, match="a, b"):
        library.document("ACDC")
    assert library.document("acdc", prefer="concept").id == "b"


def test_korean_alias_with_particle_finds_the_english_note(wiki):
    result = wiki.search("대표 노트는 무엇인가?")
    assert result.expanded == ("대표 노트",)
    assert result.hits[0].document_id == "main"
