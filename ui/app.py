"""The app: four pages under one roof. Start it with `circuit-court app`; it computes nothing itself."""

import streamlit as st

from ui.style import LOGO

# No icons here: Streamlit would make the page's icon its favicon and fetch it from a font server.
PAGES = [
    st.Page("page_chat.py", title="Chat", default=True),
    st.Page("page_investigations.py", title="Investigations", url_path="investigations"),
    st.Page("page_claims.py", title="Claims", url_path="claims"),
    st.Page("page_library.py", title="Library", url_path="library"),
]

st.logo(str(LOGO), size="large")
st.navigation(PAGES, position="top").run()
