"""Dense search: the nearest passages by cosine, from Chroma's current generation and, by brute force, what came since.

SQLite holds every vector. A Chroma generation (`kb.vectors`) covers the passages up to a number; younger ones are few
and are compared directly, so a passage can be found the moment its transaction ends, in every process, and Chroma is
rebuilt only when they are many (`sync`). Under a filter the allowed passages are compared directly when they are few;
otherwise more are fetched unfiltered and dropped, because Chroma's own metadata filters are linear scans. Passages that
were removed since a generation was built are dropped here.
"""

import json
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32
from sqlalchemy import Connection, text

from kb.errors import VectorIndexError
from kb.store import Store

if TYPE_CHECKING:
    from kb.vectors import VectorIndex

YOUNG = 2000  # passages outside the generation before it is rebuilt
FEW = 4000  # allowed passages that are compared directly
CHUNK = 2000

_Matrix = tuple[np.ndarray, Float32[np.ndarray, "passage dimension"]]


class DenseIndex:
    """Nearest passages for a query vector. Safe to use from any process; `sync` belongs to whoever writes."""

    def __init__(self, store: Store, open_index: "Callable[[], VectorIndex]") -> None:
        self.store = store
        self._open_index = open_index
        self._young: tuple[tuple[int, int, int], _Matrix] | None = None

    @cached_property
    def index(self) -> "VectorIndex":
        """Chroma, imported and opened at the first need."""
        return self._open_index()

    def close(self) -> None:
        if "index" in self.__dict__:
            self.index.close()

    def nearest(
        self,
        connection: Connection,
        vector: Float32[np.ndarray, " dimension"],
        count: int,
        allowed: Collection[int] | None = None,
    ) -> list[tuple[int, float]]:
        """Passages (number, cosine), nearest first; at most `count`."""
        if allowed is not None and len(allowed) <= FEW:
            return self.cosines(connection, vector, allowed)[:count]
        generation, covered = self._current(connection)
        numbers, matrix = self._load_young(connection, covered)
        found = dict(_top(numbers, matrix, vector, count if allowed is None else len(numbers)))
        if generation:
            size = int(self._setting(connection, "index_size") or 1)
            fetch = 2 * count + 20 if allowed is None else min(count * 20, 2000)
            named = self.index.nearest(generation, vector, min(fetch, size))
            for number, cosine in _numbers_of(connection, named, covered):
                found.setdefault(number, cosine)
        kept = [(number, cosine) for number, cosine in found.items() if allowed is None or number in allowed]
        return sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:count]

    @staticmethod
    def cosines(
        connection: Connection, vector: Float32[np.ndarray, " dimension"], numbers: Collection[int]
    ) -> list[tuple[int, float]]:
        """The cosines of given passages, nearest first."""
        owners, matrix = _load(connection, sorted(numbers))
        return _top(owners, matrix, vector, len(owners))

    @staticmethod
    def vectors(
        connection: Connection, whole: Collection[int], further: Collection[int] = ()
    ) -> list[tuple[int, int, np.ndarray]]:
        """(passage number, part, vector) of all that was embedded of `whole` passages, and of the text of `further` ones; part 0
        is the passage itself, the others are the questions that its note carries."""
        asked, told = (", ".join(str(int(number)) for number in numbers) for numbers in (whole, further))
        rows = connection.exec_driver_sql(
            f"SELECT number, part, vector FROM vectors WHERE number IN ({asked}) "
            f"UNION ALL SELECT number, part, vector FROM vectors WHERE number IN ({told}) AND part = 0"
        ).all()
        return [(number, part, np.frombuffer(vector, dtype="<f4")) for number, part, vector in rows]

    def sync(self) -> bool:
        """Build a new generation when too much is outside the current one; whether one was built."""
        if not self._is_due():
            return False
        with self.index.writing():
            if not self._is_due():  # another process may have done it meanwhile
                return False
            self._rebuild()
        return True

    def rebuild(self) -> None:
        """Write a new generation from SQLite, point to it, and remove all but the one before it."""
        with self.index.writing():
            self._rebuild()

    def _is_due(self) -> bool:
        with self.store.read() as connection:
            generation, covered = self._current(connection)
            young = connection.execute(text("SELECT count(*) FROM vectors WHERE number > :n"), {"n": covered}).scalar()
            total = connection.execute(text("SELECT count(*) FROM vectors")).scalar() or 0
            built = int(self._setting(connection, "index_size") or 0)
        gone = built - (total - (young or 0))
        there = generation is not None and self.index.exists(generation)
        return total > 0 and not (there and (young or 0) <= YOUNG and gone * 5 <= built)

    def _rebuild(self) -> None:
        with self.store.read() as connection:
            before, _ = self._current(connection)
            last = connection.execute(text("SELECT max(number) FROM vectors")).scalar() or 0
            size = connection.execute(text("SELECT count(*) FROM vectors")).scalar() or 0
            generation = self.index.build(_stream(connection, last))
        self.store.set_settings({"index_generation": generation, "index_covered": str(last), "index_size": str(size)})
        self.index.drop_others([name for name in (before, generation) if name])

    def _current(self, connection: Connection) -> tuple[str | None, int]:
        generation = self._setting(connection, "index_generation")
        return generation, int(self._setting(connection, "index_covered") or 0) if generation else 0

    @staticmethod
    def _setting(connection: Connection, key: str) -> str | None:
        return connection.execute(text("SELECT value FROM library_settings WHERE key = :key"), {"key": key}).scalar()

    def _load_young(self, connection: Connection, covered: int) -> _Matrix:
        query = text("SELECT count(*) AS size, max(number) AS last FROM vectors WHERE number > :covered")
        row = connection.execute(query, {"covered": covered}).one()
        state = (covered, row.size, row.last or 0)
        if self._young is None or self._young[0] != state:
            rows = connection.execute(
                text("SELECT number, vector FROM vectors WHERE number > :covered ORDER BY number"), {"covered": covered}
            )
            self._young = (state, _matrix([(found.number, found.vector) for found in rows]))
        return self._young[1]


def _stream(connection: Connection, last: int) -> Iterator[tuple[list[str], np.ndarray]]:
    query = text(
        "SELECT v.number, v.part, p.id, v.vector FROM vectors v JOIN passages p ON p.number = v.number "
        "WHERE (v.number, v.part) > (:number, :part) AND v.number <= :last ORDER BY v.number, v.part LIMIT :chunk"
    )
    after = {"number": 0, "part": 0}
    while rows := connection.execute(query, {**after, "last": last, "chunk": CHUNK}).all():
        _, matrix = _matrix([(row.number, row.vector) for row in rows])
        yield [f"{row.id}~{row.part}" for row in rows], matrix
        after = {"number": rows[-1].number, "part": rows[-1].part}


def _load(connection: Connection, numbers: list[int]) -> _Matrix:
    rows: list[tuple[int, bytes]] = []
    for start in range(0, len(numbers), CHUNK):
        places = ", ".join(str(int(number)) for number in numbers[start : start + CHUNK])
        found = connection.exec_driver_sql(f"SELECT number, vector FROM vectors WHERE number IN ({places})")
        rows.extend((number, vector) for number, vector in found.all())
    return _matrix(rows)


def _matrix(rows: list[tuple[int, bytes]]) -> _Matrix:
    sizes = {len(vector) for _, vector in rows}
    if len(sizes) > 1:
        raise VectorIndexError("The library holds vectors of two embedders. Run: circuit-court library build")
    flat = np.frombuffer(b"".join(vector for _, vector in rows), dtype="<f4")
    width = sizes.pop() // 4 if sizes else 1
    return np.array([number for number, _ in rows], dtype=np.int64), flat.reshape(len(rows), width)


def _top(numbers: np.ndarray, matrix: np.ndarray, vector: np.ndarray, count: int) -> list[tuple[int, float]]:
    if len(numbers) == 0 or count == 0:
        return []
    cosines = matrix @ vector
    best: dict[int, float] = {}
    for place in np.argsort(-cosines, kind="stable"):
        best.setdefault(int(numbers[place]), float(cosines[place]))
        if len(best) == count:
            break
    return list(best.items())


def _numbers_of(connection: Connection, named: list[tuple[str, float]], covered: int) -> list[tuple[int, float]]:
    """Chroma's passage ids as passage numbers; ids that are gone, or were written anew since, are dropped."""
    if not named:
        return []
    best: dict[str, float] = {}
    for name, cosine in named:
        best.setdefault(name.partition("~")[0], cosine)
    query = "SELECT id, number FROM passages WHERE id IN (SELECT value FROM json_each(?)) AND number <= ?"
    rows = connection.exec_driver_sql(query, (json.dumps(list(best)), covered)).all()
    numbers = {row.id: row.number for row in rows}
    return [(numbers[name], cosine) for name, cosine in best.items() if name in numbers]
