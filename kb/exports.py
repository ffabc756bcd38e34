"""Taking the library elsewhere: a reading list as BibTeX or Markdown, and passages with vectors as JSONL and NumPy.

A Chroma folder is never exported (opening a foreign one can run code); `passages.jsonl` and `vectors.npy` hold what is
needed to rebuild an index anywhere: row i of the vectors belongs to line i. BibTeX keys are document ids. It
exports what the library holds and invents no field; a list of authors that the document itself ends with "et al." ends so here.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, text

from kb.errors import KbError
from kb.records import Document

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "^": r"\^{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\~{}",
}


def bibtex(documents: Sequence[Document]) -> str:
    """The documents that have an author or a year as BibTeX entries."""
    return "\n".join(_entry(document) for document in documents if document.authors or document.year)


def reading_list(documents: Sequence[Document]) -> str:
    """A Markdown list by year: authors, title, address, trust and verification."""
    lines = ["# Reading list", ""]
    for document in sorted(documents, key=lambda found: (-(found.year or 0), found.title)):
        address = document.url or (f"https://arxiv.org/abs/{document.arxiv}" if document.arxiv else None)
        title = document.title.replace("[", r"\[").replace("]", r"\]")
        more = " et al." if len(document.authors) > 3 or _cut(document) else ""
        who = f"{', '.join(document.authors[:3])}{more} " if document.authors else ""
        when = f"({document.year}). " if document.year else ""
        marks = ", ".join(
            mark for mark in (document.trust and f"trust {document.trust}", document.verification) if mark
        )
        lines.append(f"- {who}{when}{f'[{title}](<{address}>)' if address else title}{f' ({marks})' if marks else ''}")
    return "\n".join(lines) + "\n"


def export_passages(connection: Connection, folder: Path) -> int:
    """Write `passages.jsonl` and `vectors.npy` into a folder; how many passages.

    Raises KbError when a passage has no vector yet: the two files belong together line by line.
    """
    query = "SELECT count(*) FROM passages p WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.number = p.number AND v.part = 0)"
    missing = connection.execute(text(query)).scalar()
    if missing:
        raise KbError(
            f"{missing} passages have no vector, so they cannot be exported. Run: circuit-court library build"
        )
    folder.mkdir(parents=True, exist_ok=True)
    rows = connection.execute(
        text(
            "SELECT p.id, p.document_id, d.title, p.heading, p.start_at, p.end_at, p.page, v.vector, "
            "substr(d.text, p.start_at + 1, p.end_at - p.start_at) AS body FROM passages p "
            "JOIN documents d ON d.id = p.document_id JOIN vectors v ON v.number = p.number AND v.part = 0 "
            "ORDER BY p.number"
        )
    ).all()
    with (folder / "passages.jsonl").open("w", encoding="utf-8") as lines:
        for row in rows:
            record = {"id": row.id, "document_id": row.document_id, "title": row.title, "heading": row.heading}
            place = {"start": row.start_at, "end": row.end_at, "page": row.page, "text": row.body}
            lines.write(json.dumps({**record, **place}, ensure_ascii=False) + "\n")
    vectors = np.array([np.frombuffer(row.vector, "<f4") for row in rows], dtype=np.float32)
    np.save(folder / "vectors.npy", vectors, allow_pickle=False)
    return len(rows)


def _entry(document: Document) -> str:
    fields = {
        "title": f"{{{_plain(document.title)}}}",
        "author": " and ".join([*map(_plain, document.authors), *(["others"] if _cut(document) else [])]),
        "year": str(document.year or ""),
        "eprint": document.arxiv or "",
        "archiveprefix": "arXiv" if document.arxiv else "",
        "url": document.url or "",
    }
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@misc{{{re.sub(r'[^A-Za-z0-9:_-]', '-', document.id)},\n{body}}}\n"


def _cut(document: Document) -> bool:
    """Whether the document's own list of authors says that it goes on."""
    return bool(document.authors) and f"{document.authors[-1]} et al." in document.text


def _plain(value: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in value)
