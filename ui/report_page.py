"""A report as one self-contained web page: no script, nothing loaded from anywhere, the graph drawn inline, light and dark.

Every text that came from a question, a note or a model is escaped. The page's own policy forbids scripts and
requests, so that a saved report can be sent on. Numbers show the result they are stored in.
"""

from collections.abc import Iterable, Sequence
from html import escape

from agent.answer import Citation
from agent.report import ClaimLine, NodeStatus, Number, Report
from agent.report_text import edge_name, role_words
from ui.figures_circuit import SIGN, draw_circuit
from ui.palette import DARK, LIGHT, Palette

_CSS = """
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .6rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
.lead{font-size:1.08rem}.muted{color:var(--muted);font-size:.9rem}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--rule)}
th{color:var(--muted);font-weight:500}code{font-size:.9em}
.supported{color:var(--supported)}.refuted{color:var(--refuted)}.open{color:var(--inconclusive)}
.result{color:var(--muted);font-size:.78em;white-space:nowrap}
.figure{overflow-x:auto;margin:1rem 0}.figure.dark{display:none}
blockquote{margin:.3rem 0 .8rem;padding-left:.8rem;border-left:3px solid var(--rule)}
.wide{overflow-x:auto}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def report_html(report: Report) -> str:
    """The whole report as an HTML document."""
    parts = [
        f"<h1>{escape(report.question)}</h1>",
        f'<p class="lead">{escape(report.answer)}</p>',
        _scope(report),
        _figure(report),
        _nodes(report),
        _edges(report),
        _claims("Refuted", report.refuted(), "Nothing that was tested was refuted."),
        _claims("Open", report.still_open(), "Nothing that was tested stayed open."),
        _claims("Not tested: the budget did not reach them", report.untested(), ""),
        _literature(report),
        _hypotheses(report),
        _account(report),
        _quotations(report.citations),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(report.question)}</title><style>{_colors()}{_CSS}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _colors() -> str:
    dark = f"@media(prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}"
    swap = ".figure.light{display:none}.figure.dark{display:block!important}}"
    return f":root{{{_variables(LIGHT)}}}" + dark + swap


def _variables(palette: Palette) -> str:
    names = ("ground", "raised", "ink", "muted", "rule", "accent", "supported", "refuted", "inconclusive")
    return "".join(f"--{name}:{getattr(palette, name)};" for name in names)


def _scope(report: Report) -> str:
    gate = ", ".join(_number(number) for number in report.gate)
    words = [
        f"Model {escape(report.model)} (sha256 {report.model_sha256[:12]}), task {escape(report.task)}@"
        f"{escape(report.task_version)}. Behaviour gate {'passed' if report.gate_passed else 'not passed'}: {gate}."
    ]
    words += [f"{escape(line)}." for line in (report.gate_reason, *report.remarks) if line]
    return f'<p class="muted">{" ".join(words)}</p>'


def _figure(report: Report) -> str:
    if not report.mechanism.nodes:
        return ""
    title = f"Mechanism of {report.task} in {report.model}"
    light = draw_circuit(report.mechanism, LIGHT, title=title)
    dark = draw_circuit(report.mechanism, DARK, title=title)
    key = (
        "Solid and ✓ supported, dashed and ? open, dotted and ✗ refuted. An arrow works for the answer, "
        "a bar works against it; letters name the input of the receiver (query, key, value)."
    )
    return (
        f'<h2>Mechanism</h2><div class="figure light">{light}</div><div class="figure dark">{dark}</div>'
        f'<p class="muted">{key}</p>'
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _number(number: Number) -> str:
    return f'{escape(number.says())} <span class="result">{escape(number.result_id)}</span>'


def _numbers(numbers: Sequence[Number]) -> str:
    return "<br>".join(_number(number) for number in numbers)


def _status(status: NodeStatus) -> str:
    return f'<span class="{status}">{SIGN[status]} {status}</span>'


def _nodes(report: Report) -> str:
    rows = [
        (f"<code>{escape(n.component)}</code>", escape(role_words(n)), _status(n.status), _numbers(n.numbers))
        for n in report.mechanism.nodes
        if n.kind not in ("input", "logits")
    ]
    return _table(("component", "role", "verdict", "effect, as a share of the gap"), rows) if rows else ""


def _edges(report: Report) -> str:
    rows = [
        (f"<code>{escape(edge_name(e))}</code>", _status(e.status), _numbers(e.numbers)) for e in report.mechanism.edges
    ]
    return _table(("connection", "verdict", "effect, as a share of the gap"), rows) if rows else ""


def _claims(title: str, claims: Sequence[ClaimLine], otherwise: str) -> str:
    if not claims:
        return f"<h2>{title}</h2><p>{otherwise}</p>" if otherwise else ""
    rows = [(escape(c.text), _numbers(c.numbers), _why(c)) for c in claims]
    return f"<h2>{title}</h2>" + _table(("claim", "measured", "why, and what would change it"), rows)


def _why(claim: ClaimLine) -> str:
    q = [f"session q = {claim.q:.3f}"] if claim.verdict == "supported" and claim.q is not None else []
    return "<br>".join(escape(line) for line in [claim.reason, *q, *claim.remarks, *claim.missing] if line)


def _literature(report: Report) -> str:
    if not report.literature:
        return ""
    rows = [
        (
            escape(line.says),
            escape(f"{line.title} ({', '.join(line.models) or 'model not named'})"),
            escape(line.outcome),
            escape(line.here),
        )
        for line in report.literature
    ]
    return "<h2>Compared with the literature</h2>" + _table(("the literature says", "where", "here", "which"), rows)


def _hypotheses(report: Report) -> str:
    if not report.hypotheses:
        return ""
    rows = [
        (escape(h.key), escape(h.title), escape(h.origin), escape(h.rationale), escape(", ".join(h.rivals)))
        for h in report.hypotheses
    ]
    return "<h2>Hypotheses</h2>" + _table(("", "hypothesis", "from", "why it was made", "rivals"), rows)


def _account(report: Report) -> str:
    lines = [*report.explored, f"Spent: {report.spent.experiments} experiments, {report.spent.says()}."]
    if report.plan is not None:
        lines.append(f"Plan: {report.plan.says()}")
    if report.approved is not None:
        lines.append(f"The plan over the budget was {'approved' if report.approved else 'not approved'}.")
    return "<h2>What was done</h2><ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _quotations(citations: Sequence[Citation]) -> str:
    if not citations:
        return ""
    quotes = "".join(
        f"<p>{escape(c.title)} <span class='result'>{escape(c.passage_id)}, characters {c.start} to {c.end}</span></p>"
        f"<blockquote>{escape(c.quote)}</blockquote>"
        for c in citations
    )
    return f"<h2>Passages</h2>{quotes}"
