"""How the court did on claims whose truth is known, by claim type: the error rates shown beside every verdict.

`track_record.json` holds the counts that `circuit-court calibrate --json` printed on planted models and on compiled
cases; `python -m agent.track_record OUTPUT ...` writes it anew from such outputs. Rates are about those models, tasks and
sentences; on a real model nobody knows them. Import costs nothing heavy.
"""

import json
import sys
from collections import Counter
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent.claims import METHOD_VERSION
from agent.inference import clopper_pearson

FILE = "track_record.json"


class Record(BaseModel):
    """Verdicts on claims of known truth: `true` and `false` count them by verdict."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    true: dict[str, int] = Field(default_factory=dict)
    false: dict[str, int] = Field(default_factory=dict)

    def says(self) -> str:
        """The counts in one sentence, with the exact 95 % interval of the rate that matters most."""
        parts = []
        n, m = sum(self.false.values()), sum(self.true.values())
        if n:
            wrong = self.false.get("supported", 0)
            parts.append(
                f"of {n} false ones {wrong} supported (95 % interval up to {clopper_pearson(wrong, n)[1]:.1%})"
            )
        if m:
            right, refuted = self.true.get("supported", 0), self.true.get("refuted", 0)
            parts.append(f"of {m} true ones {right} supported, {refuted} refuted")
        return "; ".join(parts)


class TrackRecord(BaseModel):
    """Every type's record, and what it was measured with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method_version: str
    runs: int
    by_type: dict[str, Record]


@cache
def packaged() -> TrackRecord:
    """The record that comes with this version."""
    return TrackRecord.model_validate_json(resources.files("agent").joinpath(FILE).read_text(encoding="utf-8"))


def beside(claim_type: str) -> str:
    """The sentence beside a verdict of this type."""
    known = packaged()
    record = known.by_type.get(claim_type)
    if record is None or not record.says():
        return "Error rates of this type of claim are not measured: no models with known truth pose it."
    when = "" if known.method_version == METHOD_VERSION else f" (with method version {known.method_version})"
    return f"Claims of this type with known truth{when}: {record.says()}. Printed by circuit-court calibrate."


def merged(outputs: list[dict[str, Any]]) -> TrackRecord:
    """The record of several runs of `circuit-court calibrate --json` together."""
    totals: dict[str, dict[str, Counter[str]]] = {}
    for output in outputs:
        for name, rates in output["by_type"].items():
            counts = totals.setdefault(name, {"true": Counter(), "false": Counter()})
            for side in ("true", "false"):
                counts[side].update(rates["counts"][side])
    by_type = {name: Record.model_validate(counts) for name, counts in sorted(totals.items())}
    return TrackRecord(method_version=METHOD_VERSION, runs=len(outputs), by_type=by_type)


def main() -> None:
    """Write the file from the outputs named on the command line."""
    outputs = [json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]]
    Path(__file__).with_name(FILE).write_text(merged(outputs).model_dump_json(indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
