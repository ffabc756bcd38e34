"""Asks the llm for one object of a given schema, by a forced tool call, and validates it.

A reply that is no such object is answered once with what is wrong; a second one is an LlmError. What the object means is
judged elsewhere: a valid object may still be refused. Each call is counted.
"""

from collections.abc import Sequence
from typing import TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langsmith import tracing_context
from pydantic import BaseModel

from agent.chat.llm import explain
from agent.errors import USER_ERRORS, LlmError
from agent.usage import Meter

T = TypeVar("T", bound=BaseModel)


def ask_structured(llm: BaseChatModel, name: str, schema: type[T], messages: Sequence[BaseMessage], meter: Meter) -> T:
    """An object of `schema`. Raises LlmError when the llm, shown as `name`, fails or answers out of form twice."""
    asked = list(messages)
    wrong = ""
    for _ in range(2):
        meter.check()
        raw, found, wrong = _once(llm, name, schema, asked)
        meter.add(raw.usage_metadata if isinstance(raw, AIMessage) else None)
        if found is not None:
            return found
        asked = [
            *messages,
            HumanMessage(f"Your answer was not valid: {wrong} Call {schema.__name__} with valid fields."),
        ]
    raise LlmError(f"{name} gave no usable answer: {wrong} Say it in other words, or name the parts as in 'head 20.0'.")


def _once(
    llm: BaseChatModel, name: str, schema: type[T], messages: Sequence[BaseMessage]
) -> tuple[BaseMessage | None, T | None, str]:
    try:
        with tracing_context(enabled=False):
            reply = llm.with_structured_output(schema, method="function_calling", include_raw=True).invoke(
                list(messages)
            )
    except USER_ERRORS:
        raise
    except Exception as failed:  # each provider's package has its own error classes
        raise explain(failed, name) from failed
    assert isinstance(reply, dict), type(reply)
    found, error = reply["parsed"], reply["parsing_error"]
    if isinstance(found, schema):
        return reply["raw"], found, ""
    lines = str(error).splitlines() if error is not None else []
    return reply["raw"], None, " ".join(lines[:4]) if lines else f"it did not call {schema.__name__}."
