"""One chat turn: question in, checked answer out, everything shown on the way as events.

The words that stream are provisional; the `answer` that follows has been through `agent/answer_check.py`. Tracing to
hosted services is forced off for the length of the turn.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langsmith import tracing_context

from agent.answer import Answer
from agent.answer_check import check_answer
from agent.chat.found import Found
from agent.chat.graph import MODEL_CALLS, build_graph
from agent.chat.toolbox import Toolbox
from agent.errors import LlmError
from tools.errors import CancelledError

HISTORY_MESSAGES = 12
RECURSION_LIMIT = 200  # the graph's own nodes count; the limits that bind are in agent/chat/graph.py


def run_turn(
    question: str, history: Sequence[dict[str, Any]], *, toolbox: Toolbox, llm: BaseChatModel, name: str
) -> Answer:
    """Answer one question.

    `history` is what `Court.messages` returns, oldest first, the question itself left out. `llm` and `name` come from
    `agent.chat.llm.build_llm`. Events go to `toolbox.emit`: tool, tool-result, delta, and what running jobs report.
    Raises CancelledError when `toolbox.cancelled()` turns true, LlmError when the provider fails or says nothing.
    """
    messages = [*_past(history), HumanMessage(question)]
    found: list[Found] = []
    said = ""
    try:
        with tracing_context(enabled=False):
            for message in _stream(llm, name, toolbox, messages):
                if toolbox.cancelled():
                    raise CancelledError("stopped on request")
                if isinstance(message, AIMessageChunk):
                    if text := message.text:
                        toolbox.emit("delta", {"text": text})
                elif isinstance(message, AIMessage):
                    said = message.text or said
                    _announce(message, toolbox)
                elif isinstance(message, ToolMessage):
                    found += _take(message, toolbox)
    except ModelCallLimitExceededError as limit:
        raise LlmError(f"{name} used its {MODEL_CALLS} steps without an answer. Ask a narrower question.") from limit
    if not said.strip():
        raise LlmError(f"{name} ended its turn without an answer. Ask again, or use another model.")
    answer = check_answer(said, found, question=question, llm=name)
    if toolbox.meter.total.calls:
        answer = answer.model_copy(update={"usage": toolbox.meter.total})
    toolbox.emit("answer", answer.model_dump(mode="json"))
    return answer


def _stream(llm: BaseChatModel, name: str, toolbox: Toolbox, messages: list[BaseMessage]) -> Iterator[BaseMessage]:
    """Chunks as they are said, then each whole message once it joined the state."""
    graph = build_graph(llm, toolbox, name)
    # one place for the node that works, one for the thread that waits for its words: with one, neither moves
    config = {"recursion_limit": RECURSION_LIMIT, "max_concurrency": 2}
    for mode, item in graph.stream({"messages": messages}, config, stream_mode=["messages", "updates"]):
        if mode == "messages":
            chunk, _ = item
            if isinstance(chunk, AIMessageChunk):
                yield chunk
            continue
        for update in item.values():
            yield from [m for m in (update or {}).get("messages", []) if not isinstance(m, AIMessageChunk)]


def _past(history: Sequence[dict[str, Any]]) -> list[BaseMessage]:
    """Earlier messages of the conversation, the newest few, as LangChain messages."""
    past: list[BaseMessage] = []
    for message in history[-HISTORY_MESSAGES:]:
        text = str(message["content"].get("text", ""))
        past.append(HumanMessage(text) if message["role"] == "user" else AIMessage(text))
    return past


def _announce(message: AIMessage, toolbox: Toolbox) -> None:
    for call in message.tool_calls:
        toolbox.emit("tool", {"call_id": call["id"], "tool": call["name"], "arguments": call["args"]})


def _take(message: ToolMessage, toolbox: Toolbox) -> list[Found]:
    """Report a tool's outcome; its finding, when it has one (an error has none, but its words may be repeated)."""
    failed = message.status == "error"
    finding = Found(kind="nothing", text=str(message.content)) if failed else Found.model_validate(message.artifact)
    toolbox.emit(
        "tool-result",
        {
            "call_id": message.tool_call_id,
            "tool": message.name,
            "text": finding.text,
            "claims": finding.claims,
            "results": finding.results,
            "passages": [citation.passage_id for citation in finding.citations],
            "failed": failed,
        },
    )
    return [finding]
