"""What can be taken away from a claim: notebooks that reproduce its numbers without this program, and a bundle."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from agent.bundle import export_bundle
from agent.cards import ClaimCard
from agent.errors import USER_ERRORS
from agent.heavy import ask_heavy
from ui.backend import open_court
from ui.safe_markdown import plain


def draw_take_away(card: ClaimCard) -> None:
    """The two buttons; what they make is kept for the session and offered for download."""
    results = list(dict.fromkeys(result for p in card.predictions for result in p.result_ids))
    if not results:
        return
    kept = st.session_state.setdefault(f"taken-{card.claim_id}", {})
    with st.container(horizontal=True, gap="small"):
        if st.button(
            "Reproduce", icon=":material/replay:", help="Notebooks in plain TransformerLens, without this program"
        ):
            _make(kept, lambda: _notebooks(card, results))
        if st.button("Take along", icon=":material/inventory_2:", help="One file that another installation checks"):
            _make(kept, lambda: _bundle(card))
        for name, content in kept.items():
            st.download_button(plain(name), content, file_name=name, icon=":material/download:", key=f"get-{name}")


def _make(kept: dict[str, bytes], work: Callable[[], dict[str, bytes]]) -> None:
    try:
        with st.spinner("One moment"):
            kept.update(work())
    except USER_ERRORS as wrong:
        st.error(plain(str(wrong)), icon=":material/error:")


def _notebooks(card: ClaimCard, results: list[str]) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="circuit-court-notebooks-") as folder:
        arguments = {"results": results, "model": card.model, "folder": folder}
        written = ask_heavy("notebooks", open_court().config, arguments, lambda text: None)
        return {Path(path).name: Path(path).read_bytes() for path in written}


def _bundle(card: ClaimCard) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="circuit-court-bundle-") as folder:
        file = Path(folder) / f"{card.claim_id[:12]}.zip"
        export_bundle(open_court().ledger, [card.claim_id], file)
        return {file.name: file.read_bytes()}
