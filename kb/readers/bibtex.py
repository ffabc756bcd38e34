"""BibTeX: each entry becomes a document of kind `reference` with its metadata, so that a work is known before it is read.

LaTeX accents and braces are resolved. The text is the reference itself and the abstract where there is one. A field that is given twice
counts once; of two entries with one key about two works the second gets an id of its own, about one work it is left out. Both, and
entries that cannot be parsed, are problems of the file's first document; the others go in.
"""

import re
from dataclasses import replace
from pathlib import Path

from bibtexparser.entrypoint import parse_string
from bibtexparser.library import Library
from bibtexparser.middlewares import LatexDecodingMiddleware, default_parse_stack
from bibtexparser.model import Block, DuplicateBlockKeyBlock, DuplicateFieldKeyBlock, Entry

from kb.errors import ReadError
from kb.incoming import Incoming, apart, slug
from kb.readers.markdown import decode
from kb.text import name_key, normalise

_ARXIV = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?")


def read(path: Path, *, origin: str) -> list[Incoming]:
    """One document for each entry. Raises ReadError when there is none."""
    library = parse_string(decode(path.read_bytes(), path.name), append_middleware=[LatexDecodingMiddleware()])
    documents = {found.id: found for found in (_document(entry, origin, path) for entry in library.entries)}
    faults: list[str] = []
    for block in library.failed_blocks:
        entry, what = _rescued(block, library)
        faults.append(f"line {(block.start_line or 0) + 1}: {what}")
        found = _document(entry, origin, path) if entry else None
        if found and found.id in documents and name_key(documents[found.id].title) != name_key(found.title):
            found = replace(found, id=apart(found))
        if found:
            documents.setdefault(found.id, found)
    if not documents:
        raise ReadError(f"{path.name} holds no BibTeX entry that can be read. Check its braces.")
    first, *others = documents.values()
    return [replace(first, problems=tuple(faults)), *others]


def _rescued(block: Block, library: Library) -> tuple[Entry | None, str]:
    """The entry in a block that the parser sets aside, if it can be read all the same, and what is wrong with it."""
    entry = getattr(block, "ignore_error_block", None)
    if isinstance(block, DuplicateBlockKeyBlock) and isinstance(entry, Entry):
        what = f"the key {block.key!r} is given twice. Give each work a key of its own."
    elif isinstance(block, DuplicateFieldKeyBlock) and isinstance(entry, Entry):
        keys = ", ".join(sorted(block.duplicate_keys))
        what = f"{entry.key} gives {keys} twice; the first was read. Keep one."
        entry.fields = list({field.key: field for field in reversed(entry.fields)}.values())[::-1]
    else:
        return None, "an entry is not valid BibTeX. Check its braces and its key."
    alone = Library([*library.strings, entry])
    for layer in [*default_parse_stack(), LatexDecodingMiddleware()]:
        alone = layer.transform(alone)
    return (alone.entries[0] if alone.entries else None), what


def _document(entry: Entry, origin: str, path: Path) -> Incoming:
    fields = {field.key.lower(): _plain(str(field.value)) for field in entry.fields}
    title = fields.get("title") or entry.key
    written = re.split(r"\s+and\s+", fields.get("author", ""))
    names = [_name(name) for name in written if name.strip() and name.strip() != "others"]
    year = re.search(r"\d{4}", fields.get("year", "") or fields.get("date", ""))
    venue = fields.get("journal") or fields.get("booktitle") or fields.get("howpublished") or ""
    where = " ".join(fields.get(name, "") for name in ("eprint", "journal", "url", "note", "doi"))
    arxiv = (
        _ARXIV.search(where)
        if "arxiv" in (where + fields.get("archiveprefix", "") + fields.get("eprinttype", "")).casefold()
        else None
    )
    line = f"{', '.join(names)} ({year[0] if year else 'no year'}). {title}. {venue}".strip(" .") + "."
    address = fields.get("url") or (f"https://doi.org/{fields['doi']}" if fields.get("doi") else None)
    return Incoming(
        id=slug(f"bib {entry.key}"),
        title=title,
        kind="reference",
        text=f"{line}\n\n{fields.get('abstract', '')}".strip() + "\n",
        origin=origin,
        source=str(path),
        aliases=(entry.key,),
        front={
            "authors": names,
            "year": int(year[0]) if year else None,
            "arxiv": arxiv[1] if arxiv else None,
            "url": address,
            "tags": [tag.strip() for tag in re.split("[,;]", fields.get("keywords", "")) if tag.strip()],
        },
    )


def _plain(value: str) -> str:
    return " ".join(normalise(value.replace("{", "").replace("}", "")).split())


def _name(written: str) -> str:
    last, *others = [part.strip() for part in written.split(",")]  # "Last, First" or "Last, Jr., First"
    return " ".join(part for part in [*others[-1:], last, *others[:-1]] if part)
