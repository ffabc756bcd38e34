"""A claim card as the JSON of `verify --json`, `claims show --json` and MCP: what a program may rely on."""

from typing import Any

from agent.cards import ClaimCard, PredictionCard

_CLAIM = ("claim_id", "text", "type", "components", "model", "task", "status", "created_at")


def claim_json(card: ClaimCard) -> dict[str, Any]:
    """`claim`, `verdict`, `reason`, `rung`, `scope`, `predictions` and `evidence` first, then the rest of the card."""
    whole = card.model_dump(mode="json")
    evidence = [
        {
            "result_id": result_id,
            "prediction_id": p.prediction_id,
            "key": p.key,
            "experiment": p.experiment,
            "at": p.evidence_at,
        }
        for p in card.predictions
        for result_id in p.result_ids
    ]
    return {
        "claim": {name: whole.pop(name) for name in _CLAIM},
        "verdict": whole.pop("verdict"),
        "reason": whole.pop("reason"),
        "rung": whole.pop("rung"),
        "scope": whole.pop("scope"),
        "displayed": whole.pop("displayed"),
        "remarks": whole.pop("remarks"),
        "predictions": [_prediction(p) for p in card.predictions],
        "evidence": evidence,
        **{name: value for name, value in whole.items() if name != "predictions"},
    }


def _prediction(card: PredictionCard) -> dict[str, Any]:
    whole = card.model_dump(mode="json")
    first = ("experiment", "estimate", "interval", "n", "outcome", "controls")
    return {**{name: whole.pop(name) for name in first}, **whole}
