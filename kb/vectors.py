"""The only file that imports chromadb: nearest passages by vector, in immutable generations.

An embedded Chroma folder belongs to the process that writes it; another process that has it open sees stale results.
Here a folder is written once and never changed afterwards: `build` makes a new folder (a *generation*) beside the old
ones, and the library points to it in SQLite only when it is complete. Readers in any process open the generation SQLite
names, so there is nothing to go stale; passages that came in since are searched by brute force (`kb.search`). A folder
of another origin is never opened, because Chroma can run code named in its schema: a folder's name carries a random part
that only this library's database knows, and a folder whose collections name an embedding function is refused, in case one
was put in the place of ours. With a server a generation is a collection on it.
No documents, no metadata: only vectors by passage id.
"""

import fcntl
import json
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromadb
import httpx
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.client import Client
from chromadb.config import Settings
from chromadb.errors import ChromaError, NotFoundError
from jaxtyping import Float32

from kb.chroma_server import ChromaServer
from kb.errors import VectorIndexError

BATCH = 4000  # Chroma refuses more than 5,461 records at once
COLLECTION = "passages"
_REMEDY = "Run: circuit-court library build"
_INERT = (  # what Chroma writes for no embedding function, dense and sparse, and for its own
    None,
    {"type": "legacy"},
    {"type": "unknown"},
    {"type": "known", "name": "default", "config": {}},
)


class VectorIndex:
    """Generations of vectors, embedded under a folder or on a Chroma server, where `owner` tells libraries apart."""

    def __init__(self, folder: Path, *, server: ChromaServer | None = None, owner: str = "") -> None:
        self.folder = folder
        self.server = server
        self.owner = owner
        self._open: tuple[str, ClientAPI, chromadb.Collection] | None = None
        self._using = threading.RLock()  # Chroma cannot open a folder twice at once, nor close it under a query

    def build(self, batches: Iterable[tuple[Sequence[str], Float32[np.ndarray, "passage dimension"]]]) -> str:
        """Write a new generation from (passage ids, unit vectors) and return its name."""
        generation = f"g{secrets.token_hex(8)}"
        client = self._client(generation, create=True)
        try:
            collection = client.create_collection(
                self._collection(generation), embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
            for ids, vectors in batches:
                for start in range(0, len(ids), BATCH):
                    part = np.ascontiguousarray(vectors[start : start + BATCH], dtype=np.float32)
                    if not np.isfinite(part).all():
                        raise VectorIndexError("A vector holds NaN or infinity: embed its passage again.")
                    collection.add(ids=list(ids[start : start + BATCH]), embeddings=part)
        finally:
            _close(client)
        return generation

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Held while a generation is built and pointed to, so that two processes do not remove each other's."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".writing").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def nearest(
        self, generation: str, vector: Float32[np.ndarray, " dimension"], count: int
    ) -> list[tuple[str, float]]:
        """Passage ids with their cosine, nearest first.

        Raises VectorIndexError when the generation is not there (any more).
        """
        with self._using:
            collection = self._collection_of(generation)
            try:
                found = collection.query(query_embeddings=[vector], n_results=count, include=["distances"])
            except (ChromaError, OSError) as error:
                self.close()
                raise VectorIndexError(
                    f"The vector index cannot be read ({error}). Run: circuit-court library build"
                ) from error
        distances = found["distances"]
        if distances is None:
            raise VectorIndexError("Chroma returned no distances. Run: circuit-court library build")
        return [
            (identity, 1.0 - float(distance)) for identity, distance in zip(found["ids"][0], distances[0], strict=True)
        ]

    def drop_others(self, keep: Sequence[str]) -> None:
        """Remove this library's generations that nobody needs any more."""
        if self.server:
            needed = {self._collection(generation) for generation in keep}
            client = self._client("", create=False)
            for collection in client.list_collections():
                if collection.name.startswith(self._collection("g")) and collection.name not in needed:
                    client.delete_collection(collection.name)
        elif self.folder.is_dir():
            for path in self.folder.iterdir():
                if path.is_dir() and path.name.startswith("g") and path.name not in keep:
                    shutil.rmtree(path)

    def exists(self, generation: str) -> bool:
        """Whether a generation is there to be opened."""
        if not self.server:
            return (self.folder / generation).is_dir()
        return any(
            found.name == self._collection(generation) for found in self._client("", create=False).list_collections()
        )

    def close(self) -> None:
        """Release the generation that is open."""
        with self._using:
            if self._open:
                _close(self._open[1])
                self._open = None

    def _collection(self, generation: str) -> str:
        return "-".join(filter(None, (COLLECTION, self.owner, generation))) if self.server else COLLECTION

    def _collection_of(self, generation: str) -> chromadb.Collection:
        if self._open and self._open[0] == generation:
            return self._open[2]
        self.close()
        client = self._client(generation, create=False)
        try:
            collection = client.get_collection(self._collection(generation), embedding_function=None)
        except (NotFoundError, ValueError) as error:
            _close(client)
            raise VectorIndexError("The vector index is not there. Run: circuit-court library build") from error
        self._open = (generation, client, collection)
        return collection

    def _client(self, generation: str, *, create: bool) -> ClientAPI:
        if self.server:
            return _connect(self.server)
        path = self.folder / generation
        if create:
            path.mkdir(parents=True, mode=0o700)
        elif not path.is_dir():
            raise VectorIndexError(f"The vector index {path} is not there. {_REMEDY}")
        else:
            _refuse_code(path)
        return chromadb.PersistentClient(path=str(path), settings=_settings())


def _refuse_code(folder: Path) -> None:
    """Raise VectorIndexError unless the collections in a folder name no embedding function but Chroma's own words for none,
    or its default.

    Chroma builds what a collection names as it opens it, before anything of ours could look. Read without Chroma, and not as
    an immutable file, for which SQLite would pass over a write-ahead log that Chroma reads.
    """
    try:
        with closing(
            sqlite3.connect(f"{(folder / 'chroma.sqlite3').absolute().as_uri()}?mode=ro", uri=True)
        ) as database:
            for row in database.execute("SELECT config_json_str, schema_str FROM collections"):
                for told in filter(None, row):
                    json.loads(told, object_pairs_hook=_refuse_named)
    except (sqlite3.Error, ValueError, TypeError, RecursionError) as error:
        raise VectorIndexError(f"The vector index {folder} cannot be read ({error}). {_REMEDY}") from error


def _refuse_named(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """One JSON object of what a collection names, unless it names code, or a key twice: then readers may differ on it."""
    told = dict(pairs)
    if len(told) < len(pairs):
        raise ValueError("a key is given twice")
    if "embedding_function" in told and told["embedding_function"] not in _INERT:
        raise VectorIndexError(
            f"The vector index names an embedding function ({str(told['embedding_function'])[:80]}) that this library never "
            f"writes, and opening it could run foreign code. It was not opened. {_REMEDY}"
        )
    return told


def _connect(server: ChromaServer) -> ClientAPI:
    """A client of a server. Raises VectorIndexError, without the key, when it cannot be used."""
    address = urlsplit(server.url if "://" in server.url else f"http://{server.url}")
    secure = address.scheme == "https"
    if not address.hostname or address.username or address.password:
        raise VectorIndexError("CIRCUIT_COURT_CHROMA_URL is no address of a server. Write http://host:port.")
    try:
        return chromadb.HttpClient(
            host=address.hostname,
            port=address.port or (443 if secure else 8000),
            ssl=secure,
            headers={"x-chroma-token": server.api_key} if server.api_key else None,
            settings=_settings(),
            tenant=server.tenant,
            database=server.database,
        )
    except (ChromaError, ValueError, OSError, httpx.HTTPError) as error:
        reason = f"{type(error).__name__}: {error}".replace(server.api_key or "\0", "***").splitlines()[0][:200]
        raise VectorIndexError(
            f"The Chroma server at {address.hostname} cannot be used ({reason}). Check CIRCUIT_COURT_CHROMA_URL, _API_KEY, "
            "_TENANT and _DATABASE, or unset CIRCUIT_COURT_CHROMA_URL to keep vectors beside the library."
        ) from None


def _settings() -> Settings:
    """Settings of one client: Chroma writes the server's address into the object it is given, so it is never shared."""
    return Settings(anonymized_telemetry=False)


def _close(client: ClientAPI) -> None:
    """Release a client's files and threads; the type that Chroma declares has no `close`, the object has."""
    if isinstance(client, Client):
        client.close()
