"""The literature beside a claim: the passages it was made from, else what the library says about its task."""

import streamlit as st

from agent.cards import ClaimCard
from kb.records import Hit, Passage
from ui.library import find_passage, open_library
from ui.safe_markdown import plain

SHOWN = 3
EXCERPT = 260


@st.cache_data(show_spinner=False, ttl=300, max_entries=64)
def about(question: str) -> list[Hit]:
    """What the library says, one passage a document; nothing when it declines."""
    found = open_library().search(question, limit=4 * SHOWN)
    first = {hit.canonical_id: hit for hit in reversed(found.hits)}
    return [hit for hit in found.hits if first[hit.canonical_id] is hit][:SHOWN]


def draw_literature(card: ClaimCard) -> None:
    """Cited passages first; otherwise what stands in the library about the behaviour."""
    cited = [passage for passage in (find_passage(name) for name in card.passages) if passage is not None]
    beside: list[Passage] | list[Hit] = cited or about(f"{card.task} circuit {card.type}")
    if not beside:
        return
    st.markdown("#### The literature beside it")
    st.caption("The claim was made from these passages." if cited else "What the library says about this behaviour.")
    for number, one in enumerate(beside):
        with st.container(border=True, gap="xsmall"):
            if st.button(f"**{plain(one.title)}**", key=f"beside-{number}", type="tertiary", help="Read the note"):
                st.switch_page("page_library.py", query_params={"note": one.document_id})
            text = " ".join(one.text.split())
            st.markdown(plain(text if len(text) <= EXCERPT else text[:EXCERPT].rsplit(" ", 1)[0] + " …"))
