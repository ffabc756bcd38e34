"""A report as Markdown, each number followed by the id of its result, each sentence of the literature by its passage.

The words are fixed; every value comes from the report's data (`agent/report.py`). Markers are those of
`agent/answer.py`: `[^r:ID]` a result, `[^c:ID]` a claim, `[^p:ID]` a passage.
"""

from collections.abc import Iterable

from agent.report import ClaimLine, EdgeCard, LiteratureLine, NodeCard, NodeStatus, Number, Report

STATUS_WORD: dict[NodeStatus, str] = {"supported": "supported", "refuted": "refuted", "open": "open"}


def report_markdown(report: Report) -> str:
    """The whole report as Markdown."""
    parts = [
        f"# {report.question}",
        report.answer,
        _scope(report),
        _mechanism(report),
        _circuit(report),
        _refuted(report),
        _open(report),
        _untested(report),
        _literature(report.literature),
        _hypotheses(report),
        _account(report),
        _sources(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def report_json(report: Report) -> str:
    """The whole report as JSON."""
    return report.model_dump_json(indent=2)


def _scope(report: Report) -> str:
    gate = ", ".join(cited(number) for number in report.gate)
    lines = [
        f"Model {report.model} (sha256 {report.model_sha256[:12]}), task {report.task}@{report.task_version}.",
        f"Behaviour gate: {'passed' if report.gate_passed else 'not passed'} ({gate}).",
    ]
    if report.gate_reason:
        lines.append(report.gate_reason + ".")
    return " ".join([*lines, *report.remarks])


def _mechanism(report: Report) -> str:
    graph = report.mechanism
    if not graph.nodes:
        return ""
    nodes = [
        "| component | role | verdict | effect |",
        "|---|---|---|---|",
        *(
            f"| `{n.component}` | {role_words(n)} | {STATUS_WORD[n.status]} | {_effects(n)} |"
            for n in graph.nodes
            if n.kind not in ("input", "logits")
        ),
    ]
    edges = [
        "| connection | verdict | effect |",
        "|---|---|---|",
        *(f"| `{edge_name(e)}` | {STATUS_WORD[e.status]} | {_effects(e)} |" for e in graph.edges),
    ]
    shown = ["## Mechanism", "\n".join(nodes)]
    return "\n\n".join([*shown, "\n".join(edges)] if graph.edges else shown)


def _circuit(report: Report) -> str:
    """What became of the claims about the set as a whole."""
    lines = [f"- {STATUS_WORD[c.status]}: {claim_line(c)}" for c in report.claims if "circuit" in c.type and c.verdict]
    return "\n\n".join(["## As a circuit", "\n".join(lines)]) if lines else ""


def role_words(node: NodeCard) -> str:
    """The role with its verdict, when a role was claimed."""
    if not node.role:
        return ""
    return f"{node.role} ({node.role_status})" if node.role_status else node.role


def edge_name(edge: EdgeCard) -> str:
    """`a5.h1->a7.h2<q>`."""
    return f"{edge.source}->{edge.target}" + (f"<{edge.channel}>" if edge.channel else "")


def cited(number: Number) -> str:
    """A number with its result."""
    return f"{number.says()}[^r:{number.result_id}]"


def _effects(card: NodeCard | EdgeCard) -> str:
    marks = " ".join(f"[^c:{claim}]" for claim in card.claim_ids)
    return " ".join(part for part in ("; ".join(cited(number) for number in card.numbers), marks) if part)


def _refuted(report: Report) -> str:
    lines = []
    for claim in report.refuted():
        why = _sentence(claim.reason)
        lines.append(". ".join([f"- {claim_line(claim)} {why}", *map(_sentence, claim.missing)]).rstrip(".") + ".")
    return "\n\n".join(["## Refuted", "\n".join(lines) or "Nothing that was tested was refuted."])


def claim_line(claim: ClaimLine) -> str:
    """One claim with its numbers, reason and remarks."""
    numbers = ", ".join(cited(number) for number in claim.numbers)
    sentence = f"**{claim.text}**[^c:{claim.claim_id}]"
    if numbers:
        sentence += f": {numbers}"
    return ". ".join([sentence, *claim.remarks]) + "."


def _open(report: Report) -> str:
    lines = []
    for claim in report.still_open():
        why = claim.reason
        if claim.verdict == "supported" and claim.q is not None:
            why = f"supported alone, but not over the {len(report.claims)} claims of this session (q = {claim.q:.3f})"
        settle = map(_sentence, claim.missing)
        lines.append(". ".join([f"- {claim_line(claim)} {_sentence(why)}", *settle]).rstrip(".") + ".")
    return "\n\n".join(["## Open", "\n".join(lines) or "Nothing that was tested stayed open."])


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _untested(report: Report) -> str:
    if not report.untested():
        return ""
    lines = [f"- {claim.text}[^c:{claim.claim_id}]" for claim in report.untested()]
    return "\n\n".join(["## Not tested", "The budget did not reach these claims.", "\n".join(lines)])


def _literature(lines: list[LiteratureLine]) -> str:
    if not lines:
        return ""
    parts = ["## Compared with the literature"]
    for document in _unique(line.document_id for line in lines):
        own = [line for line in lines if line.document_id == document]
        parts.append(f"{own[0].title} ({', '.join(own[0].models) or 'model not named'}):")
        head = ["| it says | here | which |", "|---|---|---|"]
        parts.append("\n".join([*head, *map(_literature_row, own)]))
    return "\n\n".join(parts)


def _literature_row(line: LiteratureLine) -> str:
    marker = f" [^p:{line.citation.passage_id}]" if line.citation else ""
    return f"| {_cell(line.says)}{marker} | {line.outcome} | {_cell(line.here)} |"


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")


def _hypotheses(report: Report) -> str:
    if not report.hypotheses:
        return ""
    lines = []
    for line in report.hypotheses:
        marks = " ".join(f"[^p:{passage}]" for passage in line.passages)
        rivals = f" Rivals: {', '.join(line.rivals)}." if line.rivals else ""
        lines.append(f"- **{line.key}: {line.title}** ({line.origin}). {line.rationale} {marks}{rivals}".rstrip())
    return "\n\n".join(["## Hypotheses", "\n".join(lines)])


def _account(report: Report) -> str:
    lines = [f"- {line}" for line in report.explored]
    lines.append(f"- Spent: {report.spent.experiments} experiments, {report.spent.says()}.")
    if report.usage is not None:
        lines.append(f"- The llm: {report.usage.says()}.")
    if report.plan is not None:
        lines.append(f"- Plan: {report.plan.says()}")
    if report.approved is not None:
        lines.append(f"- The plan over the budget was {'approved' if report.approved else 'not approved'}.")
    return "\n\n".join(["## What was done", "\n".join(lines)])


def _sources(report: Report) -> str:
    cites = [
        f"[^p:{c.passage_id}]: {c.title}, characters {c.start} to {c.end}: “{_cell(c.quote)}”" for c in report.citations
    ]
    claims = [f"[^c:{c.claim_id}]: {_cell(c.displayed or c.text)} ({c.scope})" for c in report.claims if c.scope]
    claims += [f"[^c:{c.claim_id}]: {_cell(c.text)}" for c in report.claims if not c.scope]
    used = _unique(n.result_id for c in report.claims for n in c.numbers)
    results = [f"[^r:{result}]: stored result {result}" for result in _unique([*_gate_results(report), *used])]
    return "\n".join([*cites, *claims, *results])


def _gate_results(report: Report) -> list[str]:
    return [number.result_id for number in report.gate]


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
