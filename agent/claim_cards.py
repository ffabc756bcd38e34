"""Predictions and verdicts as the ledger's JSON: what the docket turns into cards without computing anything.

The names are those of `agent.cards.PredictionCard`. This module decides nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.judge import Verdict
from agent.predictions import Prediction, Registration
from tools.result import Result


def prediction_payload(prediction: Prediction, registration: Registration) -> dict[str, Any]:
    """A registered prediction: its own JSON, the rule in words and the floors."""
    rule = prediction.rule
    first = prediction.looks[0]
    return {
        **prediction.model_dump(mode="json"),
        "params": prediction.call(1, registration.confirm_seed),
        "expects": rule.says(),
        "quantity": rule.quantity,
        "delta0": getattr(rule, "delta0", None),
        "delta1": getattr(rule, "delta1", None),
        "passes_in": rule.passes_in(),
        "level": 1 - 2 * first.alpha,
    }


def verdict_payload(
    verdict: Verdict, registration: Registration, evidence: Mapping[str, Sequence[Result]]
) -> dict[str, Any]:
    """A verdict, what was observed for each prediction, and the hashes that tell whether it has gone stale."""
    screen = registration.situation.screen
    return {
        **verdict.model_dump(mode="json"),
        "predictions": {key: _observed(key, verdict, results) for key, results in evidence.items() if results},
        "heatmap_result_id": screen.result_id if screen else None,
        "model_sha256": registration.situation.model.sha256,
        "task_version": registration.situation.task.version,
    }


def _observed(key: str, verdict: Verdict, results: Sequence[Result]) -> dict[str, Any]:
    finding = verdict.findings[key]
    interval = None if finding.low is None or finding.high is None else [finding.low, finding.high]
    return {
        "estimate": finding.estimate,
        "interval": interval,
        "level": finding.level,
        "n": finding.n,
        "outcome": finding.outcome,
        "reason": finding.reason,
        "controls": [control.model_dump(mode="json") for control in results[-1].controls],
        "control_values": finding.control_values,
        "control_labels": finding.control_labels,
        "p_rank": finding.p_rank,
    }
