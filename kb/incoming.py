"""A document on its way into the library: what every reader produces and the store writes.

A note becomes one here (`from_note`); papers and pages come from `kb.readers`. The language is Korean when at least a
fifth of the letters are Hangul. This module does not write anything.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from kb.notes import Note
from kb.passages import PageStart
from kb.text import is_korean, name_key, normalise

FORMAT = 5  # raised whenever passages or search tokens are made differently, so that every document is made anew


@dataclass(frozen=True)
class Incoming:
    """Everything about a document that is stored. `aliases` are further names, without id and
    title; `questions` are other words in which it may be asked for."""

    id: str
    title: str
    kind: str
    text: str
    origin: str
    source: str
    front: dict[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    claims: tuple[dict[str, Any], ...] = ()
    pages: tuple[PageStart, ...] = ()
    problems: tuple[str, ...] = ()
    unnamed: bool = False  # the id is the file's name, because the note gives none

    @property
    def language(self) -> str:
        return "ko" if is_korean(self.text) else "en"

    @property
    def content_hash(self) -> str:
        """Changes when anything that is stored changes, or the way it is cut and indexed."""
        parts = [
            FORMAT,
            self.id,
            self.title,
            self.kind,
            self.text,
            self.origin,
            self.front,
            self.aliases,
            self.questions,
            self.claims,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def from_note(note: Note, *, origin: str, source: str) -> Incoming:
    """A note as a document; its passages come from the body alone. Other notes link to it by its file, too."""
    front = note.front
    known = {name_key(name) for name in (front.id, front.title, *front.aliases)}
    files = tuple(name for name in _file_names(origin, source) if name_key(name) not in known)
    return Incoming(
        id=front.id,
        title=front.title,
        kind=front.kind,
        text=note.text,
        origin=origin,
        source=source,
        front=front.model_dump(mode="json", exclude={"claims"}),
        aliases=(*front.aliases, *files),
        questions=front.questions,
        links=tuple(dict.fromkeys(link.target for link in note.links)),
        claims=tuple(claim.model_dump(exclude_none=True) for claim in front.claims),
        problems=tuple(str(problem) for problem in note.problems),
        unnamed=note.unnamed,
    )


def _file_names(origin: str, source: str) -> list[str]:
    """What a vault's file is called in links: its name, and its place in the vault."""
    vault, path = origin.removeprefix("vault:"), PurePath(source)
    if vault == origin or not path.is_relative_to(vault):
        return []
    place = path.relative_to(vault).with_suffix("")
    return [place.name] if len(place.parts) == 1 else [place.name, place.as_posix()]


def from_text(text: str, *, title: str | None, origin: str, source: str) -> Incoming:
    """Plain text or Markdown without front matter as a document of kind `text`; its id is a slug with a short hash."""
    clean = normalise(text)
    heading = re.search(r"^#\s+(.+?)\s*#*$", clean, re.MULTILINE)
    name = title or (heading[1] if heading else " ".join(clean.split()[:8])) or "untitled"
    return Incoming(id=text_id(name, clean), title=name, kind="text", text=clean, origin=origin, source=source)


def text_id(title: str, text: str) -> str:
    """The id of a document that has none of its own: a slug of its title and a short hash of its text."""
    return f"{slug(title)}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def apart(document: Incoming) -> str:
    """An id for a reference whose key is that of another work: the key and a short hash of the title."""
    return f"{document.id}-{hashlib.sha256(name_key(document.title).encode()).hexdigest()[:6]}"


def slug(name: str) -> str:
    """A title as an id: lower-case words joined by hyphens, at most 60 characters."""
    return re.sub(r"[\W_]+", "-", normalise(name).casefold()).strip("-")[:60].strip("-") or "untitled"
