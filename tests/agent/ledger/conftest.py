from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.config import Config
from agent.ledger.store import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(Config.at(tmp_path / "home"))
    yield opened
    opened.close()
