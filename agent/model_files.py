"""Which files a model is made of, with size and time, so that a changed model is noticed without loading it.

Planted models have none: they are built in code. A hub name has none either: its hash is known once it is loaded.
"""

from pathlib import Path
from typing import Any

PACKAGED = {"smollm2": "SmolLM2-135M-Instruct"}
ENDINGS = (".safetensors", ".gguf", "config.json")


def model_folder(spec: str, models_dir: Path) -> Path | None:
    """The folder that a spec names on this machine, None when it names none."""
    if spec in PACKAGED:
        return models_dir / PACKAGED[spec]
    folder = Path(spec.removeprefix("case:")).expanduser()
    return folder if folder.is_dir() else None


def model_files(spec: str, models_dir: Path) -> list[dict[str, Any]]:
    """Path, size and modification time of each file of a model's folder, by path."""
    folder = model_folder(spec, models_dir)
    if folder is None or not folder.is_dir():
        return []
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name.endswith(ENDINGS))
    return [
        {"path": str(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
        for path in found
        for stat in [path.stat()]
    ]
