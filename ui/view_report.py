"""An investigation's report on the page: the mechanism drawn, what stands, what fell, what stayed open, and its files."""

import re

import streamlit as st

from agent.answer import Answer
from agent.report import Report
from agent.report_text import report_json, report_markdown
from ui import figures
from ui.figures_circuit import draw_circuit
from ui.report_page import report_html
from ui.safe_markdown import plain
from ui.view_answer import draw_answer

_RESULT = re.compile(r"\s?\[\^r:[^\]]+\]")
_FIRST_HEADING = re.compile(r"\A# [^\n]*\n+")


def draw_report(report: Report, key: str) -> None:
    """The whole report."""
    st.title(plain(report.question), anchor=False)
    st.markdown(f"**{plain(report.answer)}**")
    counts = {
        "green": ("supported", len(report.supported())),
        "red": ("refuted", len(report.refuted())),
        "orange": ("open", len(report.still_open())),
        "gray": ("not tested", len(report.untested())),
    }
    st.markdown(" ".join(f":{color}-badge[{count} {word}]" for color, (word, count) in counts.items() if count))
    draw_mechanism(report)
    draw_answer(readable(report), key)
    draw_files(report)


def readable(report: Report) -> Answer:
    """The report's words as an answer: results' markers left out (its files keep them), passages and claims numbered."""
    text = _FIRST_HEADING.sub("", _RESULT.sub("", report_markdown(report)))
    text = text.removeprefix(report.answer).lstrip()
    return Answer(text=text.replace("\n## ", "\n#### "), citations=list(report.citations), llm="computed")


def draw_mechanism(report: Report) -> None:
    """The graph: the frame and the sign of each part tell its verdict; the tables below hold the numbers."""
    palette = figures.palette_for(st.context.theme.type)
    drawn = draw_circuit(report.mechanism, palette, title=f"Mechanism of {report.task} in {report.model}")
    if drawn:
        st.image(drawn, width="stretch")
        st.caption("Solid and ✓ supported, dashed and ? open, dotted and ✗ refuted; a bar works against the answer.")


def draw_files(report: Report) -> None:
    """The report to keep: one self-contained page, Markdown, JSON."""
    name = re.sub(r"\W+", "-", report.question.lower()).strip("-")[:60] or "report"
    files = {"html": report_html(report), "md": report_markdown(report), "json": report_json(report)}
    with st.container(horizontal=True, gap="small"):
        for ending, content in files.items():
            st.download_button(
                f"{ending}", content, file_name=f"{name}.{ending}", icon=":material/download:", key=f"report-{ending}"
            )
