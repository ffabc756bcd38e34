"""What a filter lets through, in a listing and in a search."""

import pytest
from pydantic import ValidationError

from kb.records import Filters

NOTES = {
    "a.md": "---\nid: a\nkind: paper\nmodels: [GPT-2 small, Pythia-70M]\nconfidence_score: 0.9\n---\nsame words",
    "b.md": "---\nid: b\nkind: concept\nmodels: [SmolLM2]\nconfidence_score: 40%\n---\nsame words",
    "c.md": "---\nid: c\n---\nsame words",
    "z.md": "---\nid: z\nconfidence_score: 0\n---\nsame words",
}
CASES = [
    (Filters(model="gpt-2"), ["a"]),
    (Filters(model="Pythia-70M"), ["a"]),
    (Filters(model="%"), []),
    (Filters(model="pythia_70m"), []),
    (Filters(kinds=("concept",)), ["b"]),
    (Filters(kinds=("concept", "paper")), ["a", "b"]),
    (Filters(kinds=("note",)), ["c", "z"]),
    (Filters(confidence=0.5), ["a"]),
    (Filters(confidence=0.4), ["a", "b"]),
    (Filters(confidence=0), ["a", "b", "z"]),
    (Filters(confidence=0.3, kinds=("concept",)), ["b"]),
]


@pytest.fixture
def filled(library, write_notes):
    library.add(write_notes(NOTES))
    return library


@pytest.mark.parametrize(("filters", "expected"), CASES)
def test_a_listing_holds_what_passes(filled, filters, expected):
    assert [line.id for line in filled.documents(filters)] == expected


@pytest.mark.parametrize(("filters", "expected"), CASES)
def test_a_search_finds_what_passes(filled, filters, expected):
    found = filled.search("same words", filters=filters)
    assert {hit.document_id for hit in (*found.hits, *found.nearest)} == set(expected)


def test_a_hit_carries_the_confidence_of_its_note(filled):
    found = filled.search("same words", filters=Filters(confidence=0.5))
    assert [hit.confidence for hit in (*found.hits, *found.nearest)] == [0.9]


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_outside_0_and_1_is_refused(confidence):
    with pytest.raises(ValidationError, match="confidence"):
        Filters(confidence=confidence)
