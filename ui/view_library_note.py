"""One note of the library in the browser: how far it can be trusted, its words, its summaries, its links, its facts."""

import streamlit as st

from kb.records import Document, Summary
from ui.backend import titles
from ui.library import open_library
from ui.note_markdown import note_markdown
from ui.safe_markdown import plain
from ui.settings import load
from ui.view_library_study import cited_words
from ui.view_library_written import draw_written_summary

TRUST_COLOR = {"high": "green", "medium": "blue", "low": "orange", "untrusted": "red"}
VERIFIED_COLOR = {"verified": "green", "unverified": "orange", "disputed": "red"}
LONG = 12_000  # characters from which a document is introduced by a summary


def trust_badges(trust: str | None, verification: str | None, kind: str, year: int | None) -> str:
    """Kind, year, trust and verification as badges."""
    found = [f":gray-badge[{plain(kind)}{f' · {year}' if year else ''}]"]
    if trust:
        found.append(f":{TRUST_COLOR.get(trust, 'gray')}-badge[trust: {plain(trust)}]")
    if verification:
        found.append(f":{VERIFIED_COLOR.get(verification, 'gray')}-badge[{plain(verification)}]")
    return " ".join(found)


def draw_note(name: str) -> None:
    """One note: what it is, how far it can be trusted, its words, its links."""
    document = open_library().document(name)
    if st.button("Library", icon=":material/arrow_back:", type="tertiary"):
        st.query_params.clear()
        st.rerun()
    st.title(plain(document.title), anchor=False)
    st.markdown(trust_badges(document.trust, document.verification, document.kind, document.year))
    if document.redirected_from:
        st.info(
            plain(f"{document.redirected_from} leads here: it is a duplicate of this note."), icon=":material/merge:"
        )
    for problem in document.problems:
        st.warning(plain(problem), icon=":material/warning:")
    if len(document.text) > LONG:
        with st.expander("In its own sentences", icon=":material/short_text:", expanded=True):
            draw_summary(open_library().summarise(document.id))
    if (config := load()).llm:
        draw_written_summary(config, document)
    st.markdown(note_markdown(document.text, document.title, titles()))
    draw_backlinks(document)
    with st.expander("About this note", icon=":material/info:"):
        draw_facts(document)


def draw_summary(summary: Summary) -> None:
    """Question, method, findings and limits of a long document, verbatim."""
    for part in ("question", "method", "findings", "limits"):
        sentences = getattr(summary, part)
        if sentences:
            lines = [f"- {cited_words(cited)}" for cited in sentences]
            st.markdown(f"**{part.capitalize()}**\n\n" + "\n".join(lines))


def draw_backlinks(document: Document) -> None:
    """The notes that link here, and other documents of the same work, so that the graph can be walked both ways."""
    for label, names in (("Linked from", document.linked_from), ("The same work", document.same_work)):
        links = [note_markdown(f"[[{name}]]", "", titles()) for name in names]
        if links:
            st.markdown(f"**{label}:** " + " · ".join(links))


def draw_facts(document: Document) -> None:
    """Identity, aliases, links and front matter, as a table."""
    facts = {
        "id": document.id,
        "aliases": ", ".join(document.aliases),
        "the same work": ", ".join(document.same_work),
        "duplicates folded in": ", ".join(document.duplicates),
        "authors": ", ".join(document.authors),
        "address": document.url or "",
        "tags": ", ".join(document.tags),
        "models": ", ".join(document.models),
        "links to": ", ".join(document.links),
        "linked from": ", ".join(document.linked_from),
        "confidence": "" if document.confidence is None else f"{document.confidence:.2f}",
        "source": document.source,
    }
    rows = [{"": key, " ": plain(value)} for key, value in facts.items() if value]
    st.table(rows, hide_index=True, hide_header=True, border="horizontal")
