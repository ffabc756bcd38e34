"""Searching from the browser: the question's filters, the hits with their exact place, and what came closest otherwise."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from kb.records import Filters, Hit
from ui.backend import titles
from ui.library import open_library
from ui.note_markdown import loose_rows, note_markdown
from ui.safe_markdown import plain
from ui.view_library_note import trust_badges

EXCERPT = 420
LANGUAGES = {"en": "English", "ko": "Korean"}
TRUST = ("low", "medium", "high")
EMPTY: dict[str, Any] = {
    "since": None,
    "until": None,
    "trust": None,
    "confidence": None,
    "language": None,
    "model": "",
    "tags": [],
    "kinds": [],
}


def draw_filters() -> Filters | None:
    """The filters of the command line, closed until they are wanted, and how many of them limit; None when none does.

    They stay for the session, so the number stands outside of what can be closed.
    """
    kinds, tags = _known()
    with st.expander("Filters", icon=":material/filter_alt:", key="filters"):
        chosen = _draw_fields(kinds, tags)
    active = [name for name, empty in EMPTY.items() if chosen[name] != empty]
    if not active:
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(active)} filter{'s' if len(active) > 1 else ''} active: {plain(_told(chosen))}")
        st.button(
            "Clear filters", icon=":material/filter_alt_off:", key="clear-filters", type="tertiary", on_click=_clear
        )
    if chosen["since"] and chosen["until"] and chosen["since"] > chosen["until"]:
        st.warning(f"No year is from {chosen['since']} on and up to {chosen['until']}. Change one of them.")
    return Filters(
        kinds=tuple(chosen["kinds"]) or None,
        tags=tuple(chosen["tags"]) or None,
        languages=(chosen["language"],) if chosen["language"] else None,
        min_trust=chosen["trust"],
        confidence=chosen["confidence"],
        model=chosen["model"] or None,
        year_from=chosen["since"],
        year_to=chosen["until"],
    )


def _draw_fields(kinds: list[str], tags: list[str]) -> dict[str, Any]:
    """One widget for each filter; what they hold, by the names of `EMPTY`."""
    chosen: dict[str, Any] = {}
    first, second, third = st.columns(3)
    for name, label in (("since", "Since year"), ("until", "Until year")):
        chosen[name] = first.number_input(
            label,
            value=None,
            min_value=1,
            max_value=9999,
            step=1,
            placeholder="any",
            key=_key(name),
            persist_state="session",
        )
    chosen["trust"] = second.selectbox(
        "Trusted at least", TRUST, index=None, placeholder="any", key=_key("trust"), persist_state="session"
    )
    chosen["confidence"] = second.number_input(
        "Confidence at least",
        value=None,
        min_value=0.0,
        max_value=1.0,
        step=0.1,
        placeholder="any",
        key=_key("confidence"),
        persist_state="session",
    )
    chosen["language"] = third.selectbox(
        "Language",
        list(LANGUAGES),
        index=None,
        format_func=lambda code: LANGUAGES[str(code)],
        placeholder="any",
        key=_key("language"),
        persist_state="session",
    )
    for column, name, label, known in (
        (first, "kinds", "Kind (any of)", kinds),
        (second, "tags", "Tags (all of)", tags),
    ):
        chosen[name] = column.multiselect(
            label, _with_chosen(name, known), placeholder="any", key=_key(name), persist_state="session"
        )
    model = third.text_input(
        "Model studied", placeholder="any, or part: gpt2", key=_key("model"), persist_state="session"
    )
    chosen["model"] = model.strip()
    return chosen


def _key(name: str) -> str:
    return f"filter-{name}"


def _clear() -> None:
    for name, empty in EMPTY.items():
        st.session_state[_key(name)] = empty


def _with_chosen(name: str, known: Iterable[str]) -> list[str]:
    """What the library holds, and what is chosen even if the library has lost it: a choice never vanishes by itself."""
    return sorted({*known, *st.session_state.get(_key(name), ())}, key=str.casefold)


@st.cache_data(show_spinner=False, ttl=30)
def _known() -> tuple[list[str], list[str]]:
    """The kinds and tags of the library's documents; a tag is found in any case, so it is offered once."""
    lines = open_library().documents()
    tags = {tag.casefold(): tag for line in lines for tag in line.tags}
    return sorted({line.kind for line in lines}), list(tags.values())


def _told(chosen: dict[str, Any]) -> str:
    words = {
        "since": f"since {chosen['since']}",
        "until": f"until {chosen['until']}",
        "trust": f"trust {chosen['trust']} or more",
        "confidence": f"confidence {chosen['confidence']} or more",
        "language": LANGUAGES.get(chosen["language"], ""),
        "model": f"model {chosen['model']}",
        "tags": f"tagged {' and '.join(chosen['tags'])}",
        "kinds": f"kind {' or '.join(chosen['kinds'])}",
    }
    return ", ".join(words[name] for name, empty in EMPTY.items() if chosen[name] != empty)


def draw_hits(question: str, filters: Filters | None) -> None:
    """Passages, best first; or the sentence that the library does not say."""
    with st.spinner("Searching"):
        found = open_library().search(question, limit=10, filters=filters)
    for remark in found.remarks:
        st.caption(plain(remark))
    if found.declined:
        st.info(plain(found.sentence or "The library does not say."), icon=":material/search_off:")
        if found.nearest:
            st.markdown("#### What came closest")
    for number, hit in enumerate(found.hits or found.nearest):
        draw_hit(hit, number)


def draw_hit(hit: Hit, number: int) -> None:
    """One passage with the way to its note, and the id and characters by which it is cited."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(f"**{plain(hit.title)}**", key=f"hit-{number}", type="tertiary", help="Read the note"):
                st.query_params.from_dict({"note": hit.document_id})
                st.rerun()
            st.markdown(trust_badges(hit.trust, hit.verification, hit.kind, hit.year))
        text = hit.text.strip()
        excerpt = text if len(text) <= EXCERPT else text[:EXCERPT].rsplit(" ", 1)[0] + " …"
        st.markdown(note_markdown(loose_rows(excerpt), hit.title, titles()))
        page = f"page {hit.page}" if hit.page else ""
        heading = "" if hit.heading == hit.title else hit.heading.removeprefix(f"{hit.title} > ")
        place = [heading, page, f"characters {hit.start} to {hit.end}", f"passage {hit.passage_id}"]
        st.caption(" · ".join(plain(part) for part in place if part))
