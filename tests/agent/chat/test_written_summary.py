"""An llm's summary is counted like any other call, and refused beyond the limit."""

import pytest

from agent.errors import LlmError
from agent.usage import Meter, Rates, Usage
from agent.written_summary import write_summary
from tests.agent.chat.conftest import Chat
from tests.agent.chat.standin import standin
from tests.agent.chat.test_llm_turn import configured


def written(chat: Chat, meter: Meter):
    with standin(["findings: It has 26 heads."], tokens=(1200, 30)) as server:
        llm, name = configured(chat, server.url)
        return write_summary(chat.toolbox.library, "the IOI paper", llm, name, meter), server


def test_the_call_is_counted(chat: Chat):
    meter = Meter(Rates(), chat.toolbox.emit)
    summary, _ = written(chat, meter)
    assert summary.document_ids == ("ioi-wang-2022",)
    assert meter.total == Usage(calls=1, input_tokens=1200, output_tokens=30)


def test_a_spent_budget_asks_nothing(chat: Chat):
    meter = Meter(Rates(most_tokens=100), chat.toolbox.emit, Usage(calls=1, input_tokens=100))
    with pytest.raises(LlmError, match="CIRCUIT_COURT_BUDGET_TOKENS"):
        written(chat, meter)
