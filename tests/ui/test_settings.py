from pathlib import Path

import pytest
from pydantic import SecretStr

from ui.settings import SettingsError, child_environment, load


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIRCUIT_COURT_HOME", str(tmp_path / "home"))


def test_everything_lives_in_the_data_folder(tmp_path):
    config = load()
    assert config.home == tmp_path / "home"
    assert config.models_dir == tmp_path / "home" / "models"
    assert config.ledger_url == f"sqlite:///{tmp_path / 'home' / 'ledger.sqlite'}"


def test_a_relative_folder_becomes_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIRCUIT_COURT_HOME", "here")
    assert load().home == tmp_path / "here"


def test_a_database_url_replaces_the_file(monkeypatch):
    monkeypatch.setenv("CIRCUIT_COURT_LEDGER_URL", "postgresql+psycopg://u@h/db")
    config = load()
    assert config.ledger_url == "postgresql+psycopg://u@h/db"
    assert config.queue_url.startswith("sqlite:///")


def test_an_empty_variable_is_an_absent_one(monkeypatch):
    monkeypatch.setenv("CIRCUIT_COURT_LLM", "")
    assert load().llm is None


def test_the_key_does_not_print(monkeypatch):
    monkeypatch.setenv("CIRCUIT_COURT_LLM_API_KEY", "sk-very-secret")
    config = load()
    assert isinstance(config.llm_api_key, SecretStr)
    assert "sk-very-secret" not in repr(config)


def test_an_unreadable_value_names_its_variable(monkeypatch):
    monkeypatch.setenv("CIRCUIT_COURT_BUDGET_SECONDS", "long")
    with pytest.raises(SettingsError, match=r"CIRCUIT_COURT_BUDGET_SECONDS is set to 'long'"):
        load()


def test_tracing_to_hosted_services_is_off_even_when_the_shell_says_on(monkeypatch):
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGCHAIN_TRACING_V2", "true")
    environment = child_environment(load())
    assert environment["LANGSMITH_TRACING"] == "false"
    assert environment["LANGCHAIN_TRACING_V2"] == "false"
