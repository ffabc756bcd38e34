"""Summaries, tables over documents and disagreements as findings of the chat: verbatim sentences, each cited.

`kb` finds them; here they become what the llm reads and an answer may cite. Sentences of one passage share a citation that
spans them all.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from agent.answer import Citation
from agent.chat.found import Found
from kb.comparison import ComparisonRow
from kb.disagreements import Disagreement
from kb.records import Cited, Document, LiteratureClaim, Passage, Summary
from kb.summaries import cite as cite_span
from kb.summaries import sentence_spans

Cite = Callable[[Sequence[Cited]], list[Citation]]
Part = Literal["all", "question", "method", "findings", "limits", "tests", "source"]


def summary_found(summary: Summary, part: Part, cite: Cite) -> Found:
    """A summary, or one part of it."""
    names = ("question", "method", "findings", "limits", "korean") if part == "all" else (part,)
    parts: dict[str, tuple[Cited, ...]] = {name: getattr(summary, name) for name in names if name != "tests"}
    lines = [f"{summary.title} ({', '.join(summary.document_ids)}), {summary.verification or 'not verified'}"]
    for name, sentences in parts.items():
        lines += [f"{name}: {s.text} [^p:{s.passage_id}]" for s in sentences]
    if part in ("all", "tests"):
        lines += [f"testable here: {in_full(claim)} ({claim.document_id})" for claim in summary.tests]
    return Found(
        kind="summary",
        text="\n".join(lines),
        citations=cite([sentence for sentences in parts.values() for sentence in sentences]),
        data={"summary": summary.model_dump(mode="json"), "part": part},
    )


def in_full(claim: LiteratureClaim) -> str:
    """A claim of the literature with where, by what, and what would speak for and against it."""
    said = [f"{name} {words}" for name, words in claim_details(claim.model_dump(mode="json"))]
    return "; ".join([claim.claim, *said])


def claim_details(claim: dict[str, Any]) -> list[tuple[str, str]]:
    """The details of a claim that are given, each under its name."""
    names = {
        "component": "in",
        "task": "task",
        "intervention": "by",
        "expected": "expected",
        "refuted_if": "refuted if",
    }
    return [(name, str(claim[key])) for key, name in names.items() if claim.get(key)]


def source_found(document: Document, passages: Sequence[Passage], cite: Cite) -> Found:
    """Who wrote a document, when, and where it is: what it says itself under Sources, else its front matter."""
    own = [passage for passage in passages if passage.heading.rpartition(" > ")[2] in ("Sources", "출처")]
    sentences = [cite_span(passage, start, end) for passage in own for start, end in sentence_spans(passage.text)]
    address = document.url or (f"https://arxiv.org/abs/{document.arxiv}" if document.arxiv else "")
    facts = {"authors": ", ".join(document.authors), "year": str(document.year or ""), "address": address}
    known = {name: value for name, value in facts.items() if value}
    lines = [f"{document.title} ({document.id})", *(f"{name}: {value}" for name, value in known.items())]
    lines += [f"source: {s.text} [^p:{s.passage_id}]" for s in sentences]
    return Found(
        kind="source",
        text="\n".join(lines),
        citations=cite(sentences),
        data={"title": document.title, "facts": known, "sentences": [s.model_dump(mode="json") for s in sentences]},
    )


def comparison_found(rows: Sequence[ComparisonRow], cite: Cite) -> Found:
    """A table, one row for each document; a cell is a cited sentence or empty."""
    lines: list[str] = []
    data = []
    sentences: list[Cited] = []
    for row in rows:
        cells = {
            "question": [row.question] if row.question else [],
            "method": [row.method] if row.method else [],
            "findings": list(row.findings),
            "limits": [row.limit] if row.limit else [],
        }
        lines.append(
            f"{row.title} ({row.document_id}, {row.year or 'no year'}; models: {', '.join(row.models) or 'not named'})"
        )
        lines += [f"- {name}: {s.text} [^p:{s.passage_id}]" for name, cell in cells.items() for s in cell]
        sentences += [s for cell in cells.values() for s in cell]
        shown = {name: [{"text": s.text, "passage_id": s.passage_id} for s in cell] for name, cell in cells.items()}
        data.append({"title": row.title, "year": row.year, "models": list(row.models), **shown})
    return Found(
        kind="comparison",
        text="\n".join(lines),
        citations=cite(sentences),
        data={"rows": data},
    )


def disagreements_found(pairs: Sequence[Disagreement], topic: str, cite: Cite) -> Found:
    """Pairs of cited sentences that point in opposite directions, with what only one of them names."""
    lines, data = [], []
    for pair in pairs:
        differs = {
            name: [list(one), list(other)]
            for name, (one, other) in {"model": pair.models, "metric": pair.metrics, "ablation": pair.ablations}.items()
            if one or other
        }
        sides = [
            {"text": s.text, "passage_id": s.passage_id, "document": s.document_id} for s in (pair.one, pair.other)
        ]
        lines.append(f"{pair.kind} disagreement:")
        lines += [f"- {side['document']}: {side['text']} [^p:{side['passage_id']}]" for side in sides]
        lines += [f"- only one side names this {name}: {one} against {other}" for name, (one, other) in differs.items()]
        data.append({"kind": pair.kind, "sides": sides, "differs": differs})
    text = "\n".join(lines) or f"Nothing in the library disagrees about {topic}, as far as its words show."
    return Found(
        kind="disagreements",
        text=text,
        citations=cite([sentence for pair in pairs for sentence in (pair.one, pair.other)]),
        data={"pairs": data, "topic": topic},
    )
