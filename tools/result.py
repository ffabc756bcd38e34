"""What an experiment returns: numbers with intervals, named arrays, controls, provenance. Content-hashed.

Two hashes matter. `call_hash` names what was asked (experiment, version, parameters, model, task) and is known
before anything runs: the ledger uses it so that nothing runs twice. `result_id` names what came out: two runs that
give the same numbers have the same id. Arrays are stored as `.npz` without pickle. This module draws nothing and
judges nothing.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tools.errors import ExperimentError


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values have equal hashes. NaN and infinity are refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(value: Any) -> str:
    """sha256 hex of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


class Estimate(BaseModel):
    """One number with its interval. `level` is two-sided; `n` the number of independent units (prompts)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    level: float = 0.98
    n: int | None = None
    unit: str = ""


class Control(BaseModel):
    """A check that ran inside the experiment: an assay control (passed or not) or a control distribution."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    passed: bool | None = None
    observed: float | None = None
    expected: str = ""
    array: str | None = Field(default=None, description="name of the array with the control distribution")


class Provenance(BaseModel):
    """Everything needed to run the same thing again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_name: str
    model_sha256: str
    model_dtype: str
    task: str | None = None
    task_version: str | None = None
    prompts_sha256: str | None = None
    seed: int | None = None
    device: str = "cpu"
    threads: int | None = None
    determinism: dict[str, bool] = Field(
        default_factory=dict, description="torch's settings that decide whether a run can be repeated bit by bit"
    )
    code_version: str = ""
    libraries: dict[str, str] = Field(default_factory=dict)
    started_at: str = ""
    seconds: float = 0.0
    forward_passes: int = 0


class Result(BaseModel):
    """The outcome of one experiment.

    `arrays` maps names to numpy arrays (for example `harm`: float32 [layers, heads], or `harm_per_prompt`:
    float32 [n]); `tables` maps names to lists of flat rows for people without a figure.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    experiment: str
    version: int
    params: dict[str, Any]
    summary: str = Field(description="one plain sentence, computed from the numbers by code")
    estimates: list[Estimate]
    controls: list[Control] = Field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    labels: dict[str, list[str]] = Field(
        default_factory=dict, description="axis labels of arrays, e.g. controls -> heads"
    )
    provenance: Provenance
    arrays: dict[str, np.ndarray] = Field(default_factory=dict, exclude=True)

    @property
    def call_hash(self) -> str:
        """Hash of what was asked; see the module docstring."""
        return call_hash(
            self.experiment,
            self.version,
            self.params,
            model_sha256=self.provenance.model_sha256,
            task_version=self.provenance.task_version,
        )

    @property
    def result_id(self) -> str:
        """Hash of what came out, times and threads left aside."""
        body = self.model_dump(mode="json", exclude={"provenance"})
        arrays = {name: _array_hash(array) for name, array in sorted(self.arrays.items())}
        return "r" + content_hash({"body": body, "arrays": arrays, "call": self.call_hash})[:24]

    def estimate(self, name: str) -> Estimate:
        """The estimate of that name. Raises ExperimentError with the reason it is missing, or the names there are.

        An experiment that cannot measure something says so under the label `not_measured`, as `name: reason`.
        """
        for estimate in self.estimates:
            if estimate.name == name:
                return estimate
        for line in self.labels.get("not_measured", []):
            if line.partition(":")[0] == name:
                raise ExperimentError(f"{self.experiment} did not measure {line}.")
        raise ExperimentError(f"{self.experiment} reports no {name!r}; it reports {[e.name for e in self.estimates]}.")

    def check_finite(self) -> None:
        """Raise ExperimentError if a number is NaN or infinite: such a result proves nothing."""
        for estimate in self.estimates:
            numbers = [estimate.value, estimate.low or 0.0, estimate.high or 0.0]
            if not all(math.isfinite(number) for number in numbers):
                raise ExperimentError(f"{self.experiment} produced a non-finite {estimate.name}: {estimate.value!r}.")
        for name, array in self.arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ExperimentError(f"{self.experiment} produced non-finite values in {name!r}.")


def call_hash(
    experiment: str, version: int, params: Mapping[str, Any], *, model_sha256: str, task_version: str | None
) -> str:
    """Hash of one question to the laboratory, known before it is run."""
    return content_hash(
        {
            "experiment": experiment,
            "version": version,
            "params": dict(params),
            "model": model_sha256,
            "task_version": task_version,
        }
    )


def _array_hash(array: np.ndarray) -> str:
    head = f"{array.dtype.str}{array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def save_result(result: Result, folder: Path) -> Path:
    """Write `<result_id>.json` and `<result_id>.npz` under `folder`, atomically; return the JSON path."""
    result.check_finite()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    arrays_path = folder / f"{result.result_id}.npz"
    part = arrays_path.with_suffix(".npz.part")
    with part.open("wb") as stream:
        np.savez_compressed(stream, **result.arrays)  # pyright: ignore[reportArgumentType]  # keyword names are arrays
    part.replace(arrays_path)
    path = folder / f"{result.result_id}.json"
    part = path.with_suffix(".json.part")
    part.write_text(canonical_json(result.model_dump(mode="json")), encoding="utf-8")
    part.replace(path)
    return path


def load_result(path: Path) -> Result:
    """Read what `save_result` wrote. Raises ExperimentError if the numbers no longer match their hash."""
    result = Result.model_validate_json(path.read_text(encoding="utf-8"))
    with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
        result = result.model_copy(update={"arrays": {name: stored[name] for name in stored.files}})
    if result.result_id != path.stem:
        raise ExperimentError(f"{path} was changed after it was written: its content hashes to {result.result_id}.")
    return result
