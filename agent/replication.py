"""Replication: every experiment behind a verdict is run again, its numbers compared, the verdict computed anew.

The same prompts and parameters on the same weights must give the same numbers within `TOLERANCE` (fp32 on other
hardware or batch sizes differs in the last digits). Whether the claim holds on *other* prompts is another question:
that is a revision of the claim with its own registration. This module compares; it runs nothing.
"""

from collections.abc import Callable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from agent.judge import judge
from agent.ledger.store import Ledger
from agent.predictions import Prediction, Registration
from agent.verification import registered
from tools.result import Result

TOLERANCE = 1e-3
MOST = 1e9  # the difference of arrays that cannot be compared
RunAgain = Callable[[Result, str, int], Result]
"""From a stored result, its prediction's key and look to what the same experiment gives now."""


class Compared(BaseModel):
    """One piece of evidence, then and now: the estimate, or array entry by entry, that differs most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    look: int
    experiment: str
    result_id: str
    again_id: str
    name: str
    stored: float
    again: float
    difference: float
    missing: list[str] = Field(default_factory=list, description="estimates and arrays that did not come again")


class Replication(BaseModel):
    """What came of running a claim's evidence again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim_id: str
    verdict: str
    verdict_again: str
    tolerance: float = TOLERANCE
    largest_difference: float
    agrees: bool = Field(description="same verdict, and every estimate and array within the tolerance")
    rows: list[Compared]


def replicate(claim_id: str, ledger: Ledger, run_again: RunAgain) -> Replication:
    """Run the evidence of a judged claim again, in the order of predictions and looks.

    Raises ClaimError when the claim was never registered, LedgerError when it has no evidence.
    """
    registration = registered(claim_id, ledger)
    predictions = {one.key: one for one in registration.predictions}
    rows: list[Compared] = []
    evidence: dict[str, list[Result]] = {}
    for key, look, stored in _evidence(registration, ledger):
        again = run_again(stored, key, look)
        evidence.setdefault(key, []).append(again)
        rows.append(_compared(predictions[key], look, stored, again))
    stored_verdict = ledger.registry.verdict(registration.claim_id)
    word = stored_verdict.verdict if stored_verdict else "none"
    verdict_again = judge(registration, evidence).verdict
    largest = max((row.difference for row in rows), default=0.0)
    return Replication(
        claim_id=registration.claim_id,
        verdict=word,
        verdict_again=verdict_again,
        largest_difference=largest,
        agrees=word == verdict_again and largest <= TOLERANCE and not any(row.missing for row in rows),
        rows=rows,
    )


def _evidence(registration: Registration, ledger: Ledger) -> Sequence[tuple[str, int, Result]]:
    keys = {registration.prediction_id(one.key): one.key for one in registration.predictions}
    order = list(keys)
    rows = sorted(ledger.evidence.evidence(order), key=lambda row: (order.index(row.prediction_id), row.look))
    return [(keys[row.prediction_id], row.look, ledger.evidence.result(row.result_id)) for row in rows]


def _compared(prediction: Prediction, look: int, stored: Result, again: Result) -> Compared:
    """The number that differs most; where none differs, the one that the prediction is about."""
    numbers = [_array(name, stored, again) for name in _in_order(prediction, stored) if name in again.arrays]
    now = {estimate.name: estimate.value for estimate in again.estimates}
    numbers += [(e.name, e.value, now[e.name], abs(e.value - now[e.name])) for e in stored.estimates if e.name in now]
    name, before, after, difference = max(numbers, key=lambda number: number[3])
    return Compared(
        key=prediction.key,
        look=look,
        experiment=stored.experiment,
        result_id=stored.result_id,
        again_id=again.result_id,
        name=name,
        stored=before,
        again=after,
        difference=difference,
        missing=sorted({e.name for e in stored.estimates} - set(now)) + sorted(set(stored.arrays) - set(again.arrays)),
    )


def _in_order(prediction: Prediction, stored: Result) -> list[str]:
    """The numeric arrays of a result that hold anything, the prediction's own first."""
    own = getattr(prediction.rule, "array", None)
    kept = [name for name, array in stored.arrays.items() if array.size and np.issubdtype(array.dtype, np.number)]
    return sorted(kept, key=lambda name: name != own)


def _array(name: str, stored: Result, again: Result) -> tuple[str, float, float, float]:
    """Means of an array, and its largest difference entry by entry; another shape differs without bound."""
    before, after = stored.arrays[name].astype(float), again.arrays[name].astype(float)
    same = before.shape == after.shape and bool((np.isnan(before) == np.isnan(after)).all())
    apart = float(np.nanmax(np.abs(before - after), initial=0.0)) if same else MOST
    return f"mean {name}", float(np.nanmean(before)), float(np.nanmean(after)), apart
