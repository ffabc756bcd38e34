"""Tables over documents and disagreements between them as findings of the chat: verbatim sentences, each cited.

`kb/comparison.py` and `kb/disagreements.py` find them; here they become what the llm reads and an answer may cite.
"""

from collections.abc import Callable, Sequence

from agent.answer import Citation
from agent.chat.found import Found
from kb.comparison import ComparisonRow
from kb.disagreements import Disagreement
from kb.records import Cited

Cite = Callable[[Cited], Citation]


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
        citations=[cite(sentence) for sentence in sentences],
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
        citations=[cite(sentence) for pair in pairs for sentence in (pair.one, pair.other)],
        data={"pairs": data, "topic": topic},
    )
