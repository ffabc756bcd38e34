"""The built-in analyst: a deterministic chat model that answers when no llm is configured.

It takes the llm's seat in the same graph with the same tools. Method: route the question (`agent/chat/router.py`), with the
subject of an earlier one where it names none (`agent/chat/follow_up.py`), ask for one tool, then word the answer from what that tool returned (`agent/chat/wording.py`), citing every sentence.
It knows nothing itself: what the tools do not return, it does not say.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import Field

from agent.chat.follow_up import in_context
from agent.chat.found import Found
from agent.chat.router import Language, Route, compared
from agent.chat.wording import help_text, refused, word

TOOL_OF = {
    "show-claim": ("show_claim", "claim_id"),
    "verify": ("verify_claim", "claim"),
    "summarise": ("summarise", "subject"),
    "define": ("define", "term"),
    "search": ("search_library", "query"),
    "compare": ("compare_papers", "names"),
    "disagreements": ("find_disagreements", "topic"),
    "investigate": ("investigate", "question"),
    "paper-claims": ("paper_claims", None),
    "test-paper-claim": ("test_paper_claim", "claim"),
    "list-claims": ("list_claims", None),
    "list-experiments": ("list_experiments", None),
    "rank": ("rank_heads", None),
}


class BuiltInAnalyst(BaseChatModel):
    """Routes, calls one tool, words its findings. `experiments` are the names it may run."""

    experiments: list[str] = Field(default_factory=list)
    tool_names: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "circuit-court-analyst"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[Any, AIMessage]:
        """The same analyst, told which tools there are."""
        names = [tool.name for tool in tools if isinstance(tool, BaseTool)]
        return self.model_copy(update={"tool_names": names})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        reply = self._reply(messages)
        if reply.tool_calls:
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_calls=reply.tool_calls))
            return
        for line in str(reply.content).splitlines(keepends=True):
            yield ChatGenerationChunk(message=AIMessageChunk(content=line))

    def _reply(self, messages: list[BaseMessage]) -> AIMessage:
        question, since = _last_question(messages)
        earlier = [str(message.content) for message in messages if isinstance(message, HumanMessage)][:-1]
        heading = in_context(question, earlier, self.experiments)
        if heading.intent == "help":
            return AIMessage(content=help_text(heading.language))
        if since and isinstance(since[-1], ToolMessage):
            return self._word(heading.language, since[-1], since)
        return _call(*self._first_tool(heading))

    def _first_tool(self, heading: Route) -> tuple[str, dict[str, Any]]:
        if heading.intent == "run-experiment":
            params = dict(heading.arguments.get("params", {}))
            if "component" in params:
                params["components"] = [params.pop("component")]
            return "run_experiment", {"name": heading.subject, "params": params}
        tool, argument = TOOL_OF[heading.intent]
        if heading.intent == "compare":
            papers = " paper" if heading.arguments.get("kind") == "paper" else ""
            return tool, {"names": [name + papers for name in compared(heading.subject)]}
        return tool, {argument: heading.subject, **heading.arguments} if argument else dict(heading.arguments)

    def _word(self, language: Language, message: ToolMessage, since: list[BaseMessage]) -> AIMessage:
        searched = sum(isinstance(m, ToolMessage) and m.name == "search_library" for m in since)
        if message.status == "error":
            text = str(message.content)
            if message.name in ("summarise", "define", "compare_papers") and not searched:
                question = str(since[0].content) if isinstance(since[0], HumanMessage) else text
                return _call("search_library", {"query": question})
            return AIMessage(content=refused(text, language))
        return AIMessage(content=word(Found.model_validate(message.artifact), language))


def _last_question(messages: list[BaseMessage]) -> tuple[str, list[BaseMessage]]:
    """The newest human message and everything from it on (the message itself first)."""
    index = max(i for i, message in enumerate(messages) if isinstance(message, HumanMessage))
    return str(messages[index].content), messages[index:]


def _call(name: str, arguments: dict[str, Any]) -> AIMessage:
    return AIMessage(content="", tool_calls=[{"name": name, "args": arguments, "id": f"call-{uuid.uuid4().hex[:12]}"}])
