"""A note's summary in the llm's words: asked for by a button, held against its passages, and what was dropped beside it.

The sentences come from `agent.written_summary`, as on the command line; this module only shows them.
"""

from typing import TYPE_CHECKING

import streamlit as st

from agent.config import Config
from agent.errors import USER_ERRORS
from kb.records import Document
from ui.library import open_library
from ui.safe_markdown import plain

if TYPE_CHECKING:
    from agent.usage import Usage
    from kb.summary_check import WrittenSummary


def draw_written_summary(config: Config, document: Document) -> None:
    """The button, and the summary once there is one; it is kept for the session while the note's text stays the same.

    Needs a configured llm. What the llm or its provider refuses is shown as a sentence.
    """
    kept = f"written-{document.id}-{hash(document.text)}"
    label = "Summary in the llm's words"
    if st.button(label, icon=":material/edit_note:", key="write-summary", help="Takes one call of the configured llm"):
        from agent.written_summary import summary_by_configured_llm  # brings LangChain along

        try:
            with st.spinner("The llm words it, then every sentence is checked"):
                st.session_state[kept] = summary_by_configured_llm(config, open_library(), document.id)
        except USER_ERRORS as wrong:
            st.error(plain(str(wrong)), icon=":material/error:")
    if kept in st.session_state:
        _draw(*st.session_state[kept])


def _draw(written: "WrittenSummary", usage: "Usage") -> None:
    """The sentences that stand, by part, with their passages; those that fell, with the reason; what it took."""
    with st.container(border=True):
        st.caption(f"Worded by {plain(written.llm)}, every sentence checked")
        for part in dict.fromkeys(sentence.part for sentence in written.sentences):
            lines = [
                f"- {plain(sentence.text)} :small[:gray[{plain('passages ' + ', '.join(sentence.passage_ids))}]]"
                for sentence in written.sentences
                if sentence.part == part
            ]
            st.markdown(f"**{'To test' if part == 'test' else part.capitalize()}**\n\n" + "\n".join(lines))
        if not written.sentences:
            st.info("No sentence of the llm passed the check.", icon=":material/search_off:")
        if written.dropped:
            many = len(written.dropped)
            lines = [f"- {plain(fallen.sentence.text)}  \n  {plain(fallen.reason)}" for fallen in written.dropped]
            st.markdown(f"**{many} sentence{'s' if many > 1 else ''} dropped**\n\n" + "\n".join(lines))
        st.caption(plain(f"{written.llm}: {usage.says()}"))
