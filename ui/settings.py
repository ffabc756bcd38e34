"""What the environment says, read here and nowhere else: every `CIRCUIT_COURT_*` variable as one typed value.

`load()` also switches off whatever libraries would send to hosted services. This module knows names and defaults;
what the values mean is written in `agent/config.py`.
"""

import os
from pathlib import Path

from platformdirs import user_data_dir
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.config import Config
from agent.errors import AgentError

PREFIX = "CIRCUIT_COURT_"

_NOTHING_LEAVES = {
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "ANONYMIZED_TELEMETRY": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class SettingsError(AgentError):
    """A `CIRCUIT_COURT_*` variable holds what it cannot hold."""


class Settings(BaseSettings):
    """One field, one variable: `home` is `CIRCUIT_COURT_HOME`. The descriptions are the manual's."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(
        default_factory=lambda: Path(user_data_dir("circuit-court", appauthor=False)),
        description="the data folder: ledger, library, results, logs",
    )
    models_dir: Path | None = Field(default=None, description="folder of models; `models` in the data folder")
    ledger_url: str | None = Field(default=None, description="SQLAlchemy URL of the ledger; SQLite in the data folder")
    queue_url: str | None = Field(default=None, description="SQLAlchemy URL of the queue; SQLite in the data folder")
    model: str = Field(default="smollm2", description="the model under study when none is named")
    task: str = Field(default="ioi", description="the task when a claim names none")
    llm: str | None = Field(default=None, description="`provider:model` of the llm; the built-in analyst when absent")
    llm_base_url: str | None = Field(default=None, description="address of a server compatible with the provider's")
    llm_api_key: SecretStr | None = Field(default=None, description="key for the llm's provider")
    device: str = Field(default="cpu", description="torch device the worker computes on")
    dtype: str = Field(default="float32", description="number format the model is loaded in")
    budget_seconds: float = Field(default=1200.0, gt=0, description="longest plan that runs without being approved")
    budget_forward_passes: int = Field(default=200_000, gt=0, description="most forward passes without approval")
    budget_tokens: int | None = Field(
        default=500_000, gt=0, description="most tokens of the llm in one turn of the chat or one investigation"
    )
    budget_money: float | None = Field(
        default=None, gt=0, description="most money for the llm in the same, counted when both prices are set"
    )
    llm_price_input: float | None = Field(default=None, ge=0, description="price of a million tokens read by the llm")
    llm_price_output: float | None = Field(
        default=None, ge=0, description="price of a million tokens written by it; money is shown when both are set"
    )
    fetch: bool = Field(default=False, description="whether `library add` may fetch web addresses and arXiv ids")
    chroma_url: str | None = Field(
        default=None, description="address of a Chroma server or cloud; embedded when absent"
    )
    chroma_api_key: SecretStr | None = Field(default=None, description="key for the Chroma server or cloud")
    chroma_tenant: str = Field(default="default_tenant", description="tenant on the Chroma server")
    chroma_database: str = Field(default="default_database", description="database on the Chroma server")
    embedder: Path | None = Field(
        default=None,
        description="folder of another embedder (tokenizer.json; embedder.onnx or BERT weights); the packaged MiniLM when absent",
    )
    reranker: Path | None = Field(
        default=None,
        description="folder of a cross-encoder (model.onnx, tokenizer.json) that orders what a search found",
    )

    def config(self) -> Config:
        """The same as the value that `agent` works with; folders are made absolute."""
        home = self.home.expanduser().resolve()
        models_dir = (self.models_dir or home / "models").expanduser().resolve()
        rest = self.model_dump(exclude={"home", "models_dir", "ledger_url", "queue_url", "embedder", "reranker"})
        embedder, reranker = (
            folder.expanduser().resolve() if folder else None for folder in (self.embedder, self.reranker)
        )
        urls = {
            name: url
            for name, url in (("ledger_url", self.ledger_url), ("queue_url", self.queue_url))
            if url is not None
        }
        return Config.at(home, models_dir=models_dir, embedder=embedder, reranker=reranker, **urls, **rest)


def load() -> Config:
    """The configuration this process runs with. Raises SettingsError naming the variable that cannot be read."""
    os.environ.update(_NOTHING_LEAVES)
    try:
        return Settings().config()
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise SettingsError(f"{name} is set to {first['input']!r}: {first['msg']}. Correct or unset it.") from wrong


def child_environment(config: Config) -> dict[str, str]:
    """The environment for a process started from here, so that it reads the same absolute folders."""
    paths = {PREFIX + "HOME": str(config.home), PREFIX + "MODELS_DIR": str(config.models_dir)}
    return {**os.environ, **_NOTHING_LEAVES, **paths}
