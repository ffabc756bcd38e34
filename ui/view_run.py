"""A run while it runs and after it has ended: what is being done, how far it is, and the button that stops it."""

import streamlit as st

from agent.court import Court
from ui.run_view import RunView, Step, fold
from ui.safe_markdown import plain, safe

_SIGN = {"running": ":material/progress_activity:", "done": ":material/check:", "failed": ":material/error:"}


@st.fragment(run_every=0.5)
def follow_run(court: Court, run_id: str) -> None:
    """Draw the run as its events come in; when it ends, the page is drawn again with the answer stored."""
    known: RunView | None = st.session_state.get(f"run-{run_id}")
    view = fold(court.events(run_id, after=known.last if known else 0), known)
    st.session_state[f"run-{run_id}"] = view
    draw_live(view)
    if view.ended:
        st.rerun()
    if view.approval:
        draw_approval(court, run_id)
    if st.button("Stop", icon=":material/stop_circle:", key=f"stop-{run_id}", help="Stop this run"):
        court.cancel(run_id)
        st.toast("Stopping at the next safe point")


def draw_approval(court: Court, run_id: str) -> None:
    """A plan that costs more than the budget goes on only when somebody says so."""
    with st.container(horizontal=True):
        if st.button("Go on", type="primary", icon=":material/check:", key=f"approve-{run_id}"):
            court.approve(run_id, yes=True)
        if st.button("Not now", icon=":material/close:", key=f"decline-{run_id}"):
            court.approve(run_id, yes=False)


def draw_live(view: RunView) -> None:
    """Status, bar, steps and the words so far."""
    st.markdown(f":shimmer[{plain(view.status)}]" if not view.text else f":small[{plain(view.status)}]")
    if view.progress is not None:
        st.progress(min(1.0, max(0.0, view.progress.done)), text=f"{view.progress.done:.0%}")
    if view.steps:
        draw_steps(view, expanded=True)
    if view.usage.calls:
        st.caption(plain(view.usage.says()))
    if view.approval:
        st.warning(plain(view.approval), icon=":material/pan_tool:")
    if view.text:
        st.markdown(safe(view.text))


def draw_steps(view: RunView, *, expanded: bool = False) -> None:
    """What was done, step by step, in one tidy place."""
    count = len(view.steps)
    label = f"{count} step{'s' if count != 1 else ''}"
    with st.expander(label, expanded=expanded, icon=":material/account_tree:"):
        st.markdown("\n".join(_lines(view.steps)))


def _lines(steps: tuple[Step, ...]) -> list[str]:
    lines = []
    for step in steps:
        lines.append(f"- {_SIGN[step.state]} {plain(step.title)}")
        lines += [f"    - :small[{plain(note)}]" for note in step.notes]
    return lines
