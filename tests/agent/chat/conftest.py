"""A small real library and a real, empty court for the chat tests; every turn runs in this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel

from agent.answer import Answer
from agent.chat.llm import build_llm
from agent.chat.toolbox import Toolbox
from agent.chat.turn import run_turn
from agent.config import Config
from agent.court import Court
from agent.usage import Meter, Rates
from kb.library import Library

NOTES = Path(__file__).resolve().parents[3] / "kb" / "starter" / "notes"
KEYS = ["ioi-wang-2022", "induction-head", "activation-patching", "self-repair", "minimality-criterion"]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("library")) as opened:
        for key in KEYS:
            opened.add(NOTES / f"{key}.md")
        yield opened


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    opened = Court(Config.at(tmp_path / "home"))
    yield opened
    opened.close()


@dataclass
class Chat:
    """Asks one question and keeps what was emitted."""

    toolbox: Toolbox
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def ask(self, question: str, llm: tuple[BaseChatModel, str] | None = None, history: Any = ()) -> Answer:
        model, name = llm or build_llm(self.toolbox.court.config, ["head-ablation"])
        return run_turn(question, list(history), toolbox=self.toolbox, llm=model, name=name)

    def tools(self) -> list[str]:
        return [payload["tool"] for kind, payload in self.events if kind == "tool"]


@pytest.fixture
def chat(court: Court, library: Library) -> Iterator[Chat]:
    events: list[tuple[str, dict[str, Any]]] = []
    emit: Callable[[str, dict[str, Any]], None] = lambda kind, payload: events.append((kind, payload))  # noqa: E731
    toolbox = Toolbox(court, library, "smollm2", "ioi", emit, lambda: False, Meter(Rates(), emit))
    yield Chat(toolbox, events)
