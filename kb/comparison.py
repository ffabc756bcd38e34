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
    """The table as Markdown, a row for each document."""
    lines = ["| paper | year | models | method | findings | limits |", "|---|---|---|---|---|---|"]
    for row in table:
        findings = "<br>".join(cited.text for cited in row.findings)
        cells = [
            row.title,
            str(row.year or ""),
            "; ".join(row.models[:4]),
            row.method.text if row.method else "",
            findings,
            row.limit.text if row.limit else "",
        ]
        lines.append("| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
