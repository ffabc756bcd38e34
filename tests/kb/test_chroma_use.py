"""Traps 1 to 4 and 7 of PITFALLS.md, read off the source: what kb/vectors.py asks of Chroma is a short list of allowed things."""

import ast
import re
from pathlib import Path

import chromadb
import pytest
from chromadb.api.client import Client

SOURCE = Path(__file__).resolve().parents[2] / "kb" / "vectors.py"

ALLOWED = {  # what is called on Chroma, with the keywords that it may be given and how many positional arguments
    "PersistentClient": ({"path", "settings"}, 0),
    "HttpClient": ({"host", "port", "ssl", "headers", "settings", "tenant", "database"}, 0),
    "create_collection": ({"embedding_function", "configuration"}, 1),
    "get_collection": ({"embedding_function"}, 1),
    "list_collections": (set(), 0),
    "delete_collection": (set(), 1),
    "add": ({"ids", "embeddings"}, 0),
    "query": ({"query_embeddings", "n_results", "include"}, 0),
    "close": (set(), 0),
}
ENTERED = {"PersistentClient", "HttpClient", "Collection"}
IMPORTED = {"ClientAPI", "Client", "Settings", "ChromaError", "NotFoundError"}


def offered():
    """The public names of Chroma's own objects."""
    return {name for kind in (chromadb.Collection, Client) for name in dir(kind) if not name.startswith("_")}


def chroma_faults(source):
    """What a source does with Chroma that is not in ALLOWED: a list of allowed things, so that nothing new passes unnoticed."""
    faults = set()
    watched = offered()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chromadb"):
            faults |= {alias.name for alias in node.names} - IMPORTED
        if isinstance(node, ast.Name) and node.id in ("getattr", "import_module", "__import__"):
            faults.add(node.id)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "chromadb":
            faults |= {node.attr} - ENTERED
        elif isinstance(node, ast.Attribute) and node.attr in watched and not _is_ours(node):
            faults.add(node.attr)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ALLOWED:
            words, places = ALLOWED[node.func.attr]
            named = keywords(node)
            faults |= {f"{node.func.attr}({name})" for name in named if name not in words}
            if len(node.args) > places or any(isinstance(given, ast.Starred) for given in node.args):
                faults.add(f"{node.func.attr}(*)")
            faults |= {
                f"{node.func.attr} without {name}"
                for name in ("embedding_function", "settings")
                if name in words - set(named)
            }
            if (
                named.get("embedding_function", "None") != "None"
                or named.get("settings", "_settings()") != "_settings()"
            ):
                faults.add(f"{node.func.attr} with another value")
    return faults


def _is_ours(node):
    """Whether an attribute is an allowed one, or the setting of a server that goes by a name of Chroma's."""
    return node.attr in {*ALLOWED, "name"} or ast.unparse(node) in ("server.tenant", "server.database")


def keywords(call):
    return {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}


def test_chroma_is_used_for_vectors_by_id_and_nothing_else():
    """Traps 1 to 4 and 7: no search, sparse vectors or full text, no filters, no metadata, no embedder, no telemetry."""
    source = SOURCE.read_text(encoding="utf-8")
    assert chroma_faults(source) == set()
    assert all(f".{name}(" in source for name in ("create_collection", "get_collection", "add", "query"))
    assert "anonymized_telemetry=False" in source


@pytest.mark.parametrize(
    ("sound", "faulty", "seen"),
    [
        ("collection.query(query_embeddings=[vector]", "collection.search(query_embeddings=[vector]", "search"),
        ("query_embeddings=[vector]", "query_texts=['x']", "query(query_texts)"),
        ("collection.query(query_embeddings=[vector]", "collection.query(['x'], query_embeddings=[vector]", "query(*)"),
        ("query_embeddings=[vector],", "query_embeddings=[vector], where_document={},", "query(where_document)"),
        ("query_embeddings=[vector],", "query_embeddings=[vector], **more,", "query(None)"),
        ("embeddings=part)", "embeddings=part, documents=texts)", "add(documents)"),
        ("embeddings=part)", "embeddings=part, metadatas=[{}])", "add(metadatas)"),
        ("collection.add(", "collection.upsert(", "upsert"),
        ("client.create_collection(", "client.get_or_create_collection(", "get_or_create_collection"),
        (
            "_collection(generation), embedding_function=None)",
            "_collection(generation))",
            "get_collection without embedding_function",
        ),
        (
            "embedding_function=None, configuration",
            "embedding_function=Own(), configuration",
            "create_collection with another value",
        ),
        ("settings=_settings())", "settings=Settings())", "PersistentClient with another value"),
        (
            "from chromadb.config import Settings",
            "from chromadb.config import Settings\nfrom chromadb import Search",
            "Search",
        ),
        (
            "from chromadb.config import Settings",
            "from chromadb.api.types import SparseVectorIndexConfig",
            "SparseVectorIndexConfig",
        ),
        ("chromadb.PersistentClient(path", "chromadb.EphemeralClient(path", "EphemeralClient"),
    ],
)
def test_each_way_to_use_more_of_chroma_is_noticed(sound, faulty, seen):
    source = SOURCE.read_text(encoding="utf-8")
    assert sound in source
    assert seen in chroma_faults(source.replace(sound, faulty))


def test_no_other_file_imports_chroma():
    root = SOURCE.parents[1]
    files = [path for folder in ("kb", "agent", "tools", "ui", "benchmarks") for path in (root / folder).rglob("*.py")]
    assert len(files) > 50
    found = {
        path
        for path in files
        if re.search(r"^\s*(?:import|from) (?:chromadb|langchain_chroma)\b", path.read_text("utf-8"), re.MULTILINE)
    }
    assert found == {SOURCE}
