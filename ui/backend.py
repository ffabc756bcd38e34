"""What every page of the app works with: the court of this data folder, opened once for the server."""

import streamlit as st

from agent.court import Court
from agent.events import Event
from tools.result import Result
from ui.library import open_library
from ui.settings import load


@st.cache_resource(show_spinner=False)
def open_court() -> Court:
    """The court, shared by all sessions of this server."""
    return Court(load())


@st.cache_data(show_spinner=False, max_entries=64)
def stored_result(result_id: str) -> Result:
    """A result with its arrays; results never change, so each is read once."""
    return open_court().result(result_id)


@st.cache_data(show_spinner=False, max_entries=256)
def ended_events(run_id: str) -> list[Event]:
    """The events of a run that has ended: they never change, so they are read once."""
    return open_court().events(run_id)


@st.cache_data(show_spinner=False, ttl=30)
def titles() -> dict[str, str]:
    """Title of every document of the library by its id."""
    return {line.id: line.title for line in open_library().documents()}
