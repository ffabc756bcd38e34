"""Wiki notes: Markdown with YAML front matter, in the user's own format.

Fields: `id, title, category, status, canonical_id, aliases, duplicate_of, source_trust_level, confidence_score,
verification_status, tags, raw_sources, last_reinforced, github_commit, tech_stack`, and this project's optional
`kind, year, authors, arxiv, url, models, questions, claims` (`questions`: how the note may be asked for). Unknown keys are kept in `extra`. Faults come back as problems
(`kb.front_matter`); the note always goes in. The text of a note is what follows the front matter, normalised
(`kb.text.normalise`). This module does not know what other notes exist: links are returned unresolved.
"""

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

import yaml
from pydantic import BaseModel, ConfigDict

from kb.front_matter import FieldReader, FrontMatter, Problem, load_fields, split_front_matter
from kb.text import normalise

_LINK = re.compile(r"(?<!!)\[\[([^\[\]|#\n]*)(?:#([^\[\]|\n]*))?(?:\|([^\[\]\n]*))?\]\]")
_FILE_LINK = re.compile(r"(?<!!)\[([^\[\]\n]*)\]\(<?(?!\w+:)([^()<>#\n]+\.md)>?(?:#[^()\n]*)?\)")
_TEMPLATE = re.compile(r"<%|\{\{")
_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$|`[^`\n]+`", re.DOTALL | re.MULTILINE)


class Link(BaseModel):
    """A link to another note, `[[target#section|label]]` or `[label](target.md)`, as written."""

    model_config = ConfigDict(frozen=True)
    target: str
    section: str | None = None
    label: str | None = None


class Note(BaseModel):
    """A parsed note. `text` is the normalised body, to which all offsets refer; `unnamed`: the id is the file's name."""

    model_config = ConfigDict(frozen=True)
    front: FrontMatter
    text: str
    links: tuple[Link, ...] = ()
    problems: tuple[Problem, ...] = ()
    unnamed: bool = False


def parse_note(source: str, name: str) -> Note:
    """Read a note from the text of a file called `name` (used where id or title are missing). Never raises."""
    text = normalise(source).removeprefix("\n" if source.startswith("\n---") else "")
    header, body, problems = split_front_matter(text)
    values, lines, faults = load_fields(header)
    problems.extend(faults)
    reader = FieldReader(values, lines, problems)
    stem = PurePath(name).stem
    given = reader.word("id")
    if given and _TEMPLATE.search(given):
        reader.fault("id", "It is a template's; the note is named after its file.")
        given = None
    heading = re.search(r"^#\s+(.+?)\s*#*$", body, re.MULTILINE)
    front = FrontMatter(
        id=given or stem,
        title=reader.word("title") or (heading[1] if heading else stem),
        **reader.rest(),
    )
    return Note(
        front=front,
        text=body,
        links=tuple(links_of(body)),
        problems=tuple(problems),
        unnamed=given is None,
    )


def links_of(body: str) -> list[Link]:
    """The `[[links]]` of a Markdown text and its `[links](to/other notes.md)`, outside code."""
    plain = _FENCE.sub("", body)
    links = [
        Link(
            target=found[1].strip().removesuffix(".md"),
            section=(found[2] or "").strip() or None,
            label=(found[3] or "").strip() or None,
        )
        for found in _LINK.finditer(plain)
        if found[1].strip()
    ]
    for label, target in _FILE_LINK.findall(plain):
        place = re.sub(r"^(?:\.{0,2}/)+", "", unquote(target))
        links.append(Link(target=place.removesuffix(".md"), label=label.strip() or None))
    return links


def print_note(front: Mapping[str, Any], body: str) -> str:
    """A note as file text: the front matter in the order given, then the body."""
    header = yaml.safe_dump(dict(front), allow_unicode=True, sort_keys=False, width=110)
    return f"---\n{header}---\n\n{body.strip()}\n"
