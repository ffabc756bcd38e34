"""Adding notes and papers from the browser: files as one durable job with its bar, an address fetched while one waits,
and what became of every item."""

from collections import Counter
from pathlib import Path
from typing import Any

import streamlit as st

from agent.errors import USER_ERRORS
from ui.backend import open_court, titles
from ui.library import open_library
from ui.safe_markdown import plain
from ui.settings import load
from ui.view_run import follow_run

STATES = ("added", "updated", "unchanged", "removed", "failed", "cancelled")
LISTED = 200
FETCHED = "library-fetched"  # the report of what was fetched last, until it is closed


def draw_adding() -> None:
    """Files and folders, or one web address."""
    _draw_files()
    _draw_address()


def _draw_files() -> None:
    """The form that starts a job; the address then names it."""
    with st.form("add", border=False):
        place = st.text_input(
            "File or folder on this machine",
            key="place",
            placeholder="/home/me/wiki or ~/papers/2211.00593.pdf",
            help="Notes (Markdown), PDF, HTML, BibTeX, text. A folder is followed: deleted files leave the library.",
        )
        if st.form_submit_button("Add", icon=":material/library_add:") and place.strip():
            source = Path(place.strip()).expanduser()
            if not source.exists():
                st.error(
                    plain(f"There is no file or folder {place.strip()!r}. Check the path; a web address goes below.")
                )
                return
            st.query_params["ingest"] = open_court().add_to_library([str(source)])
            st.rerun()
    st.caption("Items go in one by one and stay in when the job is stopped; added again, only what changed is read.")


def _draw_address() -> None:
    """The form that fetches one address; a refusal is a sentence below it."""
    with st.form("fetch", border=False):
        address = st.text_input(
            "Web address or arXiv id",
            key="address",
            placeholder="https://transformer-circuits.pub/2022/toy_model/ or 2211.00593",
            help="Fetched only when CIRCUIT_COURT_FETCH=true, and only from public addresses.",
        )
        if not st.form_submit_button("Fetch", icon=":material/cloud_download:") or not address.strip():
            return
        from kb.fetch import Fetcher  # brings the http client along

        try:
            with st.spinner(f"Fetching {plain(address.strip())}"):
                report = open_library().add_address(address.strip(), Fetcher(allowed=load().fetch))
        except USER_ERRORS as wrong:
            st.error(plain(str(wrong)), icon=":material/error:")
            return
    st.session_state[FETCHED] = report.model_dump(mode="json")
    titles.clear()  # the shelf and links know the new note at once
    st.rerun()


def draw_fetched() -> None:
    """The report of what was fetched last, until it is closed."""
    if FETCHED not in st.session_state:
        return
    with st.container(border=True):
        draw_report(st.session_state[FETCHED], "fetched-faults")
        if st.button("Close", icon=":material/close:", key="close-fetched"):
            del st.session_state[FETCHED]
            st.rerun()


def draw_job(run_id: str) -> None:
    """The job while it runs, its report afterwards."""
    court = open_court()
    run = court.run(run_id)
    if run.status in ("queued", "running"):
        follow_run(court, run_id)
        return
    if run.status == "done":
        draw_report(run.outcome or {}, "faults")
    elif run.status == "cancelled":
        st.info("Stopped. What was finished is in the library; add the same folder again to go on.")
    else:
        st.error(plain(run.error or "The job failed."), icon=":material/error:")
    if st.button("Close", icon=":material/close:", key="close-job"):
        st.query_params.pop("ingest", None)
        st.rerun()


def draw_report(report: dict[str, Any], key: str) -> None:
    """How many items came to what, and every fault with its remedy; `key` tells two reports on one page apart."""
    items = report["items"]
    counts = Counter(item["state"] for item in items)
    st.markdown(" ".join(f":gray-badge[{counts[state]} {state}]" for state in STATES if counts[state]))
    rows = [
        {"file": Path(item["source"]).name, "state": item["state"], "what to do": note}
        for item in items
        for note in ([item["message"]] if item["state"] == "failed" else []) + list(item["problems"])
    ]
    rows += [{"file": "", "state": "across notes", "what to do": problem} for problem in report["problems"]]
    if rows:
        st.dataframe(rows[:LISTED], hide_index=True, key=key)
        if len(rows) > LISTED:
            st.caption(f"The first {LISTED} of {len(rows)} remarks.")
