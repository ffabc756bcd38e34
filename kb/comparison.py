"""A table over papers: what each asked, on which models, how, what it found with figures, where it ends. All cited.

Every cell is a verbatim sentence of the document or a field of its front matter; an empty cell means that the library
has nothing to put there, not that the paper has nothing.
"""

import re
from collections.abc import Sequence

from kb.records import Cited, Document, Record, Summary

_FIGURE = re.compile(r"\d")


class ComparisonRow(Record):
    """One document's row."""

    document_id: str
    title: str
    year: int | None
    models: tuple[str, ...]
    trust: str | None
    verification: str | None
    question: Cited | None
    method: Cited | None
    findings: tuple[Cited, ...]
    limit: Cited | None
    tests: int


def compare(rows: Sequence[tuple[Document, Summary]]) -> list[ComparisonRow]:
    """One row for each document, by year; findings with figures come first."""
    table = [
        ComparisonRow(
            document_id=document.id,
            title=document.title,
            year=document.year,
            models=document.models,
            trust=document.trust,
            verification=document.verification,
            question=next(iter(summary.question), None),
            method=next(iter(summary.method), None),
            findings=tuple(sorted(summary.findings, key=lambda cited: not _FIGURE.search(cited.text)))[:3],
            limit=next(iter(summary.limits), None),
            tests=len(summary.tests),
        )
        for document, summary in rows
    ]
    return sorted(table, key=lambda row: (row.year or 9999, row.title))


def as_markdown(table: Sequence[ComparisonRow]) -> str:
    """The table as Markdown, a row for each document; each sentence has a number, and the list below says where it stands."""
    lines = ["| paper | year | models | question | method | findings | limits |", "|---|---|---|---|---|---|---|"]
    numbers: dict[str, int] = {}  # by place

    def cell(sentences: Sequence[Cited | None]) -> str:
        cited = [one for one in sentences if one is not None]
        return "<br>".join(f"{c.text} [{numbers.setdefault(c.place, len(numbers) + 1)}]" for c in cited)

    for row in table:
        told = [cell([row.question]), cell([row.method]), cell(row.findings), cell([row.limit])]
        cells = [row.title, str(row.year or ""), "; ".join(row.models[:4]), *told]
        lines.append("| " + " | ".join(text.replace("|", r"\|").replace("\n", " ") for text in cells) + " |")
    places = [f"- [{number}] {place}" for place, number in numbers.items()]
    return "\n".join([*lines, *([""] if places else []), *places]) + "\n"
