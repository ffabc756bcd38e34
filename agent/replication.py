"""Replication: every experiment behind a verdict is run again, its numbers compared, the verdict computed anew.

The same prompts and parameters on the same weights must give the same numbers within `TOLERANCE` (fp32 on other
hardware or batch sizes differs in the last digits). Whether the claim holds on *other* prompts is another question:
that is a revision of the claim with its own registration. This module compares; it runs nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent.judge import judge
from agent.ledger.store import Ledger
from agent.predictions import Registration
from agent.verification import registered
from tools.result import Result

TOLERANCE = 1e-3
RunAgain = Callable[[Result, str, int], Result]
"""From a stored result, its prediction's key and look to what the same experiment gives now."""


class Compared(BaseModel):
    """One piece of evidence, then and now. `name` is the estimate that differs most."""

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


class Replication(BaseModel):
    """What came of running a claim's evidence again."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim_id: str
    verdict: str
    verdict_again: str
    tolerance: float = TOLERANCE
    largest_difference: float
    agrees: bool = Field(description="same verdict, and every estimate within the tolerance")
    rows: list[Compared]


def replicate(claim_id: str, ledger: Ledger, run_again: RunAgain) -> Replication:
    """Run the evidence of a judged claim again, in the order of predictions and looks.

    Raises ClaimError when the claim was never registered, LedgerError when it has no evidence.
    """
    registration = registered(claim_id, ledger)
    rows: list[Compared] = []
    evidence: dict[str, list[Result]] = {}
    for key, look, stored in _evidence(registration, ledger):
        again = run_again(stored, key, look)
        evidence.setdefault(key, []).append(again)
        rows.append(_compared(key, look, stored, again))
    stored_verdict = ledger.registry.verdict(registration.claim_id)
    word = stored_verdict.verdict if stored_verdict else "none"
    verdict_again = judge(registration, evidence).verdict
    largest = max((row.difference for row in rows), default=0.0)
    return Replication(
        claim_id=registration.claim_id,
        verdict=word,
        verdict_again=verdict_again,
        largest_difference=largest,
        agrees=word == verdict_again and largest <= TOLERANCE,
        rows=rows,
    )


def _evidence(registration: Registration, ledger: Ledger) -> Sequence[tuple[str, int, Result]]:
    keys = {registration.prediction_id(one.key): one.key for one in registration.predictions}
    order = list(keys)
    rows = sorted(ledger.evidence.evidence(order), key=lambda row: (order.index(row.prediction_id), row.look))
    return [(keys[row.prediction_id], row.look, ledger.evidence.result(row.result_id)) for row in rows]


def _compared(key: str, look: int, stored: Result, again: Result) -> Compared:
    now: dict[str, Any] = {estimate.name: estimate.value for estimate in again.estimates}
    differences = {
        estimate.name: abs(estimate.value - now[estimate.name]) for estimate in stored.estimates if estimate.name in now
    }
    worst = max(differences, key=differences.__getitem__)
    return Compared(
        key=key,
        look=look,
        experiment=stored.experiment,
        result_id=stored.result_id,
        again_id=again.result_id,
        name=worst,
        stored=stored.estimate(worst).value,
        again=now[worst],
        difference=differences[worst],
    )
