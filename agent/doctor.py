"""Looks at everything the product needs and says, for each, whether it is there and what to do when it is not.

Nothing is downloaded, no provider is contacted, no torch is loaded. Hashes of the packaged weights are computed anew.
"""

import hashlib
import shutil
import stat
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from agent.config import Config
from agent.errors import USER_ERRORS, LlmError
from agent.ledger.store import Ledger
from agent.liveness import living_workers
from agent.packaged import FETCH_COMMAND, PACKAGED, is_whole
from agent.queue import JobQueue

ROOM_BYTES = 1_000_000_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Check(NamedTuple):
    """One row: what was looked at, whether it is well, what was seen, and what to do (empty when nothing)."""

    name: str
    ok: bool
    detail: str
    remedy: str


def examine(config: Config) -> list[Check]:
    """All rows, in the order in which a newcomer needs the things."""
    rows = [_python(), _data_folder(config)]
    rows += [_packaged(name, config.models_dir) for name in PACKAGED]
    looks: list[tuple[str, Callable[[Config], str], str]] = [
        ("library", _library, "run: circuit-court library build"),
        ("ledger", _ledger, "set CIRCUIT_COURT_HOME to another folder, or restore the ledger from a copy"),
        ("queue", _queue, "stop every worker, then remove queue.sqlite from the data folder; verdicts stay"),
        ("worker", _worker, "restore the ledger first"),
    ]
    rows += [_tried(name, look, remedy, config) for name, look, remedy in looks]
    return [*rows, _llm(config), _browser()]


def _tried(name: str, look: Callable[[Config], str], remedy: str, config: Config) -> Check:
    try:
        return Check(name, True, look(config), "")
    except USER_ERRORS as error:
        return Check(name, False, str(error), remedy)


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == (3, 11):
        return Check("python", True, version, "")
    return Check("python", False, version, "install Python 3.11 and run: make PYTHON=/path/to/python3.11 setup")


def _data_folder(config: Config) -> Check:
    home = config.home
    if not home.is_dir():
        return Check("data folder", True, f"{home} (made at first use)", "")
    mode, free = stat.S_IMODE(home.stat().st_mode), shutil.disk_usage(home).free
    detail = f"{home}, mode {mode:o}, {free / 1e9:.1f} GB free"
    if mode & 0o077:
        return Check("data folder", False, detail + ": others can read it", f"run: chmod 700 {home}")
    if free < ROOM_BYTES:
        return Check("data folder", False, detail, "make room, or set CIRCUIT_COURT_HOME to a larger disk")
    return Check("data folder", True, detail, "")


def _packaged(name: str, models_dir: Path) -> Check:
    model, row = PACKAGED[name], f"model {name}"
    folder = models_dir / model.folder
    if not is_whole(model, folder):
        return Check(row, False, f"{model.purpose} is not in {models_dir}", f"run: {FETCH_COMMAND}")
    with (folder / model.weights).open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != model.sha256:
        detail = f"{model.weights} has sha256 {found[:12]}..., expected {model.sha256[:12]}..."
        return Check(row, False, detail, f"remove {folder} and run: {FETCH_COMMAND}")
    return Check(row, True, f"{folder.name}, sha256 {found[:12]}... as expected", "")


def _library(config: Config) -> str:
    from agent.errors import AgentError
    from agent.library import open_library

    with open_library(config) as library:
        documents = library.documents()
        if not documents:
            raise AgentError("the library is empty")
        found = library.search("activation patching", limit=1)
        remarks = f" ({'; '.join(found.remarks)})" if found.remarks else ""
        return f"{len(documents)} documents, search answers{remarks}"


def _ledger(config: Config) -> str:
    ledger = Ledger.open(config)
    try:
        return f"{len(ledger.registry.claims())} claims, {ledger.registry.verify_chain()} registrations, chain unbroken"
    finally:
        ledger.close()


def _queue(config: Config) -> str:
    queue = JobQueue(config.queue_url)
    try:
        queue.connect()
        return "opens"
    finally:
        queue.close()


def _worker(config: Config) -> str:
    ledger = Ledger.open(config)
    try:
        living, offered = living_workers(ledger), len(ledger.catalogue.entries("experiment"))
    finally:
        ledger.close()
    states = ", ".join(f"process {row.pid} on {row.host} is {row.state}" for row in living)
    return f"{states or 'none runs (commands start their own)'}; {offered} experiments published"


def _llm(config: Config) -> Check:
    from agent.chat.llm import build_llm

    if not config.llm:
        return Check("llm", True, "none configured: the built-in analyst answers", "")
    try:
        build_llm(config, [])
    except LlmError as error:
        return Check("llm", False, str(error), "correct CIRCUIT_COURT_LLM or unset it")
    key = "with a key" if config.llm_api_key else "without CIRCUIT_COURT_LLM_API_KEY"
    return Check("llm", True, f"{config.llm}, {key} (not contacted)", "")


def _browser() -> Check:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found and find_spec("playwright"):
        return Check("browser for the tests", True, found, "")
    missing = "no Chromium" if not found else "no playwright"
    return Check("browser for the tests", True, f"{missing}; only the browser tests need it", "")
