import sys

import anyio
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from small_court import try_claims

from agent.court import Court
from agent.library import open_library
from ui import library as opened
from ui.mcp_server import Desk, build_server


def call(config, tool: str, **arguments):
    """Call one tool as an MCP client does; returns (is_error, structured result or text)."""

    async def talk():
        desk = Desk(Court(config))
        try:
            async with Client(build_server(desk)) as client:
                return await client.call_tool(tool, arguments)
        finally:
            desk.close()

    answer = anyio.run(talk)
    text = "".join(getattr(part, "text", "") for part in answer.content)
    return answer.is_error, answer.structured_content if not answer.is_error else text


def test_every_tool_says_what_it_does(home):
    async def talk():
        async with Client(build_server(Desk(Court(home)))) as client:
            return await client.list_tools()

    tools = {tool.name: tool for tool in anyio.run(talk).tools}
    assert set(tools) == {
        "search_library",
        "read_document",
        "literature_claims",
        "verify_claim",
        "list_claims",
        "show_claim",
        "list_experiments",
        "run_experiment",
        "ask",
    }
    assert all(tool.description for tool in tools.values())
    assert tools["verify_claim"].input_schema["required"] == ["sentence"]
    assert tools["search_library"].input_schema["required"] == ["question"]
    unsaid = set(tools["search_library"].input_schema["properties"]) - {"question", "limit"}
    assert all(f"`{name}`" in (tools["search_library"].description or "") for name in unsaid)


def test_a_stored_claim_is_shown_as_the_command_line_shows_it(home):
    verdict = try_claims(home, ("necessity", "20.0"))[0]
    failed, found = call(home, "show_claim", claim_id=verdict.claim_id)
    assert not failed
    assert found["verdict"] == "supported"
    assert found["claim"]["components"] == ["a20.h0"]
    assert found["predictions"][0]["controls"]


def test_a_callers_mistake_is_the_tools_error_in_one_sentence(home):
    failed, text = call(home, "show_claim", claim_id="c000")
    assert failed
    assert "There is no claim 'c000'" in text


@pytest.fixture
def filled(home, tmp_path):
    """A library of two notes that differ in everything a search can be limited to."""
    one = (
        "---\nid: one\nkind: paper\nyear: 2022\ntags: [heads]\nmodels: [GPT-2 small]\nsource_trust_level: high\n"
        "confidence_score: 0.9\n---\nA copy head writes the token that it attends to."
    )
    two = "---\nid: two\nyear: 2020\nsource_trust_level: low\n---\n복사 헤드는 주목하는 토큰을 쓴다. copy head"
    (tmp_path / "vault").mkdir()
    for name, text in (("one.md", one), ("two.md", two)):
        (tmp_path / "vault" / name).write_text(text, encoding="utf-8")
    with open_library(home) as library:
        library.add(tmp_path / "vault")
    opened.open_library.cache_clear()
    yield home
    opened.open_library.cache_clear()


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, {"one", "two"}),
        ({"since": 2021}, {"one"}),
        ({"until": 2021}, {"two"}),
        ({"tags": ["heads"]}, {"one"}),
        ({"kinds": ["paper"]}, {"one"}),
        ({"trust": "medium"}, {"one"}),
        ({"confidence": 0.5}, {"one"}),
        ({"confidence": 0.95}, set()),
        ({"language": "ko"}, {"two"}),
        ({"model": "gpt-2"}, {"one"}),
    ],
)
def test_a_search_takes_the_filters_of_the_terminal(filled, limits, expected):
    failed, found = call(filled, "search_library", question="what is a copy head?", **limits)
    assert not failed
    assert {hit["document_id"] for hit in (*found["hits"], *found["nearest"])} == expected


def test_a_filter_that_is_none_is_refused(filled):
    failed, text = call(filled, "search_library", question="what is a copy head?", confidence=90)
    assert failed
    assert "confidence" in text


def test_an_untestable_sentence_comes_back_as_a_question_or_a_reason(home):
    failed, text = call(home, "verify_claim", sentence="this model is conscious")
    assert failed
    assert len(text) > 20
    assert "Traceback" not in text


@pytest.mark.timeout(120)
def test_the_command_serves_over_standard_input_and_output(home):
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "ui.cli", "mcp"], env={"CIRCUIT_COURT_HOME": str(home.home)}
    )

    async def talk():
        async with Client(parameters) as client:
            return await client.call_tool("list_claims", {})

    try_claims(home, ("necessity", "5.1"))
    answer = anyio.run(talk)
    assert not answer.is_error
    assert answer.structured_content is not None
    assert answer.structured_content["result"][0]["verdict"] == "refuted"
