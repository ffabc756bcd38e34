"""Claims: all claims with their verdicts on the left, the selected one with its evidence on the right. The address
names the claim, so that it can be passed on."""

import streamlit as st

from agent.cards import ClaimSummary
from agent.claim_search import UNJUDGED, search_claims
from agent.errors import USER_ERRORS
from ui.backend import open_court, stored_result
from ui.safe_markdown import plain
from ui.style import frame
from ui.view_claim import badges, draw_claim

PER_PAGE = 12


def draw() -> None:
    """The page."""
    frame("Claims", wide=True)
    court = open_court()
    found, imported = court.claims(), court.imported()
    if not found:
        draw_nothing()
        return
    left, right = st.columns([5, 9], gap="large")
    with left:
        shown = draw_filters(found)
        chosen = st.query_params.get("claim") or (shown[0].claim_id if shown else None)
        draw_list(shown, chosen, imported)
    with right:
        if chosen is None:
            st.caption("No claim passes these filters.")
            return
        draw_claim(court.claim(chosen), stored_result)


def draw_nothing() -> None:
    """Before the first claim."""
    with st.container(key="hero"):
        st.title("No claims yet", anchor=False)
        st.markdown("A claim comes here when it is put on trial: ask in the chat, or on the command line.")
        st.code('circuit-court verify "head 20.0 is necessary for IOI"', language="shell")
        st.page_link("page_chat.py", label="Ask in the chat", icon=":material/chat:")


def draw_filters(found: list[ClaimSummary]) -> list[ClaimSummary]:
    """The claims that pass the filters."""
    words = st.text_input(
        "Find a claim", placeholder="head, task, model, reason or words", label_visibility="collapsed"
    )
    verdicts = [v for v in ("supported", "refuted", "inconclusive") if any(c.verdict == v for c in found)]
    if any(c.verdict is None for c in found):
        verdicts.append(UNJUDGED)
    wanted = st.pills("Verdict", verdicts, selection_mode="multi", label_visibility="collapsed")
    models = sorted({c.model for c in found})
    model = st.selectbox("Model", ["all models", *models], label_visibility="collapsed") if len(models) > 1 else None
    return search_claims(found, words=words, verdicts=wanted, model=None if model == "all models" else model)


def draw_list(shown: list[ClaimSummary], chosen: str | None, imported: dict[str, str]) -> None:
    """One page of the list; each row leads to its claim."""
    st.caption(f"{len(shown)} claim{'s' if len(shown) != 1 else ''}")
    pages = max(1, -(-len(shown) // PER_PAGE))
    page = st.session_state.get("claims-page", 1) if pages > 1 else 1
    start = (min(page, pages) - 1) * PER_PAGE
    for claim in shown[start : start + PER_PAGE]:
        selected = claim.claim_id == chosen
        name = f"claimrow-{'selected-' if selected else ''}{claim.claim_id}"
        with st.container(key=name, gap=None):
            if (
                st.button(plain(claim.text), key=f"open-{claim.claim_id}", type="tertiary", width="stretch")
                and not selected
            ):
                st.query_params["claim"] = claim.claim_id
                st.rerun()
            st.markdown(f"{badges(claim.verdict, claim.rung, claim.status)}")
            st.caption(plain(claim.scope))
            if claim.claim_id in imported:
                st.caption(f"from the bundle {plain(imported[claim.claim_id])}: not measured here")
    if pages > 1:
        st.pagination(pages, key="claims-page")


try:
    draw()
except USER_ERRORS as wrong:
    st.error(plain(str(wrong)), icon=":material/error:")
