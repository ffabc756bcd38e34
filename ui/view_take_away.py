"""What can be taken away from a claim: notebooks that reproduce its numbers without this program, and a bundle."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from agent.cards import ClaimCard
from agent.errors import USER_ERRORS
from agent.notebook_cells import COVERED
from ui.backend import open_court
from ui.cli_output import ProgressLine
from ui.follow import follow
from ui.safe_markdown import plain


def draw_take_away(card: ClaimCard) -> None:
    """The two buttons; what they make is kept for the session and offered for download."""
    if not any(p.result_ids for p in card.predictions):
        return
    covered = [p for p in card.predictions if p.experiment in COVERED]
    results = list(dict.fromkeys(result for p in covered for result in p.result_ids))
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
    court = open_court()
    made: dict[str, bytes] = {}
    for result in results:
        run = follow(court, court.notebook(result, model=card.model), ProgressLine())
        path = Path((run.outcome or {})["path"])
        made |= {file.name: file.read_bytes() for file in sorted(path.parent.glob(f"{path.stem}*")) if file.is_file()}
    return made


def _bundle(card: ClaimCard) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="circuit-court-bundle-") as folder:
        file = Path(folder) / f"{card.claim_id[:12]}.zip"
        open_court().export_bundle([card.claim_id], file)
        return {file.name: file.read_bytes()}
