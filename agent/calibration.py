"""Measures the court: claims whose truth is known go through the whole machinery, and every verdict is counted.

Cases (folders with a compiled transformer, its true circuit and labelled sentences) are read by `tools/cases.py`; each
sentence is parsed, registered, tried and judged like anybody's. A sentence that the parser calls untestable is counted
apart, with the reason. Planted models add structured claims (`agent/calibration_planted.py`). Needs torch.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.bench import Bench
from agent.bench_laboratory import BenchLaboratory
from agent.claim_parser import Shape, parse_claim
from agent.claims import Claim
from agent.config import Config
from agent.errors import ClaimError
from agent.inference import clopper_pearson
from agent.ledger.store import Ledger
from agent.verification import verify
from tools.cases import Case, find_cases

NOT_TESTABLE = "not testable"


@dataclass(frozen=True)
class Known:
    """A claim whose truth is known: a sentence (parsed here) or a claim ready made."""

    family: str
    truth: bool
    text: str
    claim: Claim | None = None
    near_miss: str = ""


@dataclass(frozen=True)
class Tried:
    """What became of one known claim."""

    model: str
    known: Known
    verdict: str
    reason: str
    seconds: float
    type: str = ""

    @property
    def wrong(self) -> bool:
        """A false claim supported, or a true one refuted."""
        return self.verdict == ("refuted" if self.known.truth else "supported")


@dataclass
class Court:
    """One throw-away data folder with its bench; models are loaded one after the other."""

    home: Path
    models_dir: Path
    ledger: Ledger = field(init=False)
    bench: Bench = field(init=False)

    def __post_init__(self) -> None:
        config = Config.at(self.home, models_dir=self.models_dir)
        self.ledger = Ledger.open(config)
        self.bench = Bench(config, self.ledger, worker_id="calibration")

    def try_all(self, spec: str, task: str, claims: Iterable[Known]) -> Iterator[Tried]:
        """Try every known claim about one model and task."""
        lab = BenchLaboratory(self.bench, self.ledger, spec)
        shape = Shape(lab.model.n_layers, lab.model.n_heads)
        for known in claims:
            began = time.monotonic()
            try:
                claim = known.claim or parse_claim(known.text, model=spec, task=task, shape=shape, tasks=[task])
                verdict = verify(claim, lab, self.ledger)
                word, reason, kind = verdict.verdict, verdict.reason, claim.type
            except ClaimError as error:
                word, reason, kind = NOT_TESTABLE, str(error), ""
            yield Tried(spec, known, word, reason, time.monotonic() - began, kind)


def case_claims(case: Case) -> list[Known]:
    """The labelled sentences of a case."""
    return [Known(family=one.kind, truth=one.truth, text=one.text) for one in case.claims]


def calibrate_cases(folder: Path, court: Court, tell: Callable[[str], None] = lambda text: None) -> list[Tried]:
    """Try every claim of every case under `folder`. Raises ExperimentError when there is none."""
    tried: list[Tried] = []
    cases = find_cases(folder)
    for k, case in enumerate(cases, start=1):
        tried += court.try_all(case.spec, case.spec, case_claims(case))
        wrong = sum(one.wrong for one in tried)
        tell(f"{k} of {len(cases)} models, {len(tried)} claims, {wrong} wrong verdicts")
    return tried


def summary(tried: list[Tried]) -> dict[str, Any]:
    """Error rates with exact 95 % intervals, overall, by family and by claim type, and every wrong verdict by name."""
    families = sorted({one.known.family for one in tried})
    types = sorted({one.type for one in tried if one.type})
    return {
        **_rates(tried),
        "by_type": {name: _rates([one for one in tried if one.type == name]) for name in types},
        "by_family": {name: _rates([one for one in tried if one.known.family == name]) for name in families},
        "wrong": [
            {"model": one.model, "text": one.known.text, "truth": one.known.truth, "verdict": one.verdict}
            for one in tried
            if one.wrong
        ],
        "seconds": round(sum(one.seconds for one in tried), 1),
    }


def _rates(tried: list[Tried]) -> dict[str, Any]:
    judged = [one for one in tried if one.verdict != NOT_TESTABLE]
    true, false = [o for o in judged if o.known.truth], [o for o in judged if not o.known.truth]
    return {
        "false_support_rate": _share(false, "supported"),
        "false_support_interval": _interval(false, "supported"),
        "true_support_rate": _share(true, "supported"),
        "true_support_interval": _interval(true, "supported"),
        "true_refuted_rate": _share(true, "refuted"),
        "false_refuted_rate": _share(false, "refuted"),
        "judged_share": len(judged) / len(tried) if tried else None,
        "counts": {
            "claims": len(tried),
            "judged": len(judged),
            "not_testable": len(tried) - len(judged),
            "true": dict(Counter(one.verdict for one in true)),
            "false": dict(Counter(one.verdict for one in false)),
        },
    }


def _share(tried: list[Tried], verdict: str) -> float | None:
    return sum(one.verdict == verdict for one in tried) / len(tried) if tried else None


def _interval(tried: list[Tried], verdict: str) -> list[float] | None:
    if not tried:
        return None
    return list(clopper_pearson(sum(one.verdict == verdict for one in tried), len(tried)))
