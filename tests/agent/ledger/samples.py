"""Small results, claims and predictions for tests of the ledger."""

import numpy as np

from agent.ledger.evidence import Call
from agent.ledger.registry import NewPrediction
from agent.ledger.store import Ledger
from tools.result import Estimate, Provenance, Result


def result(value: float = 0.5, *, seed: int = 1) -> Result:
    return Result(
        experiment="toy",
        version=1,
        params={"seed": seed},
        summary=f"the effect is {value}",
        estimates=[Estimate(name="harm", value=value, low=value - 0.1, high=value + 0.1, n=8)],
        provenance=Provenance(model_name="toy", model_sha256="aa", model_dtype="float32"),
        arrays={"harm": np.full((2, 2), value, dtype=np.float32)},
    )


def prediction(key: str = "C1", claim: str = "claim-1") -> NewPrediction:
    return NewPrediction(f"{claim}-{key}", key, "critical", "toy", {"expects": "harm at least 0.05"})


def claim(ledger: Ledger, claim_id: str = "claim-1") -> str:
    ledger.registry.add_claim(claim_id, type="necessity", text=f"{claim_id} says", payload={"model": "toy"})
    return claim_id


def registered(ledger: Ledger, claim_id: str = "claim-1") -> str:
    """A claim with one registered prediction; returns the prediction's id."""
    claim(ledger, claim_id)
    ledger.registry.register(claim_id, {"claim": claim_id}, [prediction(claim=claim_id)])
    return f"{claim_id}-C1"


def call(prediction_id: str | None, *, seed: int = 1, run_id: str = "run", look: int = 1) -> Call:
    return Call(
        experiment="toy",
        version=1,
        params={"seed": seed},
        model="toy",
        call_hash=result(seed=seed).call_hash,
        prediction_id=prediction_id,
        look=look,
        run_id=run_id,
    )
