"""Ingest rate and disk: measured beside the library, which is only read."""

import pytest

from kb import evaluate_cost
from kb.errors import KbError
from kb.evaluate_cost import cost, disk_bytes, ingest_rate, sample
from kb.library import Library


def fill(library, count):
    for number in range(count):
        library.add_text(f"Head {number} copies the token before it.", title=f"Note {number:02}")


def test_a_dozen_documents_spread_over_the_library_are_embedded_again(library, word_embedder):
    fill(library, 30)
    before = word_embedder.embedded
    found = cost(library.store, word_embedder)["ingest"]
    assert (found["documents"], found["passages"]) == (12, 12)
    assert word_embedder.embedded - before == 12
    assert found["documents_per_s"] == found["passages_per_s"] > 0
    assert "12 of the library's documents" in found["measured"] and "embedding included" in found["measured"]
    titles = [document.title for document in sample(library.store)]
    assert titles[0] < "Note 03" and titles[-1] > "Note 26" and len(set(titles)) == 12


def test_a_sampled_document_is_what_came_in(library, write_notes):
    text = (
        "---\nid: copy\ntitle: Copy head\naliases: [copier]\ntags: [heads]\nquestions: [who copies?]\n"
        "claims:\n- claim: L1H2 copies\n---\nIt copies, see [[other]]."
    )
    library.add(write_notes({"copy.md": text}))
    (found,) = sample(library.store)
    assert found.content_hash == library.store.content_hash("copy")
    assert found.links == ("other",)


def test_shipped_vectors_do_not_make_embedding_free(library, make_embedder, monkeypatch):
    fill(library, 2)
    monkeypatch.setattr("kb.ingest.shipped", lambda: pytest.fail("a measured ingest took shipped vectors"))
    assert ingest_rate(sample(library.store), make_embedder())["passages"] == 2


def test_measuring_leaves_the_library_as_it_is(library, word_embedder):
    fill(library, 3)
    folder = library.store.path.parent
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm"}
    cost(library.store, word_embedder)
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite-shm"}
    assert after == before


def test_of_an_empty_library_no_rate_is_told_and_why(library, word_embedder):
    found = cost(library.store, word_embedder)["ingest"]
    assert found["documents_per_s"] is found["passages_per_s"] is None
    assert "empty" in found["measured"] and "circuit-court library build" in found["measured"]


def test_without_an_embedder_the_rate_says_that_nothing_was_embedded(tmp_path):
    with Library.open(tmp_path / "home") as library:
        fill(library, 2)
        assert "without embedding" in cost(library.store, library.embedder)["ingest"]["measured"]


def test_a_sample_that_takes_too_long_ends_after_the_document_it_is_at(library, word_embedder, monkeypatch):
    fill(library, 5)
    monkeypatch.setattr(evaluate_cost, "SECONDS", 0.0)
    found = cost(library.store, word_embedder)["ingest"]
    assert found["documents"] == 1 and "1 of the library's documents" in found["measured"]


def test_disk_counts_the_log_and_the_vectors_and_nothing_else(tmp_path):
    (tmp_path / "vectors" / "generation").mkdir(parents=True)
    for name, size in (
        ("library.sqlite", 100),
        ("library.sqlite-wal", 20),
        ("vectors/generation/x", 3),
        ("other", 999),
    ):
        (tmp_path / name).write_bytes(bytes(size))
    assert disk_bytes(tmp_path / "library.sqlite") == 123


def test_a_document_that_does_not_go_in_is_no_fast_one(library, make_embedder):
    fill(library, 2)
    broken = make_embedder()
    broken.embed = _out_of_memory
    with pytest.raises(KbError, match=r"did not go into the throw-away library.*no room"):
        ingest_rate(sample(library.store), broken)


def _out_of_memory(_texts):
    raise MemoryError("no room")
