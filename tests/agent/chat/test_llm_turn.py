"""The same graph on a language model over real HTTP: tool calls, corrections, limits, and failures in one sentence."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from agent.chat.llm import build_llm
from agent.errors import LlmError
from tests.agent.chat.conftest import Chat
from tests.agent.chat.standin import Reply, standin
from tools.errors import CancelledError


def configured(chat: Chat, url: str, **changes: Any):
    settings = {"llm": "openai:test-model", "llm_base_url": url, "llm_api_key": SecretStr("sk-test"), **changes}
    return build_llm(replace(chat.toolbox.court.config, **settings), [])


def turn(chat: Chat, script: list[Reply], question: str = "what is an induction head?"):
    with standin(script) as server:
        return chat.ask(question, configured(chat, server.url)), server


def test_a_tool_call_reaches_the_library_and_its_passages_the_llm(chat: Chat):
    answer, server = turn(chat, [[("search_library", {"query": "induction head"})], "Heads that copy."])
    assert answer.text == "Heads that copy."
    assert answer.llm == "openai:test-model"
    tool_message = server.requests[1]["messages"][-1]
    assert tool_message["role"] == "tool"
    assert "[^p:" in tool_message["content"]


def test_what_the_llm_invents_is_struck_out(chat: Chat):
    answer, _ = turn(
        chat, [[("search_library", {"query": "26 heads in 7 classes"})], "It has 26 heads and costs 0.731 [^p:nope]."]
    )
    assert answer.text == "It has 26 heads and costs ~~0.731~~ ."
    assert answer.struck == ["[^p:nope]", "0.731"]


def test_a_tool_error_goes_back_to_the_llm_which_may_correct_itself(chat: Chat):
    script: list[Reply] = [
        [("show_claim", {"claim_id": "c0000000"})],
        [("define", {"term": "induction head"})],
        "A head that continues repeats.",
    ]
    answer, server = turn(chat, script)
    assert "c0000000" in server.requests[1]["messages"][-1]["content"]
    assert answer.text == "A head that continues repeats."
    failed = [payload["failed"] for kind, payload in chat.events if kind == "tool-result"]
    assert failed == [True, False]


def test_wrong_arguments_are_explained_to_the_llm(chat: Chat):
    answer, server = turn(chat, [[("search_library", {"words": "x"})], "Sorry."])
    assert "query" in server.requests[1]["messages"][-1]["content"]
    assert answer.text == "Sorry."


def test_an_llm_that_never_stops_calling_is_stopped(chat: Chat):
    script: list[Reply] = [[("list_claims", {})] for _ in range(40)]
    with standin(script) as server, pytest.raises(LlmError, match="12 steps without an answer"):
        chat.ask("loop", configured(chat, server.url))
    assert len(server.requests) <= 12


def test_a_refused_key_is_one_sentence_without_the_key(chat: Chat):
    with standin([401]) as server, pytest.raises(LlmError) as error:
        chat.ask("hello", configured(chat, server.url, llm_api_key=SecretStr("sk-very-secret")))
    assert "CIRCUIT_COURT_LLM_API_KEY" in str(error.value)
    assert "sk-very-secret" not in str(error.value)


def test_a_server_that_is_not_there_is_one_sentence(chat: Chat):
    with pytest.raises(LlmError, match="cannot be reached"):
        chat.ask("hello", configured(chat, "http://127.0.0.1:9/v1"))


def test_a_defect_in_a_tool_is_not_worded_as_the_providers_fault(chat: Chat, monkeypatch: pytest.MonkeyPatch):
    def broken() -> None:
        """Lists claims, badly."""
        raise KeyError("nothing")

    monkeypatch.setattr(chat.toolbox, "list_claims", broken)
    with standin([[("list_claims", {})], "late"]) as server, pytest.raises(KeyError, match="nothing"):
        chat.ask("list", configured(chat, server.url))


def test_a_missing_package_names_the_extra(chat: Chat):
    with pytest.raises(LlmError, match=r"pip install .*anthropic"):
        build_llm(replace(chat.toolbox.court.config, llm="anthropic:claude"), [])


@pytest.mark.parametrize("name", ["qwen2.5", "openai:", "nobody:model"])
def test_an_llm_that_is_no_llm_names_the_setting(chat: Chat, name: str):
    with pytest.raises(LlmError, match="CIRCUIT_COURT_LLM"):
        build_llm(replace(chat.toolbox.court.config, llm=name), [])


def test_the_key_is_sent_to_the_server_and_shown_nowhere(chat: Chat):
    _, server = turn(chat, ["Hello."], "hello")
    assert server.headers[0]["authorization"] == "Bearer sk-test"
    assert "sk-test" not in repr(chat.toolbox.court.config) + repr(chat.events)


def test_a_stop_ends_the_turn(chat: Chat):
    chat.toolbox.cancelled = lambda: True
    with standin([[("list_claims", {})], "late"]) as server, pytest.raises(CancelledError):
        chat.ask("hello", configured(chat, server.url))


def test_the_tools_offered_to_an_llm_are_these(chat: Chat):
    """The schema is a contract with every llm; whoever changes it changes this test knowingly."""
    _, server = turn(chat, ["Hello."], "hello")
    offered = {
        tool["function"]["name"]: sorted(tool["function"]["parameters"]["properties"])
        for tool in server.requests[0]["tools"]
    }
    assert offered == {
        "search_library": ["limit", "query"],
        "summarise": ["kind", "part", "subject"],
        "define": ["term"],
        "compare_papers": ["names"],
        "find_disagreements": ["topic"],
        "paper_claims": ["about"],
        "test_paper_claim": ["claim"],
        "investigate": ["question", "task"],
        "verify_claim": ["claim"],
        "show_claim": ["claim_id"],
        "list_claims": ["about", "verdict"],
        "rank_heads": ["n", "task"],
        "list_experiments": [],
        "run_experiment": ["name", "params"],
    }
