"""What goes wrong with one item costs that item; what would go wrong with all ends the ingest with a sentence."""

import errno

import pytest
from sqlalchemy import event

import kb.ingest
from kb.errors import KbError
from kb.library import Library
from kb.records import ItemReport

NOTES = {"a.md": "alpha", "b.md": "a poisoned note", "c.md": "gamma"}


def states(report):
    return [item.state for item in report.items]


@pytest.fixture
def poisoned(word_embedder):
    """An embedder that breaks on one text."""
    embed = word_embedder.embed

    def breaks(texts):
        if any("poisoned" in text for text in texts):
            raise RuntimeError("Non-zero status code\nsecond line")
        return embed(texts)

    word_embedder.embed = breaks
    return word_embedder


def test_an_item_that_cannot_be_embedded_fails_alone(tmp_path, write_notes, poisoned):
    with Library.open(tmp_path / "home", embedder=poisoned) as library:
        report = library.add(write_notes(NOTES))
        assert states(report) == ["added", "failed", "added"]
        assert "RuntimeError: Non-zero status code). Add it again" in report.items[1].message
        assert [line.id for line in library.documents()] == ["a", "c"]


def test_a_failed_item_keeps_what_it_was_before(tmp_path, write_notes, poisoned):
    vault = write_notes({**NOTES, "b.md": "beta"})
    with Library.open(tmp_path / "home", embedder=poisoned) as library:
        library.add(vault)
        assert states(library.add(write_notes(NOTES))) == ["unchanged", "failed", "unchanged"]
        assert library.document("b").text == "beta"


def test_an_item_that_cannot_be_written_fails_alone(library, write_notes, monkeypatch):
    put = library.store.put

    def breaks(document, cuts, vectors):
        if document.id == "b":
            raise ValueError("a lone surrogate")
        put(document, cuts, vectors)

    monkeypatch.setattr(library.store, "put", breaks)
    report = library.add(write_notes(NOTES))
    assert states(report) == ["added", "failed", "added"]
    assert "ValueError: a lone surrogate" in report.items[1].message


def test_a_reader_that_breaks_costs_its_file(library, write_notes, monkeypatch):
    read = kb.ingest.read_source

    def breaks(path, *, origin):
        if path.name == "b.md":
            raise RecursionError("maximum recursion depth exceeded")
        return read(path, origin=origin)

    monkeypatch.setattr(kb.ingest, "read_source", breaks)
    assert states(library.add(write_notes(NOTES))) == ["added", "failed", "added"]


def test_a_full_disk_ends_the_ingest_in_a_sentence_and_what_is_in_stays_in(library, write_notes):
    vault = write_notes({f"{n:02}.md": f"note {n} " + "with many words to store " * 4000 for n in range(20)})
    with library.store.read() as connection:
        room = connection.exec_driver_sql("PRAGMA page_count").scalar() + 200
    library.store.engine.dispose()
    event.listen(library.store.engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count = {room}"))
    with pytest.raises(KbError, match=r"The disk of .*home is full\. What is in stays in\. Make room"):
        library.add(vault)
    kept = [line.id for line in library.documents()]
    assert 0 < len(kept) < 20
    assert kept == [f"{n:02}" for n in range(len(kept))]


def test_no_room_for_a_temporary_file_ends_the_ingest_too(library, write_notes, monkeypatch):
    def full(path, *, origin):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(kb.ingest, "read_source", full)
    with pytest.raises(KbError, match="is full"):
        library.add(write_notes(NOTES))


def test_a_library_that_may_not_be_written_ends_the_ingest(library, write_notes):
    library.store.engine.dispose()
    event.listen(library.store.engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only = ON"))
    with pytest.raises(KbError, match=r"library\.sqlite cannot be written \(.*readonly"):
        library.add(write_notes(NOTES))


def test_a_build_killed_between_embedders_asks_no_old_index(tmp_path, write_notes, make_embedder):
    vault = write_notes(NOTES)
    with Library.open(tmp_path / "home", embedder=make_embedder("one")) as library:
        library.add(vault)
        library.rebuild_index()
    second = make_embedder("two")

    def killed(texts):
        raise KeyboardInterrupt

    second.embed = killed
    with Library.open(tmp_path / "home", embedder=second) as library, pytest.raises(KeyboardInterrupt):
        library.rebuild_index()
    with Library.open(tmp_path / "home") as library:
        assert library.store.setting("index_generation") is None


def test_build_with_another_embedder_makes_every_vector_anew(tmp_path, write_notes, make_embedder, monkeypatch):
    first, second = make_embedder("one"), make_embedder("two")
    with Library.open(tmp_path / "home", embedder=first) as library:
        library.build_starter()
        with library.store.read() as connection:
            total = connection.exec_driver_sql("SELECT count(*) FROM vectors").scalar()
    with Library.open(tmp_path / "home", embedder=second) as library:
        library.build_starter()
        assert second.embedded == total > 0
        assert library.store.setting("embedder") == "two"


def test_item_report_of_a_failure_survives_json(tmp_path, write_notes, poisoned):
    with Library.open(tmp_path / "home", embedder=poisoned) as library:
        for item in library.add(write_notes(NOTES)).items:
            assert ItemReport.model_validate(item.model_dump(mode="json")) == item
