"""The starter notes: what each note of `starter/facts.yaml` must say, and complete wiki notes kept in step with it.

A note in `starter/notes/<key>.md` has three parts: front matter, Links and Sources come from the facts by code
(`complete`), the text between them is written by hand and stays as it is. `python -m kb.starter_notes` brings the files in step;
tests/kb/test_starter_notes.py fails while they are not. Guides in `starter/guides/` are written whole. Trust comes
from the venue (reviewed: high; preprint, laboratory thread or post: medium), verification from the facts file, where
`[recall]` marks what was written from memory. The facts are second-hand: a note is no substitute for the paper.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kb.errors import KbError
from kb.notes import parse_note, print_note

FOLDER = Path(__file__).parent / "starter"
NOTES = FOLDER / "notes"
GUIDES = FOLDER / "guides"
_REVIEWED = re.compile(r"ICLR|NeurIPS|ICML|TMLR|EMNLP|ACL|COLM|CLeaR|BlackboxNLP|Distill(?! report)", re.IGNORECASE)
_ENDING = re.compile(r"\n## (?:Links|Sources)\n.*", re.DOTALL)


@cache
def facts() -> dict[str, dict[str, Any]]:
    """The facts by key, in file order."""
    loaded = yaml.load((FOLDER / "facts.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {entry["key"]: entry for entry in loaded}


@cache
def asked() -> dict[str, list[str]]:
    """How each entry may be asked for in other words, by key."""
    return yaml.load((FOLDER / "asked.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def note_files() -> list[Path]:
    """Every starter note and guide, by name."""
    return sorted([*NOTES.glob("*.md"), *GUIDES.glob("*.md")], key=lambda path: path.name)


def front_matter(entry: dict[str, Any]) -> dict[str, Any]:
    """The front matter of an entry's note, in the order of the user's wiki format."""
    source = _source_of(entry)
    recalled = entry["confidence"] != "verified"
    partly = not recalled and "[recall]" in str(entry)
    return {
        "id": entry["key"],
        "title": entry.get("title") or entry["name"],
        "category": entry["kind"],
        "status": entry["priority"],
        "canonical_id": entry["key"],
        "aliases": entry["aliases"],
        "duplicate_of": None,
        "source_trust_level": "high" if _REVIEWED.search(source.get("venue", "")) else "medium",
        "confidence_score": 0.5 if recalled else 0.8 if partly else 0.9,
        "verification_status": "unverified" if recalled else "partially-verified" if partly else "verified",
        "tags": [topic.casefold().replace(" ", "-") for topic in entry["topics"]],
        "raw_sources": [address for address in (_arxiv_url(source), source.get("url")) if address],
        "last_reinforced": None,
        "github_commit": None,
        "tech_stack": [],
        "kind": entry["kind"],
        **({"year": entry["year"]} if "year" in entry else {}),
        **({"authors": _authors(entry["authors"])} if "authors" in entry else {}),
        **({"arxiv": entry["arxiv"]} if "arxiv" in entry else {}),
        **({"url": entry.get("url") or _arxiv_url(entry)} if entry.get("url") or entry.get("arxiv") else {}),
        **({"models": entry["models_studied"]} if "models_studied" in entry else {}),
        "questions": asked()[entry["key"]],
        **({"claims": entry["claims_testable"]} if entry.get("claims_testable") else {}),
    }


def complete(entry: dict[str, Any], body: str) -> str:
    """The whole note of an entry around its hand-written text."""
    title = entry.get("title") or entry["name"]
    text = _ENDING.sub("", "\n" + body.strip() + "\n").strip()
    if not text.startswith("# "):
        text = f"# {title}\n\n{text}"
    links = "\n".join(f"- [[{key}]]: {_title(key)}" for key in entry["related"])
    sources = "\n".join(f"- {line}" for line in _sources(entry))
    return print_note(front_matter(entry), f"{text}\n\n## Links\n\n{links}\n\n## Sources\n\n{sources}")


def refresh() -> list[str]:
    """Bring every note file in step with the facts; the keys of those that changed.

    Raises KbError for an entry that has no note yet.
    """
    changed: list[str] = []
    for key, entry in facts().items():
        path = NOTES / f"{key}.md"
        if not path.is_file():
            raise KbError(f"There is no starter note for {key!r}. Write its text to {path} and run this again.")
        before = path.read_text(encoding="utf-8")
        after = complete(entry, parse_note(before, path.name).text)
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(key)
    return changed


def _source_of(entry: dict[str, Any]) -> dict[str, Any]:
    """The facts of the paper behind an entry: its own, or a concept's canonical source."""
    if entry["kind"] == "paper":
        return entry
    named = facts().get(entry["canonical_source"])
    if named:
        return named
    found = re.search(r"arXiv:(\d{4}\.\d{4,5})", entry["canonical_source"])
    return {"arxiv": found[1]} if found else {}


def _sources(entry: dict[str, Any]) -> list[str]:
    if entry["kind"] == "concept":
        named = entry["canonical_source"]
        return [f"[[{named}]]: {_title(named)}" if named in facts() else named]
    line = f"{entry['authors']} ({entry['year']}). *{entry['title']}*. {entry['venue']}."
    arxiv = [f"arXiv:{entry['arxiv']}: {_arxiv_url(entry)}"] if entry.get("arxiv") else []
    return [line, *arxiv, *([entry["url"]] if entry.get("url") else [])]


def _title(key: str) -> str:
    entry = facts()[key]
    return entry.get("title") or entry["name"]


def _arxiv_url(entry: dict[str, Any]) -> str | None:
    return f"https://arxiv.org/abs/{entry['arxiv']}" if entry.get("arxiv") else None


def _authors(names: str) -> list[str]:
    return [name.strip() for name in re.split(r",| and | & ", names.replace("et al.", "")) if name.strip()]


if __name__ == "__main__":
    refresh()
