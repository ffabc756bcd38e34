"""Studying several documents at once: side by side, where they disagree, and the reading list to take along."""

from collections.abc import Sequence

import streamlit as st

from agent.errors import USER_ERRORS
from kb.comparison import ComparisonRow
from kb.disagreements import HOW, Disagreement
from kb.records import Cited, DocumentLine
from ui.backend import titles
from ui.library import open_library
from ui.note_markdown import note_markdown
from ui.safe_markdown import plain

MOST = 4  # documents beside each other


def draw_comparison(documents: Sequence[DocumentLine]) -> None:
    """Question, method, findings and limits of two to four documents, every sentence verbatim."""
    names: dict[str, str] = {line.id: line.title for line in documents if line.canonical_id == line.id}
    chosen = st.multiselect(
        "Documents to compare",
        list(names),
        format_func=lambda name: names[str(name)],  # a list of options is no Markdown
        max_selections=MOST,
        placeholder="Choose two to four documents",
        key="compared",
    )
    if len(chosen) < 2:
        st.caption("Every sentence is cited from its document; an empty cell means that the library has nothing there.")
        return
    with st.spinner("Reading"):
        rows = _compared(tuple(chosen))
    for place, (column, row) in enumerate(zip(st.columns(len(rows)), rows, strict=True)):
        with column:
            _draw_column(row, place)


@st.cache_data(show_spinner=False, ttl=60, max_entries=16)
def _compared(names: tuple[str, ...]) -> list[ComparisonRow]:
    """Every tab is drawn at every click on the page; what was read a moment ago is not read again."""
    return open_library().compare(names)


@st.cache_data(show_spinner=False, ttl=60, max_entries=16)
def _disagreements(topic: str) -> list[Disagreement]:
    return open_library().disagreements(topic)


def _draw_column(row: ComparisonRow, place: int) -> None:
    _draw_title(row.document_id, f"compared-{place}")
    st.caption(plain(" · ".join([str(row.year or "no year"), ", ".join(row.models[:4]) or "no model named"])))
    parts = {
        "Question": [row.question] if row.question else [],
        "Method": [row.method] if row.method else [],
        "Findings": list(row.findings),
        "Limits": [row.limit] if row.limit else [],
    }
    for label, sentences in parts.items():
        st.markdown(f"**{label}**\n\n" + ("\n".join(f"- {cited_words(cited)}" for cited in sentences) or "–"))
    st.caption(f"{row.tests} {'claim' if row.tests == 1 else 'claims'} to test here")


def draw_disagreements() -> None:
    """Cited sentences on a topic that point in opposite directions, with what differs between them."""
    topic = st.text_input(
        "Topic", placeholder="Topic: induction heads and in-context learning", label_visibility="collapsed", key="topic"
    )
    if not topic.strip():
        st.caption("A disagreement is a lead for a person to follow, not a judgement.")
        return
    try:
        with st.spinner("Reading"):
            found = _disagreements(topic)
    except USER_ERRORS as wrong:
        st.error(plain(str(wrong)), icon=":material/error:")
        return
    if not found:
        st.info("Nothing in the library disagrees about this, as far as its words show.", icon=":material/search_off:")
    for place, pair in enumerate(found):
        _draw_pair(pair, place)


def _draw_pair(pair: Disagreement, place: int) -> None:
    with st.container(border=True, gap="xsmall"):
        st.caption(HOW[pair.kind])
        for column, side, cited in zip(st.columns(2), ("one", "other"), (pair.one, pair.other), strict=True):
            with column:
                _draw_title(cited.document_id, f"pair-{place}-{side}")
                st.markdown(cited_words(cited))
        for name, (one, other) in {"model": pair.models, "metric": pair.metrics, "ablation": pair.ablations}.items():
            if one or other:
                sides = [plain(", ".join(values)) or "–" for values in (one, other)]
                st.caption(f"{name} differs: {sides[0]} against {sides[1]}")


def draw_taking_along() -> None:
    """The whole library as a reading list."""
    st.caption(
        "All documents with their sources. For some of them, or for passages with vectors: `circuit-court library export --help`"
    )
    with st.container(horizontal=True):
        for label, name, make in (
            ("BibTeX", "reading-list.bib", lambda: open_library().export("bibtex")),
            ("Markdown", "reading-list.md", lambda: open_library().export("markdown")),
        ):
            st.download_button(
                f"Reading list as {label}", make, file_name=name, icon=":material/download:", key=f"list-{label}"
            )


def _draw_title(name: str, key: str) -> None:
    """A title that leads to its note."""
    if st.button(f"**{plain(titles().get(name, name))}**", key=key, type="tertiary", help="Read the note"):
        st.query_params.from_dict({"note": name})
        st.rerun()


def cited_words(cited: Cited) -> str:
    """A cited sentence with its page, as Markdown."""
    page = f" :small[:gray[page {cited.page}]]" if cited.page else ""
    return f"{note_markdown(' '.join(cited.text.split()), '', titles())}{page}"
