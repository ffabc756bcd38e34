"""Investigations: from a question to a mechanism. The address names the run, so that a reload finds it again."""

import streamlit as st

from agent.cards import RunCard
from agent.court import Court
from agent.errors import USER_ERRORS
from agent.report import Report
from ui.backend import ended_events, open_court
from ui.run_view import fold
from ui.safe_markdown import plain
from ui.settings import load
from ui.style import frame
from ui.view_report import draw_report
from ui.view_run import draw_steps, follow_run
from ui.view_status import draw_status

SIGNS = {
    "queued": ":material/hourglass_empty:",
    "running": ":material/progress_activity:",
    "done": ":material/check_circle:",
    "failed": ":material/error:",
    "cancelled": ":material/stop_circle:",
}


def draw() -> None:
    """The page."""
    frame("Investigations", wide=False)
    court = open_court()
    chosen = st.query_params.get("run")
    with st.sidebar:
        draw_list(court, chosen)
        draw_status(court, load().model)
    if chosen:
        draw_run(court, court.run(chosen))
    else:
        draw_start(court)


def draw_list(court: Court, chosen: str | None) -> None:
    """Earlier investigations, newest first."""
    if st.button("New investigation", icon=":material/add:", width="stretch", key="new-investigation"):
        st.query_params.clear()
        st.rerun()
    for run in [run for run in court.runs() if run.kind == "investigate"][:40]:
        name = f"conversation-{run.run_id}"
        label = plain(str(run.request.get("question", "")))
        label = f"**{label}**" if run.run_id == chosen else label
        if (
            st.button(label, key=name, type="tertiary", width="stretch", icon=SIGNS[run.status])
            and run.run_id != chosen
        ):
            st.query_params.from_dict({"run": run.run_id})
            st.rerun()
    st.divider()


def draw_start(court: Court) -> None:
    """Where an investigation begins."""
    st.title("How does the model do it?", anchor=False)
    st.markdown(
        "An investigation explores, states hypotheses from the literature and from what it saw, registers their claims, "
        "tests them on fresh prompts, and reports the mechanism with a verdict on each part. A plan that costs more than "
        "the budget asks first."
    )
    with st.form("investigate", border=True):
        question = st.text_input("Question", placeholder="How does this model do IOI?")
        left, right = st.columns(2)
        model = left.text_input("Model", value=load().model)
        seconds = right.number_input("Budget in seconds", min_value=60.0, value=load().budget_seconds, step=60.0)
        if st.form_submit_button("Investigate", type="primary", icon=":material/search_insights:"):
            run_id = court.investigate(question, model=model.strip() or None, seconds=float(seconds))
            st.query_params["run"] = run_id
            st.rerun()


def draw_run(court: Court, run: RunCard) -> None:
    """One investigation: live, its report, or why there is none."""
    if run.status in ("queued", "running"):
        st.title(plain(str(run.request.get("question", "Investigation"))), anchor=False)
        follow_run(court, run.run_id)
        return
    if run.status == "done" and run.outcome is not None:
        draw_report(Report.model_validate(run.outcome), run.run_id)
    elif run.status == "cancelled":
        st.markdown(":gray-badge[:material/stop_circle: stopped] What it had found is kept on the Claims page.")
    else:
        st.error(plain(run.error or "The run ended without a report."), icon=":material/error:")
    view = fold(ended_events(run.run_id))
    if view.steps:
        draw_steps(view)


try:
    draw()
except USER_ERRORS as wrong:
    st.error(plain(str(wrong)), icon=":material/error:")
