"""Where things live and what is allowed, as one value handed down from the process that read the environment.

`ui/settings.py` builds it from `CIRCUIT_COURT_*`; nothing in `agent`, `kb` or `tools` reads the environment.
"""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr


@dataclass(frozen=True)
class Config:
    """Folders, databases, defaults. Databases are SQLAlchemy URLs; SQLite files in `home` unless set."""

    home: Path
    models_dir: Path
    ledger_url: str
    queue_url: str
    model: str = "smollm2"
    task: str = "ioi"
    llm: str | None = None
    llm_base_url: str | None = None
    llm_api_key: SecretStr | None = field(default=None, repr=False)
    device: str = "cpu"
    dtype: str = "float32"
    budget_seconds: float = 1200.0
    budget_forward_passes: int = 200_000
    budget_tokens: int | None = 500_000
    budget_money: float | None = None
    llm_price_input: float | None = None
    llm_price_output: float | None = None
    fetch: bool = False
    chroma_url: str | None = None
    chroma_api_key: SecretStr | None = field(default=None, repr=False)
    chroma_tenant: str = "default_tenant"
    chroma_database: str = "default_database"
    embedder: Path | None = None
    reranker: Path | None = None

    @property
    def results_dir(self) -> Path:
        """Result JSON and npz files, named by content hash."""
        return self.home / "results"

    @property
    def logs_dir(self) -> Path:
        """Worker and app logs."""
        return self.home / "logs"

    @classmethod
    def at(cls, home: Path, **changes: object) -> "Config":
        """The configuration of a data folder with everything at its default; `changes` override fields."""
        fields: dict[str, object] = {
            "home": home,
            "models_dir": home / "models",
            "ledger_url": f"sqlite:///{home / 'ledger.sqlite'}",
            "queue_url": f"sqlite:///{home / 'queue.sqlite'}",
        }
        return cls(**{**fields, **changes})  # pyright: ignore[reportArgumentType]  # names and types are the dataclass's own
