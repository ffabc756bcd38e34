"""Chat: ask, watch the work, read the answer with its sources. The address names the conversation and the run, so
that a reload, or another window, shows the same."""

import time
from typing import Any

import streamlit as st

from agent.answer import Answer
from agent.court import Court
from agent.errors import USER_ERRORS
from ui.backend import ended_events, open_court
from ui.run_view import fold
from ui.safe_markdown import plain
from ui.settings import load
from ui.style import frame
from ui.view_answer import draw_answer
from ui.view_run import draw_steps, follow_run
from ui.view_status import draw_status

EXAMPLES = (
    ("Is head 20.0 necessary for IOI?", ":material/gavel:"),
    ("Which heads matter for IOI in this model?", ":material/grid_on:"),
    ("Summarise the IOI paper", ":material/menu_book:"),
    ("유도 헤드(induction head)란 무엇인가요?", ":material/translate:"),
)
TWICE_WITHIN_SECONDS = 2.0


def draw() -> None:
    """The page."""
    frame("Chat", wide=False)
    court = open_court()
    conversation_id = _conversation(court)
    with st.sidebar:
        draw_conversations(court, conversation_id)
        draw_status(court, load().model)
    messages = court.messages(conversation_id) if conversation_id else []
    if not messages:
        draw_welcome(court)
    active = draw_messages(court, messages)
    question = st.chat_input(
        "Ask about a circuit, a paper, or a claim to put on trial" if not active else "One moment: a run is on its way",
        key="question",
        disabled=active,
        max_chars=4000,
    )
    if question:
        submit(court, question, conversation_id)


def _conversation(court: Court) -> str | None:
    if conversation_id := st.query_params.get("conversation"):
        return conversation_id
    if run_id := st.query_params.get("run"):
        return court.run(run_id).conversation_id
    return None


def submit(court: Court, question: str, conversation_id: str | None) -> None:
    """Ask once: an input method that hands over the same text twice is asked once."""
    last, at = st.session_state.get("submitted", ("", 0.0))
    if question == last and time.monotonic() - at < TWICE_WITHIN_SECONDS:
        return
    st.session_state["submitted"] = (question, time.monotonic())
    run_id = court.ask(question, conversation_id=conversation_id)
    st.query_params["conversation"] = court.run(run_id).conversation_id or ""
    st.query_params["run"] = run_id
    st.rerun()


def draw_welcome(court: Court) -> None:
    """What this is for, and four questions to start with."""
    with st.container(key="hero"):
        st.title("What shall be put on trial?", anchor=False)
        st.markdown(
            "Ask about a circuit in a language model. Predictions are registered before they are tested, experiments run "
            "on the real model, and fixed rules compute the verdict."
        )
        columns = st.columns(2, gap="small")
        for number, (question, icon) in enumerate(EXAMPLES):
            with columns[number % 2]:
                if st.button(question, icon=icon, key=f"example-{number}", width="stretch"):
                    submit(court, question, None)


def draw_conversations(court: Court, current: str | None) -> None:
    """Earlier conversations, newest first."""
    if st.button("New conversation", icon=":material/edit_square:", width="stretch", key="new-conversation"):
        st.query_params.clear()
        st.rerun()
    with st.container(key="conversations", gap=None):
        for entry in court.conversations()[:40]:
            chosen = entry["conversation_id"] == current
            label = plain(entry["title"])
            name = f"conversation-{entry['conversation_id']}"
            label = f"**{label}**" if chosen else label
            if st.button(label, key=name, type="tertiary", width="stretch") and not chosen:
                st.query_params.from_dict({"conversation": entry["conversation_id"]})
                st.rerun()
    st.divider()


def draw_messages(court: Court, messages: list[dict[str, Any]]) -> bool:
    """Every message; True when the last run is still on its way."""
    answered = {m["run_id"] for m in messages if m["role"] == "assistant"}
    active = False
    for number, message in enumerate(messages):
        if message["role"] == "user":
            with st.chat_message("user", avatar=":material/person:"):
                st.markdown(plain(message["content"]["text"]))
            if message["run_id"] and message["run_id"] not in answered:
                with st.chat_message("assistant", avatar=":material/gavel:"):
                    active = draw_unanswered(court, message["run_id"], message["content"]["text"]) or active
        else:
            with st.chat_message("assistant", avatar=":material/gavel:"):
                draw_reply(message, key=str(number))
    return active


def draw_reply(message: dict[str, Any], *, key: str) -> None:
    """A stored answer with the steps that led to it."""
    if message["run_id"]:
        view = fold(ended_events(message["run_id"]))
        if view.steps:
            draw_steps(view)
    draw_answer(Answer.model_validate(message["content"]), key)


def draw_unanswered(court: Court, run_id: str, question: str) -> bool:
    """A run without an answer: live while it runs, its one sentence when it failed. True while it is active."""
    run = court.run(run_id)
    if run.status in ("queued", "running"):
        follow_run(court, run_id)
        return True
    if run.status == "cancelled":
        st.markdown(":gray-badge[:material/stop_circle: stopped] You stopped this run; what it had found is kept.")
    else:
        st.error(plain(run.error or "The run ended without an answer."), icon=":material/error:")
    if st.button("Ask again", icon=":material/refresh:", key=f"again-{run_id}"):
        submit(court, question, run.conversation_id)
    return False


try:
    draw()
except USER_ERRORS as wrong:
    st.error(plain(str(wrong)), icon=":material/error:")
