"""What workers published about models and tasks, read to tell whether a verdict still speaks of what is there now."""

from pathlib import Path
from typing import Any

from agent.claim_parser import Shape
from agent.ledger.store import Ledger


class Published:
    """The catalogue's models and tasks at one moment."""

    def __init__(self, ledger: Ledger) -> None:
        self._models = {entry["spec"]: entry for entry in ledger.catalogue.entries("model")}
        self._tasks = {entry["name"]: entry for entry in ledger.catalogue.entries("task")}

    def shape(self, spec: str) -> Shape | None:
        """Layers and heads of a model that was loaded before."""
        entry = self._models.get(spec)
        return Shape(entry["n_layers"], entry["n_heads"]) if entry and entry.get("n_layers") else None

    def tasks(self) -> list[str] | None:
        """Names of the tasks, None when no worker published any."""
        return list(self._tasks) or None

    def current(self, claim: dict[str, Any], judged: dict[str, Any]) -> bool:
        """Whether model and task are known to be those that a verdict was computed on."""
        model = self._models.get(claim["model"], {})
        return (
            model.get("sha256") == judged.get("model_sha256") and _untouched(model) and self._same_task(claim, judged)
        )

    def stale(self, claim: dict[str, Any], judged: dict[str, Any]) -> bool:
        """Whether model or task are known to be others by now; what is not known here is not called stale."""
        model = self._models.get(claim["model"], {})
        changed = model.get("sha256") not in (None, judged.get("model_sha256"))
        return changed or not _untouched(model) or not self._same_task(claim, judged)

    def _same_task(self, claim: dict[str, Any], judged: dict[str, Any]) -> bool:
        task = self._tasks.get(claim["task"])
        return task is None or task["version"] == judged.get("task_version")


def _untouched(model: dict[str, Any]) -> bool:
    """Whether the model's files have the size and time that they had when it was loaded."""
    return all(_unchanged(Path(file["path"]), file) for file in model.get("files", []))


def _unchanged(path: Path, known: dict[str, Any]) -> bool:
    if not path.is_file():
        return False
    stat = path.stat()
    return (stat.st_size, stat.st_mtime_ns) == (known["size"], known["mtime_ns"])
