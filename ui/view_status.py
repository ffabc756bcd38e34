"""The slim line that says whether somebody is there to work: the worker, the model, its self-test."""

from typing import Any

import streamlit as st

from agent.court import Court
from agent.errors import USER_ERRORS
from ui.safe_markdown import plain


def status_line(alive: bool, models: list[dict[str, Any]], wanted: str) -> str:
    """Markdown badges for the worker and for the model under study."""
    worker = ":green-badge[:material/bolt: worker ready]" if alive else ":orange-badge[:material/bolt: no worker]"
    entry = next((m for m in models if wanted in (m.get("spec"), m.get("name"))), {"name": wanted})
    return f"{worker} {model_badge(entry)}  \n:small[{plain(str(entry.get('name', wanted)))}]"


def model_badge(entry: dict[str, Any]) -> str:
    """The outcome of a model's self-test."""
    checks = (entry.get("selftest") or {}).get("checks", [])
    if not checks:
        return ":gray-badge[:material/pending: not self-tested yet]"
    failed = [plain(str(check["name"])) for check in checks if not check["passed"]]
    if failed:
        return f":red-badge[:material/error: self-test failed ({', '.join(failed)})]"
    return ":green-badge[:material/verified: self-test passed]"


@st.fragment(run_every=5.0)
def draw_status(court: Court, wanted: str) -> None:
    """The line itself, kept current."""
    try:
        models = court.catalogue("model")
    except USER_ERRORS:  # nothing has been published yet: the line says so by itself
        models = []
    alive = court.worker_alive()
    st.markdown(status_line(alive, models, wanted))
    if not alive:
        st.caption("Start one with `circuit-court worker`; questions wait until it is there.")
