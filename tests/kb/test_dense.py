"""Dense search: Chroma's generation plus what came since equals brute force; filters; deletions."""

import signal
import subprocess
import sys

import numpy as np
import pytest

import kb.dense
from kb.library import Library
from kb.records import Filters


def brute(library, query, embedder, count):
    """Document ids by cosine, straight from SQLite."""
    vector = embedder.embed([query])[0]
    with library.store.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT p.document_id, v.vector FROM vectors v JOIN passages p ON p.number = v.number"
        ).all()
    scored = sorted(((float(np.frombuffer(blob, "<f4") @ vector), name) for name, blob in rows), reverse=True)
    return [name for _, name in scored[:count]]


def dense(library, query, count=5):
    embedder = library.embedder
    with library.store.read() as connection:
        found = library.dense.nearest(connection, embedder.embed([query])[0], count)
        names = dict(connection.exec_driver_sql("SELECT number, document_id FROM passages").all())
    return [names[number] for number, _ in found]


@pytest.fixture
def wide(tmp_path, word_embedder, write_notes, monkeypatch):
    """A library whose index is rebuilt after ten young passages, with 30 notes in it."""
    monkeypatch.setattr(kb.dense, "YOUNG", 10)
    with Library.open(tmp_path / "home", embedder=word_embedder) as library:
        library.add(write_notes({f"n{n}.md": f"note{n} about topic{n % 7} and word{n % 5}" for n in range(30)}))
        yield library


def test_generation_gives_what_brute_force_gives(wide, word_embedder):
    assert wide.store.setting("index_covered") is not None
    query = "note17 about topic3 and word2"
    assert dense(wide, query, 1) == brute(wide, query, word_embedder, 1) == ["n17"]
    assert len(dense(wide, query, 30)) == 30


def test_a_new_note_is_found_before_any_rebuild(wide):
    generation = wide.store.setting("index_generation")
    wide.add_text("zebra giraffe okapi", title="Animals")
    assert wide.store.setting("index_generation") == generation
    assert dense(wide, "zebra giraffe okapi", 1)[0].startswith("animals")


def test_a_removed_note_is_not_found(wide):
    wide.remove("n3")
    assert "n3" not in dense(wide, "note3 about topic3 and word3", 30)


def test_an_edited_note_is_found_by_its_new_text_only(wide, write_notes):
    vault = write_notes({"n4.md": "entirely different: zebra giraffe"})
    wide.add(vault)
    assert dense(wide, "zebra giraffe", 1) == ["n4"]
    with wide.store.read() as connection:
        vector = wide.embedder.embed(["n4. note4 about topic4 and word4"])[0]
        assert wide.dense.nearest(connection, vector, 1)[0][1] < 0.95


def test_enough_new_notes_rebuild_the_index_and_old_folders_go(wide, write_notes):
    before = wide.store.setting("index_generation")
    wide.add(write_notes({f"m{n}.md": f"more{n} of it" for n in range(12)}))
    wide.add(write_notes({f"k{n}.md": f"again{n} of it" for n in range(12)}))
    assert wide.store.setting("index_generation") != before
    assert len(list(wide.dense.index.folder.glob("g*"))) == 2


def test_two_processes_that_rebuild_at_once_leave_an_index_that_is_there(wide, tmp_path):
    script = (
        "import sys; sys.path.insert(0, 'tests/kb'); from pathlib import Path; import conftest\n"
        "from kb.library import Library\n"
        f"with Library.open(Path({str(tmp_path / 'home')!r}), embedder=conftest.WordEmbedder()) as library:\n"
        "    for _ in range(3): library.dense.rebuild()\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    assert [other.wait(120) for other in others] == [0, 0]
    assert dense(wide, "note3 about topic3 and word3", 1) == ["n3"]
    assert len(list(wide.dense.index.folder.glob("g*"))) == 2


def test_lost_index_folder_is_rebuilt(tmp_path, wide, word_embedder):
    import shutil

    home = tmp_path / "home"
    wide.close()
    shutil.rmtree(home / "vectors")
    with Library.open(home, embedder=word_embedder) as library:
        library.ingest.finish()
        assert dense(library, "note3 about topic3 and word3", 1) == ["n3"]


def test_filter_with_many_allowed_passages_fetches_more_and_drops(wide, monkeypatch, write_notes):
    monkeypatch.setattr(kb.dense, "FEW", 2)
    wide.add(write_notes({"only.md": "---\nid: only\ntags: [rare]\n---\nnote3 about topic3 and word3"}))
    hits = wide.search("note3 about topic3", filters=Filters(tags=("rare",))).hits
    assert [hit.document_id for hit in hits] == ["only"]


def test_passages_that_keep_their_ids_but_not_their_vectors_are_found_anew_after_a_rebuild(wide, write_notes):
    """Trap 4: Chroma ignores an `add` of an id that it has, so a generation that was added to would keep the old vector."""
    body = "note8 about topic1 and word3"
    identity = [passage.id for passage in wide.passages("n8")]
    old = wide.embedder.embed([f"n8. {body}"])[0]
    wide.add(write_notes({"n8.md": f"---\nid: n8\ntitle: zebra giraffe okapi quagga\n---\n{body}"}))
    assert [passage.id for passage in wide.passages("n8")] == identity
    wide.dense.rebuild()
    new = wide.embedder.embed([f"zebra giraffe okapi quagga. {body}"])[0]
    with wide.store.read() as connection:
        covered = int(wide.store.setting("index_covered"))
        number = connection.exec_driver_sql("SELECT number FROM passages WHERE document_id = 'n8'").scalar()
        assert number <= covered
        generation = wide.store.setting("index_generation")
        assert wide.dense.index.nearest(generation, new, 1) == [(f"{identity[0]}~0", pytest.approx(1.0, abs=1e-5))]
        assert wide.dense.nearest(connection, new, 1) == [(number, pytest.approx(1.0, abs=1e-5))]
        assert dict(wide.dense.nearest(connection, old, 30))[number] == pytest.approx(float(old @ new), abs=1e-5)


KILLED = """
import os, signal, sys
sys.path.insert(0, "tests/kb")
from pathlib import Path
import conftest
import kb.dense, kb.vectors
from kb.library import Library

moment = sys.argv[2]
stream, build = kb.dense._stream, kb.vectors.VectorIndex.build
kb.dense.CHUNK = 10

def die(*_anything, **_more):
    os.kill(os.getpid(), signal.SIGKILL)

def dying_stream(connection, last):
    for place, batch in enumerate(stream(connection, last)):
        if place == {"collection": 0, "first batch": 1}.get(moment):
            die()
        yield batch
    if moment == "all batches":
        die()

def dying_build(self, batches):
    generation = build(self, batches)
    return die() if moment == "complete" else generation

kb.dense._stream, kb.vectors.VectorIndex.build = dying_stream, dying_build
if moment == "folder":
    kb.vectors.chromadb.PersistentClient = die
if moment == "pointed to":
    kb.vectors.VectorIndex.drop_others = die
with Library.open(Path(sys.argv[1]), embedder=conftest.WordEmbedder()) as library:
    library.dense.rebuild()
"""


@pytest.mark.parametrize("moment", ["folder", "collection", "first batch", "all batches", "complete", "pointed to"])
def test_killed_while_a_generation_is_built_the_old_one_serves_and_the_next_build_tidies_up(
    wide, tmp_path, word_embedder, moment
):
    home, before = tmp_path / "home", wide.store.setting("index_generation")
    wide.close()
    killed = subprocess.run([sys.executable, "-c", KILLED, str(home), moment], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    with Library.open(home, embedder=word_embedder) as library:
        current = library.store.setting("index_generation")
        assert (current == before) == (moment != "pointed to")
        query = "note17 about topic3 and word2"
        assert dense(library, query, 1) == brute(library, query, word_embedder, 1) == ["n17"]
        assert sorted(dense(library, query, 30)) == sorted(f"n{n}" for n in range(30))
        assert len(folders(library)) >= 2  # what the killed build left behind, or the one before
        library.dense.rebuild()
        assert folders(library) == {current, library.store.setting("index_generation")}
        assert dense(library, query, 1) == ["n17"]


def folders(library):
    return {path.name for path in library.dense.index.folder.glob("g*")}
