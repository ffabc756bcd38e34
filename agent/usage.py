"""What the llm has cost a turn or an investigation: calls, tokens and money, and the limits that end it with a sentence.

Tokens are those that the provider reports with each reply (LangChain's `usage_metadata`); nothing is estimated. Money is
tokens times the prices of the settings, and is not shown when they are not set. A provider that reports no tokens is said
so, and cannot be held to a limit.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from agent.config import Config
from agent.errors import LlmError
from agent.events import Event

MILLION = 1_000_000


class Usage(BaseModel):
    """Calls of the llm and what they took; `unreported` of the calls came without a count. Money needs prices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unreported: int = 0
    money: float | None = None

    def __add__(self, other: "Usage") -> "Usage":
        known = [amount for amount in (self.money, other.money) if amount is not None]
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            unreported=self.unreported + other.unreported,
            money=round(sum(known), 6) if known else None,
        )

    @property
    def tokens(self) -> int:
        """In and out together."""
        return self.input_tokens + self.output_tokens

    def says(self) -> str:
        """The usage in words."""
        calls = f"{self.calls} call{'s' if self.calls != 1 else ''} of the llm"
        if self.calls and self.unreported == self.calls:
            return f"{calls}, tokens not reported by the provider"
        words = f"{calls}, {self.input_tokens:,} tokens in, {self.output_tokens:,} out"
        if self.unreported:
            words += f" ({self.unreported} of them not reported)"
        return words if self.money is None else f"{words}, {self.money:.4f} in money"


@dataclass(frozen=True)
class Rates:
    """Prices of a million tokens, and the most that one turn or investigation may take; None means unknown or unlimited."""

    price_input: float | None = None
    price_output: float | None = None
    most_tokens: int | None = None
    most_money: float | None = None

    @classmethod
    def of(cls, config: Config) -> "Rates":
        """As the settings say."""
        return cls(config.llm_price_input, config.llm_price_output, config.budget_tokens, config.budget_money)

    def money(self, input_tokens: int, output_tokens: int) -> float | None:
        """What these tokens cost; None unless both prices are known."""
        if self.price_input is None or self.price_output is None:
            return None
        return round((input_tokens * self.price_input + output_tokens * self.price_output) / MILLION, 6)


class Meter:
    """Counts the calls of one turn or investigation; `emit` tells each as a `usage` event."""

    def __init__(self, rates: Rates, emit: Callable[[str, dict[str, Any]], None], spent: Usage | None = None) -> None:
        """`spent` is what an earlier worker had used for the same run before it died."""
        self._rates, self._emit = rates, emit
        self._lock = threading.Lock()
        self.total = spent or Usage()

    def check(self) -> None:
        """Raise LlmError when the limit is reached; asked before each call."""
        limits, total = self._rates, self.total
        if limits.most_tokens is not None and total.tokens >= limits.most_tokens:
            raise LlmError(
                f"The llm has used {total.tokens:,} tokens, and the limit is {limits.most_tokens:,}. What was found is "
                "kept. Ask something narrower, or raise CIRCUIT_COURT_BUDGET_TOKENS."
            )
        if limits.most_money is not None and total.money is not None and total.money >= limits.most_money:
            raise LlmError(
                f"The llm has cost {total.money:.4f}, and the limit is {limits.most_money:g}. What was found is kept. Ask "
                "something narrower, or raise CIRCUIT_COURT_BUDGET_MONEY."
            )

    def add(self, metadata: Any) -> None:
        """Count one call by the provider's own numbers (`AIMessage.usage_metadata`), None when it gave none."""
        if metadata is None:
            used = Usage(calls=1, unreported=1)
        else:
            said, heard = int(metadata["input_tokens"]), int(metadata["output_tokens"])
            used = Usage(calls=1, input_tokens=said, output_tokens=heard, money=self._rates.money(said, heard))
        self.take(used)

    def take(self, used: Usage) -> None:
        """Count what was used, here or by a run that this one waits for."""
        with self._lock:
            self.total = self.total + used
        self._emit("usage", used.model_dump(mode="json"))


def usage_of(events: Iterable[Event]) -> Usage:
    """What a run's events say its llm has used."""
    return sum((Usage.model_validate(event.payload) for event in events if event.kind == "usage"), Usage())
