"""The frame of every page: title, icon, and the little styling that themes cannot express. All of it is constant."""

from pathlib import Path

import streamlit as st

LOGO = Path(__file__).with_name("logo.svg")
ICON = Path(__file__).with_name("icon.svg")

_STYLE = """
<style>
  .stMainBlockContainer { padding-top: 5.4rem; padding-bottom: 3rem; }
  [data-testid="stStatusWidget"] { display: none; }
  [data-testid="stHeader"] { border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
  h1, h2, h3 { letter-spacing: -0.01em; }
  h3, h4 { padding-top: 0.4rem; }
  .stMarkdown p { line-height: 1.55; }
  .stMarkdown p, .stMarkdown li, .stMarkdown td, .stMarkdown th { word-break: keep-all; overflow-wrap: anywhere; }
  .stMarkdown td:first-child > strong:only-child { white-space: nowrap; }
  [class*="st-key-claimrow-"] { border-left: 3px solid transparent; border-radius: 0 6px 6px 0;
    padding: 0.4rem 0.6rem 0.45rem 0.75rem; gap: 0.15rem; }
  [class*="st-key-claimrow-"]:hover { background: color-mix(in srgb, currentColor 5%, transparent); }
  [class*="st-key-claimrow-selected"] { border-left-color: #4C7CC2;
    background: color-mix(in srgb, currentColor 6%, transparent); }
  [class*="st-key-claimrow-"] button { min-height: 0; padding: 0; }
  [class*="st-key-claimrow-"] button p { white-space: normal; line-height: 1.35; font-size: 1rem; }
  [class*="st-key-claimrow-"] [data-testid="stCaptionContainer"] p { overflow: hidden; text-overflow: ellipsis;
    white-space: nowrap; font-size: 0.8rem; }
  [class*="st-key-claimrow-"] button, [class*="st-key-example-"] button, [class*="st-key-conversation-"] button,
  [class*="st-key-claimrow-"] button > div, [class*="st-key-example-"] button > div,
  [class*="st-key-conversation-"] button > div { justify-content: flex-start; text-align: left; }
  [class*="st-key-example-"] button { min-height: 3.4rem; }
  [class*="st-key-conversation-"] button p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  [class*="st-key-sources-"] button { min-height: 1.7rem; padding: 0.05rem 0.55rem; }
  [class*="st-key-sources-"] button p { font-size: 0.8rem; max-width: 10.5rem; overflow: hidden;
    text-overflow: ellipsis; white-space: nowrap; }
  .st-key-conversations button { min-height: 1.9rem; padding: 0.1rem 0.4rem; }
  .st-key-hero { padding-top: 9vh; }
  .st-key-verdict h2 { padding: 0.1rem 0 0.2rem 0; }
  .stProgress p { font-variant-numeric: tabular-nums; }
  .stTable, [data-testid="stTable"] { font-variant-numeric: tabular-nums; }
</style>
"""


def frame(title: str, *, wide: bool) -> None:
    """Title, icon and styling of the page that is drawn now."""
    st.set_page_config(
        page_title=f"{title} · Circuit Court", page_icon=str(ICON), layout="wide" if wide else "centered"
    )
    st.html(_STYLE)
