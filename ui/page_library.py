"""Library: what has been written, searchable and readable, every note with its trust and its links."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from agent.errors import USER_ERRORS
from kb.records import DocumentLine, Filters, LiteratureClaim
from ui.backend import open_court
from ui.library import open_library
from ui.safe_markdown import plain, safe
from ui.style import frame
from ui.view_library_add import draw_adding, draw_fetched, draw_job
from ui.view_library_note import draw_note
from ui.view_library_search import draw_filters, draw_hits
from ui.view_library_study import draw_comparison, draw_disagreements, draw_taking_along

LISTED = 60
QUESTION = "library-question"


def draw() -> None:
    """The page: a note when the address names one, the search otherwise."""
    frame("Library", wide=False)
    if name := st.query_params.get("note"):
        draw_note(name)
        return
    st.title("Library", anchor=False)
    if job := st.query_params.get("ingest"):
        with st.container(border=True):
            draw_job(job)
    draw_fetched()
    st.session_state.setdefault(QUESTION, st.query_params.get("q", ""))  # `value=` from the address loses the next one
    question = st.text_input(
        "Search the library",
        key=QUESTION,
        placeholder="Ask in English or Korean: what is an induction head? 활성화 패칭이란?",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    filters = draw_filters()
    if question.strip():
        st.query_params["q"] = question
        draw_hits(question, filters)
    else:
        st.query_params.pop("q", None)
        draw_shelves(filters)


def draw_shelves(filters: Filters | None) -> None:
    """Before a search: what there is (as far as the filters let it), and what can be tested here."""
    library = open_library()
    documents = library.documents()
    if not documents:
        st.info(
            "The library is empty. Bring in the starter notes: `circuit-court library build`",
            icon=":material/menu_book:",
        )
        draw_adding()
        return
    notes, claims, compared, disagreeing, adding, taking = st.tabs(
        [f"{len(documents)} documents", "Claims to test here", "Compare", "Disagreements", "Add", "Take along"]
    )
    with notes:
        draw_shelf(library.documents(filters) if filters else documents)
    with claims:
        draw_claims(library.claims())
    with compared:
        draw_comparison(documents)
    with disagreeing:
        draw_disagreements()
    with adding:
        draw_adding()
    with taking:
        draw_taking_along()


def draw_shelf(documents: Sequence[DocumentLine]) -> None:
    """The documents as a table whose rows open them."""
    if not documents:
        st.info("No document passes these filters.", icon=":material/search_off:")
        return
    st.dataframe(
        [{"title": d.title, "kind": d.kind, "year": str(d.year or ""), "trust": d.trust} for d in documents],
        hide_index=True,
        height=560,
        key="shelf",
        on_select=partial(open_selected, [d.id for d in documents]),
        selection_mode="single-row",
        column_config={"title": st.column_config.TextColumn(width="large")},
    )
    st.caption("Select a row to read the note.")


def open_selected(shown: Sequence[str]) -> None:
    """Open the note of the selected row among the ids that were shown."""
    rows = st.session_state["shelf"]["selection"]["rows"]
    if rows:
        st.query_params.from_dict({"note": shown[rows[0]]})


def draw_claims(claims: list[LiteratureClaim]) -> None:
    """The literature's claims, each with the way to a trial here."""
    words = st.text_input("Filter claims", placeholder="model, task, component or words", label_visibility="collapsed")
    shown = [c for c in claims if _matches(c, words)]
    st.caption(f"{len(shown)} claims" + (f", the first {LISTED} shown" if len(shown) > LISTED else ""))
    for claim in shown[:LISTED]:
        draw_literature_claim(claim)


def draw_literature_claim(claim: LiteratureClaim) -> None:
    """One claim of a paper with "test this here"."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(safe(claim.claim))
        facts = [claim.title, str(claim.year or ""), ", ".join(claim.models), claim.task or "", claim.component or ""]
        st.caption(" · ".join(plain(fact) for fact in facts if fact))
        with st.expander("How it would be tested"):
            for label, words in (
                ("by", claim.intervention),
                ("expected", claim.expected),
                ("refuted if", claim.refuted_if),
            ):
                if words:
                    st.markdown(f"**{label}** {safe(words)}")
            if st.button("Test this here", key=f"test-{claim.id}", icon=":material/gavel:"):
                run_id = open_court().ask(f"Can this be tested in this model? {claim.claim} ({claim.id})")
                st.switch_page("page_chat.py", query_params={"run": run_id})


def _matches(claim: LiteratureClaim, words: str) -> bool:
    text = " ".join(str(value) for value in claim.model_dump().values() if value).casefold()
    return all(word in text for word in words.casefold().split())


try:
    draw()
except USER_ERRORS as wrong:
    st.error(plain(str(wrong)), icon=":material/error:")
