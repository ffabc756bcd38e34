"""How a worker process begins: its configuration from one line, its log file, its lock on the data folder."""

import faulthandler
import fcntl
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.engine import make_url

import tools
from agent.config import Config
from agent.errors import WorkerError
from agent.ledger.store import Ledger

TOOLS = Path(tools.__path__[0])
LOG_BYTES = 4_000_000
HIDDEN = "[hidden]"
FOLDERS = ("home", "models_dir", "embedder", "reranker")
SECRETS = ("llm_api_key", "chroma_api_key")


def let_threads_sleep() -> None:
    """Let torch's threads sleep while they wait for each other; call before torch is loaded.

    Threads that spin take the processor from whoever works: beside two busy processes the gradients of sixteen prompts
    took minutes, and seconds without spinning. On a quiet machine small steps become slightly slower.
    """
    os.putenv("OMP_WAIT_POLICY", "PASSIVE")


def config_to_line(config: Config, *, warm: bool) -> str:
    """One JSON line that `config_from_line` reads. It holds keys: write it into a pipe, nowhere else."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    values |= {name: str(values[name]) for name in FOLDERS if values[name] is not None}
    values |= {name: values[name].get_secret_value() for name in SECRETS if values[name] is not None}
    return json.dumps({"config": values, "warm": warm}) + "\n"


def config_from_line(line: str) -> tuple[Config, bool]:
    """The configuration, and whether to keep the default model loaded."""
    message = json.loads(line)
    values = message["config"]
    values |= {name: Path(values[name]) for name in FOLDERS if values[name] is not None}
    values |= {name: SecretStr(values[name]) for name in SECRETS if values[name] is not None}
    return Config(**values), message["warm"]


def open_log(config: Config) -> None:
    """Send every log record to `<home>/logs/worker.log`, keys blotted out, and crashes of C code too."""
    config.logs_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    root = logging.getLogger()
    if any(isinstance(handler, RotatingFileHandler) for handler in root.handlers):
        return
    path = config.logs_dir / "worker.log"
    handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
    handler.setFormatter(_Blotting([getattr(config, name) for name in SECRETS]))
    path.chmod(0o600)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in ("dbos", "transformer_lens", "httpx", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    dbos = logging.getLogger("dbos")
    dbos.handlers, dbos.propagate = [], True
    faulthandler.enable(sys.stderr)
    faulthandler.register(signal.SIGUSR1, sys.stderr, all_threads=True)  # kill -USR1 shows what each thread does


class _Blotting(logging.Formatter):
    def __init__(self, secrets: Sequence[SecretStr | None]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = [secret.get_secret_value() for secret in secrets if secret and secret.get_secret_value()]

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


def published_since_changes(ledger: Ledger) -> bool:
    """Whether the published experiments and tasks are younger than every file that defines one."""
    published = ledger.catalogue.published_at("experiment")
    if published is None:
        return False
    folders = (TOOLS / "experiments", TOOLS / "task_files", TOOLS)
    newest = max(file.stat().st_mtime for folder in folders for file in folder.iterdir() if file.is_file())
    return datetime.fromisoformat(published).timestamp() > newest


@contextmanager
def sole_worker(config: Config) -> Iterator[None]:
    """Hold the data folder's lock while this worker lives; with a shared database there is nothing to hold.

    The lock is the operating system's and goes with the process, however that ends. Raises WorkerError, naming the
    process, when another worker holds it.
    """
    if make_url(config.queue_url).get_backend_name() != "sqlite":
        yield
        return
    path = config.home / "worker.lock"
    with path.open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise WorkerError(
                f"A worker (process {lock.read().strip() or 'unknown'}) already serves {config.home}. Use that one, stop "
                "it, or set CIRCUIT_COURT_HOME to another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
