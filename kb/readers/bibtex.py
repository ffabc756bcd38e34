"""BibTeX: each entry becomes a document of kind `reference` with its metadata, so that a work is known before it is read.

LaTeX accents and braces are resolved. The text is the reference itself and the abstract where there is one. Entries that
cannot be parsed are problems of the file's first document; the others go in.
"""

import re
from dataclasses import replace
from pathlib import Path

from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares import LatexDecodingMiddleware
from bibtexparser.model import Entry

from kb.errors import ReadError
from kb.incoming import Incoming, slug
from kb.readers.markdown import decode
from kb.text import normalise

_ARXIV = re.compile(r"(\d{4}\.\d{4,5})(?:v\d+)?")


def read(path: Path, *, origin: str) -> list[Incoming]:
    """One document for each entry. Raises ReadError when there is none."""
    library = parse_string(decode(path.read_bytes(), path.name), append_middleware=[LatexDecodingMiddleware()])
    entries = [_document(entry, origin=origin, source=str(path)) for entry in library.entries]
    if not entries:
        raise ReadError(f"{path.name} holds no BibTeX entry that can be read. Check its braces.")
    faults = tuple(
        f"line {(block.start_line or 0) + 1}: an entry is not valid BibTeX. Check its braces and its key."
        for block in library.failed_blocks
    )
    return [replace(entries[0], problems=faults), *entries[1:]]


def _document(entry: Entry, *, origin: str, source: str) -> Incoming:
    fields = {field.key.lower(): _plain(str(field.value)) for field in entry.fields}
    title = fields.get("title") or entry.key
    names = [_name(name) for name in re.split(r"\s+and\s+", fields.get("author", "")) if name.strip()]
    year = re.search(r"\d{4}", fields.get("year", "") or fields.get("date", ""))
    venue = fields.get("journal") or fields.get("booktitle") or fields.get("howpublished") or ""
    where = " ".join(fields.get(name, "") for name in ("eprint", "journal", "url", "note", "doi"))
    arxiv = _ARXIV.search(where) if "arxiv" in (where + fields.get("archiveprefix", "")).casefold() else None
    line = f"{', '.join(names)} ({year[0] if year else 'no year'}). {title}. {venue}".strip(" .") + "."
    address = fields.get("url") or (f"https://doi.org/{fields['doi']}" if fields.get("doi") else None)
    return Incoming(
        id=slug(f"bib {entry.key}"),
        title=title,
        kind="reference",
        text=f"{line}\n\n{fields.get('abstract', '')}".strip() + "\n",
        origin=origin,
        source=source,
        aliases=(entry.key,),
        front={
            "authors": names,
            "year": int(year[0]) if year else None,
            "arxiv": arxiv[1] if arxiv else None,
            "url": address,
            "tags": [tag.strip() for tag in fields.get("keywords", "").split(",") if tag.strip()],
        },
    )


def _plain(value: str) -> str:
    return " ".join(normalise(value.replace("{", "").replace("}", "")).split())


def _name(written: str) -> str:
    last, comma, first = written.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else written.strip()
