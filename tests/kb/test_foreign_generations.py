"""Trap 6 of PITFALLS.md: a Chroma folder that was put in the place of ours is not opened when it names code."""

import json
import sqlite3
from contextlib import closing

import chromadb
import numpy as np
import pytest

from kb.errors import VectorIndexError
from kb.vectors import VectorIndex


def names(count):
    return [f"p{number}" for number in range(count)]


@pytest.fixture
def vectors():
    return np.eye(16, dtype=np.float32)


@pytest.fixture
def index(tmp_path):
    opened = VectorIndex(tmp_path / "vectors")
    yield opened
    opened.close()


SENTENCE = "opening it could run foreign code. It was not opened. Run: circuit-court library build"
SPARSE = ("defaults", "sparse_vector", "sparse_vector_index", "config")
DENSE = ("keys", "#embedding", "float_list", "vector_index", "config")
MODEL = {
    "type": "known",
    "name": "sentence_transformer",
    "config": {"model_name": "evil", "kwargs": {"trust_remote_code": True}},
}


def schema_of(folder):
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as database:
        return database.execute("SELECT schema_str, config_json_str FROM collections").fetchone()


def put(folder, column, told):
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as database, database:
        database.execute(f"UPDATE collections SET {column} = ?", (told,))


def naming(folder, path, function):
    """The schema of a folder with an embedding function set at a place of it."""
    schema = json.loads(schema_of(folder)[0])
    place = schema
    for step in path:
        place = place[step]
    assert "embedding_function" in place
    place["embedding_function"] = function
    return json.dumps(schema)


def opened(monkeypatch):
    """The folders that are given to Chroma from now on."""
    given = []
    real = chromadb.PersistentClient
    monkeypatch.setattr(
        "kb.vectors.chromadb.PersistentClient", lambda path, settings: given.append(path) or real(path, settings)
    )
    return given


def test_chroma_still_writes_down_what_a_generation_is_checked_for(index, vectors):
    """When an update of Chroma moves the place or renames its word for none, the check must be looked at again."""
    schema, configuration = schema_of(index.folder / index.build([(names(5), vectors[:5])]))
    told = []

    def note(part):
        told.extend([part["embedding_function"]["type"]] if "embedding_function" in part else [])
        return part

    json.loads(schema, object_hook=note)
    assert configuration == "{}"
    assert sorted(told) == ["legacy", "legacy", "unknown"]


@pytest.mark.parametrize("path", [SPARSE, DENSE])
def test_a_generation_whose_schema_names_code_is_refused_before_chroma_opens_it(index, vectors, monkeypatch, path):
    """Chroma builds what a collection names, with its arguments, when it opens the collection."""
    generation = index.build([(names(5), vectors[:5])])
    put(index.folder / generation, "schema_str", naming(index.folder / generation, path, MODEL))
    given = opened(monkeypatch)
    with pytest.raises(VectorIndexError, match="sentence_transformer") as refused:
        index.nearest(generation, vectors[0], 1)
    assert str(refused.value).endswith(SENTENCE)
    assert given == []


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ("config_json_str", json.dumps({"embedding_function": MODEL})),
        ("config_json_str", json.dumps({"embedding_function": MODEL | {"type": "legacy"}})),
        ("config_json_str", json.dumps({"embedding_function": MODEL | {"type": "unknown"}})),
        ("config_json_str", json.dumps({"embedding_function": "a.module"})),
        ("config_json_str", json.dumps({"embedding_function": {"type": "known", "name": "huggingface"}})),
    ],
)
def test_code_named_in_an_older_configuration_is_refused_too(index, vectors, monkeypatch, column, told):
    generation = index.build([(names(5), vectors[:5])])
    put(index.folder / generation, column, told)
    given = opened(monkeypatch)
    with pytest.raises(VectorIndexError, match="It was not opened"):
        index.nearest(generation, vectors[0], 1)
    assert given == []


def test_code_named_in_another_collection_or_in_the_log_is_refused(index, vectors, monkeypatch):
    generation = index.build([(names(5), vectors[:5])])
    given = opened(monkeypatch)
    with closing(sqlite3.connect(index.folder / generation / "chroma.sqlite3", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute(
            "INSERT INTO collections (id, name, database_id, config_json_str) SELECT 'x', 'other', database_id, ? FROM collections",
            (json.dumps({"embedding_function": MODEL}),),
        )  # the connection is open: what it wrote stands in the write-ahead log alone
        with pytest.raises(VectorIndexError, match="It was not opened"):
            index.nearest(generation, vectors[0], 1)
    assert given == []


@pytest.mark.parametrize("broken", ["not json", '{"a": 1, "a": 2}', "[" * 100_000])
def test_a_schema_that_cannot_be_read_is_refused(index, vectors, monkeypatch, broken):
    generation = index.build([(names(5), vectors[:5])])
    put(index.folder / generation, "schema_str", broken)
    given = opened(monkeypatch)
    with pytest.raises(VectorIndexError, match=r"cannot be read .* Run: circuit-court library build"):
        index.nearest(generation, vectors[0], 1)
    assert given == []


@pytest.mark.parametrize("function", [None, {"type": "legacy"}, {"type": "known", "name": "default", "config": {}}])
def test_no_embedding_function_and_chromas_default_are_let_in(index, vectors, function):
    generation = index.build([(names(5), vectors[:5])])
    put(index.folder / generation, "config_json_str", json.dumps({"embedding_function": function}))
    assert index.nearest(generation, vectors[0], 1)[0][0] == "p0"


def test_a_generation_is_checked_once_for_each_opening(index, vectors, monkeypatch):
    first, second = (index.build([(names(5), vectors[:5])]) for _ in range(2))
    checked = []
    monkeypatch.setattr("kb.vectors._refuse_code", checked.append)
    for generation in (first, first, first, second):
        index.nearest(generation, vectors[0], 1)
    assert [path.name for path in checked] == [first, second]
