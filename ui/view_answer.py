"""An answer on the page: its words, numbered chips for its sources, and the passage behind each chip.

A chip of a passage opens the passage with the quoted words on a coloured ground; a chip of a claim leads to the
Claims page, one of an investigation to its report; a chip of a result opens its numbers. What was struck out is said below the answer.
"""

import streamlit as st

from agent.answer import Answer
from agent.errors import USER_ERRORS
from ui import figures
from ui.answer_text import Source, numbered
from ui.backend import open_court, stored_result, titles
from ui.claim_text import number
from ui.figures_result import figures_of
from ui.library import find_passage
from ui.note_markdown import note_markdown
from ui.safe_markdown import highlighted, plain

_SIGN = {
    "p": ":material/menu_book:",
    "r": ":material/monitoring:",
    "c": ":material/gavel:",
    "i": ":material/account_tree:",
}
_COLOR = {"p": "blue", "r": "gray", "c": "violet", "i": "green"}
_OPENS = {"p": "Open the passage", "r": "Open the result", "c": "Open the claim", "i": "Open the investigation"}


def answer_markdown(answer: Answer) -> tuple[str, list[Source]]:
    """The answer's words made safe, its markers as numbered badges, and the sources."""
    made_safe = answer.model_copy(update={"text": note_markdown(answer.text, "", titles())})
    return numbered(made_safe, lambda source: f":{_COLOR[source.kind]}-badge[{source.number}]")


def draw_answer(answer: Answer, key: str) -> None:
    """Words, chips, and what was struck out."""
    text, sources = answer_markdown(answer)
    st.markdown(text)
    if sources:
        with st.container(horizontal=True, gap="xsmall", key=f"sources-{key}"):
            for source in sources:
                _chip(source, key)
    if answer.usage is not None:
        st.caption(f"{plain(answer.llm)}: {plain(answer.usage.says())}")
    if answer.struck:
        st.caption(f"Struck out, because nothing stored bears it out: {plain('; '.join(answer.struck))}")


def _chip(source: Source, key: str) -> None:
    label = f"**{source.number}** {plain(_title(source))}"
    name = f"chip-{key}-{source.number}"
    if not st.button(label, key=name, icon=_SIGN[source.kind], help=_OPENS[source.kind]):
        return
    if source.kind == "c":
        st.switch_page("page_claims.py", query_params={"claim": source.id})
    elif source.kind == "i":
        st.switch_page("page_investigations.py", query_params={"run": source.id})
    elif source.kind == "r":
        show_result(source.id)
    else:
        show_passage(source)


def _title(source: Source) -> str:
    if source.kind == "c":
        try:
            return open_court().claim(source.id).text
        except USER_ERRORS:
            return f"claim {source.id[:10]}"
    if source.kind == "i":
        try:
            return str(open_court().run(source.id).request["question"])
        except USER_ERRORS:
            return f"investigation {source.id[:10]}"
    if source.kind == "r":
        try:
            return f"{stored_result(source.id).experiment} {source.id[:7]}"
        except USER_ERRORS:
            return f"result {source.id[:10]}"
    if source.citation is None:
        return f"passage {source.id[:10]}"
    found = find_passage(source.id)
    part = found.heading.rpartition(" > ")[2] if found and found.heading != found.title else ""
    page = f"page {source.citation.page}" if source.citation.page else ""
    return " · ".join(filter(None, (part, page, source.citation.title)))


@st.dialog("Passage", width="large")
def show_passage(source: Source) -> None:
    """The cited passage with the quoted words marked."""
    citation = source.citation
    found = find_passage(source.id)
    if found is None or citation is None:
        st.markdown(plain(citation.quote if citation else "This passage is not in the library any more."))
        return
    st.markdown(f"**{plain(found.title)}**")
    st.caption(" · ".join(plain(part) for part in _where(source) if part))
    with st.container(border=True, height=360 if len(found.text) > 1400 else "content"):
        st.markdown(highlighted(found.text, citation.quote))
    if st.button("Open the note", icon=":material/open_in_full:"):
        st.switch_page("page_library.py", query_params={"note": citation.document_id})


def _where(source: Source) -> list[str]:
    citation = source.citation
    if citation is None:
        return []
    return [
        f"page {citation.page}" if citation.page else "",
        f"characters {citation.start} to {citation.end}",
        f"trust: {citation.trust}" if citation.trust else "",
        citation.verification or "",
        citation.url or "",
    ]


@st.dialog("Result", width="large")
def show_result(result_id: str) -> None:
    """A stored result's numbers, controls and provenance."""
    try:
        result = stored_result(result_id)
    except USER_ERRORS as missing:
        st.markdown(plain(str(missing)))
        return
    st.markdown(f"**{plain(result.experiment)}**: {plain(result.summary)}")
    rows = [
        {
            "estimate": e.name,
            "value": number(e.value),
            "low": number(e.low),
            "high": number(e.high),
            "n": str(e.n or "–"),
        }
        for e in result.estimates
    ]
    st.table(rows, hide_index=True, border="horizontal")
    for i, (says, figure) in enumerate(figures_of(result, figures.palette_for(st.context.theme.type))):
        st.caption(plain(says))
        st.plotly_chart(figure, config=figures.PLAIN_CONFIG, key=f"figure-{result_id}-{i}")
    provenance = result.provenance
    st.caption(
        plain(
            f"{provenance.model_name}, {provenance.task or 'no task'}, seed {provenance.seed}, "
            f"{provenance.forward_passes} forward passes in {provenance.seconds:.1f} s, {result_id}"
        )
    )
