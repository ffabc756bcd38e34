from typing import Any

import pytest

from agent.errors import LlmError
from agent.events import Event
from agent.usage import Meter, Rates, Usage, usage_of


def silent(kind: str, payload: dict[str, Any]) -> None:
    """Nobody listens."""


def test_what_an_earlier_worker_used_counts_towards_the_limit():
    meter = Meter(Rates(most_tokens=100), silent, Usage(calls=1, input_tokens=90, output_tokens=20))
    with pytest.raises(LlmError, match="used 110 tokens"):
        meter.check()


def test_usage_is_the_sum_of_a_runs_events():
    one = Usage(calls=1, input_tokens=5, output_tokens=2, money=0.5)
    events = [Event(run_id="r", seq=n, kind="usage", payload=one.model_dump(), at="") for n in (1, 2)]
    events.append(Event(run_id="r", seq=3, kind="status", payload={"text": "on"}, at=""))
    assert usage_of(events) == Usage(calls=2, input_tokens=10, output_tokens=4, money=1.0)


def test_a_call_without_a_count_is_counted_as_such():
    meter = Meter(Rates(), silent)
    meter.add(None)
    meter.add({"input_tokens": 7, "output_tokens": 3, "total_tokens": 10})
    assert meter.total == Usage(calls=2, input_tokens=7, output_tokens=3, unreported=1)
    assert "1 of them not reported" in meter.total.says()
