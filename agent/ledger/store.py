"""The ledger as one value: claims, evidence, runs and catalogue of one data folder, on one database."""

from pathlib import Path

from agent.config import Config
from agent.errors import LedgerError
from agent.ledger.catalogue import Catalogue
from agent.ledger.engine import Database
from agent.ledger.evidence import EvidenceStore
from agent.ledger.registry import Registry
from agent.ledger.runs import Runs


class Ledger:
    """Open with `Ledger.open(config)`; the four parts share one database."""

    def __init__(self, url: str, results_dir: Path) -> None:
        self.database = Database(url)
        self.registry = Registry(self.database)
        self.evidence = EvidenceStore(self.database, results_dir)
        self.runs = Runs(self.database)
        self.catalogue = Catalogue(self.database)

    @classmethod
    def open(cls, config: Config) -> "Ledger":
        """The ledger of a data folder, created and migrated when needed.

        Raises LedgerError when the folder cannot be written or the database cannot be opened.
        """
        try:
            config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            config.home.chmod(0o700)
        except OSError as error:
            raise LedgerError(
                f"The data folder {config.home} cannot be used ({error.strerror}). "
                "Set CIRCUIT_COURT_HOME to a folder you own."
            ) from error
        return cls(config.ledger_url, config.results_dir)

    def close(self) -> None:
        """Give the database back."""
        self.database.close()
