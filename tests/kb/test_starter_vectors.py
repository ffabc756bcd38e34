"""The shipped vectors: whole, in step with the notes, and what the embedder gives."""

import numpy as np
import pytest

import kb.starter_vectors
from kb.errors import KbError
from kb.ingest import embedded_text
from kb.library import Library
from kb.starter_vectors import FILE, save, shipped
from kb.store import vector_key


class TokenizerOnly:
    """The packaged embedder, counting but refusing to embed."""

    def __init__(self, embedder):
        self.name, self.limit, self.dimension, self.count = (
            embedder.name,
            embedder.limit,
            embedder.dimension,
            embedder.count,
        )

    def embed(self, texts):
        raise AssertionError(
            f"Not in the shipped vectors, run `python -m kb.write_starter_vectors MINILM_FOLDER`: {texts[0][:200]!r}"
        )


@pytest.fixture(scope="module")
def unembedded(tmp_path_factory, minilm):
    with Library.open(tmp_path_factory.mktemp("shipped"), embedder=TokenizerOnly(minilm)) as library:
        library.build_starter()
        yield library


def test_every_starter_note_has_its_vectors_ready(unembedded):
    with unembedded.store.read() as connection:
        used = set(connection.exec_driver_sql("SELECT key FROM vectors").scalars())
        missing = connection.exec_driver_sql(
            "SELECT count(*) FROM passages WHERE number NOT IN (SELECT number FROM vectors)"
        ).scalar()
    assert missing == 0
    assert used == set(shipped()), "vectors of notes that changed lie about: run python -m kb.write_starter_vectors"


def test_vectors_are_what_the_embedder_gives(unembedded, minilm):
    passages = [unembedded.passages(name)[0] for name in ("ioi-wang-2022", "superposition", "tool-choice")]
    texts = [embedded_text(passage.title, passage.heading, passage.text) for passage in passages]
    stored = np.stack([np.frombuffer(shipped()[vector_key(minilm.name, text)], "<f4") for text in texts])
    assert (stored * minilm.embed(texts)).sum(axis=1) == pytest.approx(1.0, abs=1e-3)


def test_another_embedder_uses_none_of_them(library, word_embedder, write_notes):
    library.build_starter()
    assert word_embedder.embedded > 1000


def test_file_is_small_and_reads_back(tmp_path, monkeypatch):
    assert FILE.stat().st_size < 4_000_000
    before = shipped.__wrapped__()
    monkeypatch.setattr(kb.starter_vectors, "FILE", tmp_path / "vectors.npz")
    save(before)
    after = shipped.__wrapped__()
    assert after.keys() == before.keys()
    key = next(iter(before))
    assert np.frombuffer(after[key], "<f4") == pytest.approx(np.frombuffer(before[key], "<f4"), abs=1e-3)


def test_damaged_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(kb.starter_vectors, "FILE", tmp_path / "vectors.npz")
    np.savez(tmp_path / "vectors.npz", keys=np.array(["a"], "S32"), vectors=np.zeros((1, 4), np.float16))
    with pytest.raises(KbError, match="damaged"):
        shipped.__wrapped__()
