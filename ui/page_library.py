"""Library: what has been written, searchable and readable, every note with its trust and its links."""

import streamlit as st

from agent.errors import USER_ERRORS
from kb.records import Document, Hit, LiteratureClaim, Summary
from ui.backend import open_court, titles
from ui.library import open_library
from ui.note_markdown import loose_rows, note_markdown
from ui.safe_markdown import plain, safe
from ui.style import frame
from ui.view_library_add import draw_adding, draw_job
from ui.view_library_study import cited_words, draw_comparison, draw_disagreements, draw_taking_along

EXCERPT = 420
TRUST_COLOR = {"high": "green", "medium": "blue", "low": "orange", "untrusted": "red"}
VERIFIED_COLOR = {"verified": "green", "unverified": "orange", "disputed": "red"}
LISTED = 60
QUESTION = "library-question"
LONG = 12_000  # characters from which a document is introduced by a summary


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
    st.session_state.setdefault(QUESTION, st.query_params.get("q", ""))  # `value=` from the address loses the next one
    question = st.text_input(
        "Search the library",
        key=QUESTION,
        placeholder="Ask in English or Korean: what is an induction head? 활성화 패칭이란?",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    if question.strip():
        st.query_params["q"] = question
        draw_hits(question)
    else:
        st.query_params.pop("q", None)
        draw_shelves()


def trust_badges(trust: str | None, verification: str | None, kind: str, year: int | None) -> str:
    """Kind, year, trust and verification as badges."""
    found = [f":gray-badge[{plain(kind)}{f' · {year}' if year else ''}]"]
    if trust:
        found.append(f":{TRUST_COLOR.get(trust, 'gray')}-badge[trust: {plain(trust)}]")
    if verification:
        found.append(f":{VERIFIED_COLOR.get(verification, 'gray')}-badge[{plain(verification)}]")
    return " ".join(found)


def draw_hits(question: str) -> None:
    """Passages, best first; or the sentence that the library does not say."""
    with st.spinner("Searching"):
        found = open_library().search(question, limit=10)
    for remark in found.remarks:
        st.caption(plain(remark))
    if found.declined:
        st.info(plain(found.sentence or "The library does not say."), icon=":material/search_off:")
        if found.nearest:
            st.markdown("#### What came closest")
    for number, hit in enumerate(found.hits or found.nearest):
        draw_hit(hit, number)


def draw_hit(hit: Hit, number: int) -> None:
    """One passage with the way to its note."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(f"**{plain(hit.title)}**", key=f"hit-{number}", type="tertiary", help="Read the note"):
                st.query_params.from_dict({"note": hit.document_id})
                st.rerun()
            st.markdown(trust_badges(hit.trust, hit.verification, hit.kind, hit.year))
        place = [hit.heading, f"page {hit.page}" if hit.page else "", f"characters {hit.start} to {hit.end}"]
        st.caption(" · ".join(plain(part) for part in place if part and part != hit.title))
        text = hit.text.strip()
        excerpt = text if len(text) <= EXCERPT else text[:EXCERPT].rsplit(" ", 1)[0] + " …"
        st.markdown(note_markdown(loose_rows(excerpt), hit.title, titles()))


def draw_shelves() -> None:
    """Before a search: what there is, and what can be tested here."""
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
        rows = [{"title": d.title, "kind": d.kind, "year": str(d.year or ""), "trust": d.trust} for d in documents]
        st.dataframe(
            rows,
            hide_index=True,
            height=560,
            key="shelf",
            on_select=open_selected,
            selection_mode="single-row",
            column_config={"title": st.column_config.TextColumn(width="large")},
        )
        st.caption("Select a row to read the note.")
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


def open_selected() -> None:
    """Open the note of the selected row."""
    rows = st.session_state["shelf"]["selection"]["rows"]
    if rows:
        st.query_params.from_dict({"note": open_library().documents()[rows[0]].id})


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


try:
    draw()
except USER_ERRORS as wrong:
    st.error(plain(str(wrong)), icon=":material/error:")
