"""The names documents go by: ids, titles, aliases in any language; canonical redirects; names mentioned in a query.

A duplicate (`duplicate_of`, or a `canonical_id` other than its own) redirects to the note it names, along chains. A cycle
or a target that does not exist is reported by `faults` and never guessed: such notes stand for themselves. In a query,
names are found as the longest runs of words that are a name, Korean words with or without particle and blanks.
"""

import difflib
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, text

from kb.errors import UnknownNameError
from kb.text import name_key, without_particle

LONGEST = 12  # words in a name that is looked for in a query


@dataclass(frozen=True)
class Named:
    """A name: how it was written, whose it is, and whether it is an id (0), a title (1) or an alias (2)."""

    name: str
    document_id: str
    rank: int


class Names:
    """All names of one state of the library."""

    def __init__(self, connection: Connection) -> None:
        self.by_key: dict[str, list[Named]] = defaultdict(list)
        for row in connection.execute(text("SELECT key, name, document_id, rank FROM aliases ORDER BY rank, number")):
            named = Named(row.name, row.document_id, row.rank)
            for key in {row.key, row.key.replace(" ", "")} if not row.key.isascii() else {row.key}:
                self.by_key[key].append(named)
        documents = connection.execute(text("SELECT id, title, kind, canonical_id, duplicate_of FROM documents")).all()
        self.titles = {row.id: row.title for row in documents}
        self.kinds = {row.id: row.kind for row in documents}
        self._redirects = {row.id: (row.canonical_id, row.duplicate_of) for row in documents}
        self.faults: list[str] = []
        self._canonical = {identity: self._follow(identity) for identity in self._redirects}

    @staticmethod
    def state(connection: Connection) -> tuple[int, ...]:
        """Changes whenever the names may have changed."""
        row = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM aliases), (SELECT coalesce(max(number), 0) FROM aliases), "
                "(SELECT count(*) FROM documents)"
            )
        ).one()
        return tuple(row)

    def canonical(self, document_id: str) -> str:
        """The id of the note that stands for a document: usually its own."""
        return self._canonical.get(document_id, document_id)

    def duplicates(self, document_id: str) -> tuple[str, ...]:
        """The documents that redirect to this one."""
        return tuple(
            sorted(name for name, target in self._canonical.items() if target == document_id and name != document_id)
        )

    def resolve(self, name: str, *, prefer: str | None = None) -> str:
        """The canonical id for an id, title or alias. `prefer` is the kind that wins when several share an alias.

        Raises UnknownNameError with the nearest names when there is none, or all when the name is ambiguous.
        """
        if name in self.titles:
            return self.canonical(name)
        found = self.by_key.get(name_key(name)) or self.by_key.get(name_key(name).replace(" ", "")) or []
        best = [named for named in found if named.rank == min(other.rank for other in found)]
        owners = list(dict.fromkeys(self.canonical(named.document_id) for named in best))
        if len(owners) > 1 and prefer:
            owners = [owner for owner in owners if self.kinds.get(owner) == prefer] or owners
        if len(owners) == 1:
            return owners[0]
        if owners:
            raise UnknownNameError(f"{name!r} is the name of {', '.join(owners[:5])}. Give one of these ids.")
        near = difflib.get_close_matches(name_key(name), self.by_key, n=5, cutoff=0.6)
        nearest = list(dict.fromkeys(self.by_key[key][0].document_id for key in near))
        hint = f"Nearest: {', '.join(nearest)}." if nearest else "List them with: circuit-court library show"
        raise UnknownNameError(f"The library has no document called {name!r}. {hint}")

    def mentioned(self, query: str) -> list[Named]:
        """The names that a query contains, longest first match from the left, each owner once."""
        words = name_key(query).split()
        found: list[Named] = []
        start = 0
        while start < len(words):
            step = 1
            for length in range(min(LONGEST, len(words) - start), 0, -1):
                named = self._lookup(words[start : start + length])
                if named:
                    found.extend(named)
                    step = length
                    break
            start += step
        return list({named.document_id: named for named in reversed(found)}.values())[::-1]

    def _lookup(self, words: list[str]) -> list[Named]:
        last = words[-1]
        endings = dict.fromkeys([last, without_particle(last), last.removesuffix("s") if last.isascii() else last])
        for ending in endings:
            key = " ".join([*words[:-1], ending])
            named = self.by_key.get(key) or self.by_key.get(key.replace(" ", "") if not key.isascii() else key)
            if named and len(key) > 1:
                return named
        return []

    def _follow(self, identity: str) -> str:
        seen = [identity]
        while True:
            canonical, duplicate = self._redirects[seen[-1]]
            targets = {target for target in (canonical, duplicate) if target and target != seen[-1]}
            if not targets:
                return seen[-1]
            if len(targets) > 1:
                self._fault(f"{seen[-1]} names two notes that stand for it, {' and '.join(sorted(targets))}: keep one.")
                return seen[-1] if len(seen) == 1 else identity
            target = targets.pop()
            if target not in self._redirects:
                self._fault(f"{seen[-1]} redirects to {target}, which the library does not have: add it or clear it.")
                return seen[-1]
            if target in seen:
                ring = seen[seen.index(target) :]
                first = ring.index(min(ring))  # the circle is one fault, wherever it is entered
                cycle = " -> ".join([*ring[first:], *ring[:first], ring[first]])
                self._fault(f"{cycle} is a circle of duplicates: clear duplicate_of or canonical_id in one of them.")
                return identity
            seen.append(target)

    def _fault(self, sentence: str) -> None:
        if sentence not in self.faults:
            self.faults.append(sentence)
