"""Tokens and money are the provider's own count, and a limit ends the turn with a sentence."""

import pytest

from agent.errors import LlmError
from agent.usage import Meter, Rates, Usage
from tests.agent.chat.conftest import Chat
from tests.agent.chat.standin import Reply, standin
from tests.agent.chat.test_llm_turn import configured
from ui.answer_text import plain_answer

TWO_CALLS: list[Reply] = [[("list_claims", {})], "The ledger is empty."]


def limited(chat: Chat, **rates: float) -> None:
    chat.toolbox.meter = Meter(Rates(**rates), chat.toolbox.emit)  # pyright: ignore[reportArgumentType]


def test_the_tokens_of_each_call_are_counted_and_shown(chat: Chat):
    with standin(TWO_CALLS, tokens=(1200, 30)) as server:
        answer = chat.ask("list", configured(chat, server.url))
    assert answer.usage == Usage(calls=2, input_tokens=2400, output_tokens=60)
    assert [payload["input_tokens"] for kind, payload in chat.events if kind == "usage"] == [1200, 1200]
    assert "2 calls of the llm, 2,400 tokens in, 60 out" in plain_answer(answer)


def test_money_is_tokens_times_prices(chat: Chat):
    limited(chat, price_input=3.0, price_output=15.0)
    with standin(TWO_CALLS, tokens=(1_000_000, 100_000)) as server:
        answer = chat.ask("list", configured(chat, server.url))
    assert answer.usage is not None
    assert answer.usage.money == pytest.approx(2 * (3.0 + 1.5))


def test_without_both_prices_no_money_is_shown(chat: Chat):
    limited(chat, price_input=3.0)
    with standin(TWO_CALLS, tokens=(1000, 10)) as server:
        answer = chat.ask("list", configured(chat, server.url))
    assert answer.usage is not None
    assert answer.usage.money is None
    assert "money" not in answer.usage.says()


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ({"most_tokens": 1000}, "limit is 1,000.*CIRCUIT_COURT_BUDGET_TOKENS"),
        ({"most_money": 0.5, "price_input": 1000.0, "price_output": 1.0}, "limit is 0.5.*CIRCUIT_COURT_BUDGET_MONEY"),
    ],
)
def test_a_limit_ends_the_turn_before_the_next_call(chat: Chat, limit: dict[str, float], sentence: str):
    limited(chat, **limit)
    with standin(TWO_CALLS, tokens=(1000, 10)) as server, pytest.raises(LlmError, match=sentence):
        chat.ask("list", configured(chat, server.url))
    assert len(server.requests) == 1


def test_a_provider_that_counts_nothing_is_said_so(chat: Chat):
    with standin(TWO_CALLS) as server:
        answer = chat.ask("list", configured(chat, server.url))
    assert answer.usage is not None
    assert answer.usage.says() == "2 calls of the llm, tokens not reported by the provider"


def test_the_built_in_analyst_uses_nothing(chat: Chat):
    assert chat.ask("what can you do?").usage is None


def test_a_key_that_the_server_repeats_is_not_shown(chat: Chat):
    with standin([400]) as server, pytest.raises(LlmError) as error:
        chat.ask("hello", configured(chat, server.url))
    assert "sk-test" not in str(error.value)
    assert "[hidden]" in str(error.value)
