"""Reads claims out of the ledger as the cards that people see. Computes nothing: verdicts and outcomes are stored.

A claim is `registered` until evidence comes, `running` while a job works on it, `judged` with a verdict, and `stale`
when the model published under its name, the task or the method is no longer the one it was judged on.
"""

from typing import Any

from agent.cards import ClaimCard, ClaimSummary, PredictionCard
from agent.claims import METHOD_VERSION
from agent.ledger.schema import ClaimRow, EvidenceRow, PredictionRow, VerdictRow
from agent.ledger.store import Ledger
from agent.published import Published
from agent.session_errors import session_rows
from agent.track_record import beside


def claim_summaries(ledger: Ledger) -> list[ClaimSummary]:
    """Every claim, newest first."""
    verdicts, busy = ledger.registry.verdicts(), _claims_in_work(ledger)
    known = Published(ledger)
    return [
        ClaimSummary.model_validate(_summary(row, verdicts.get(row.claim_id), busy, known))
        for row in ledger.registry.claims()
    ]


def claim_card(ledger: Ledger, claim_id: str) -> ClaimCard:
    """One claim with its predictions, evidence, attempts and verdict. Raises LedgerError when there is none."""
    claim, verdict = ledger.registry.claim(claim_id), ledger.registry.verdict(claim_id)
    registration = ledger.registry.registration(claim_id)
    rows = ledger.registry.predictions(registration.prereg_hash) if registration else []
    evidence = ledger.evidence.evidence([row.prediction_id for row in rows])
    attempts = ledger.evidence.attempts(prediction_ids=[row.prediction_id for row in rows])
    judged = verdict.payload if verdict else {}
    fields = _summary(claim, verdict, _claims_in_work(ledger), Published(ledger))
    fields |= {
        "displayed": judged.get("displayed") or claim.text,
        "remarks": judged.get("remarks", []),
        "missing": judged.get("missing", []),
        "strength": judged.get("strength", {}) | _in_session(ledger, claim.claim_id),
        "predictions": [_prediction(row, evidence, judged) for row in rows],
        "prereg_hash": registration.prereg_hash if registration else "",
        "confirm_seed": int(registration.prereg_hash[:8], 16) if registration else 0,
        "registered_at": registration.registered_at if registration else "",
        "method_version": verdict.method_version if verdict else "",
        "track_record": beside(claim.type),
        "heatmap_result_id": judged.get("heatmap_result_id"),
        "passages": claim.payload.get("passages", []),
        "provenance": _provenance(ledger, evidence),
        "attempts": [
            {
                "key": next(p.key for p in rows if p.prediction_id == row.prediction_id),
                "experiment": row.call["experiment"],
                "look": row.look,
                "status": row.status,
                "result_id": row.result_id,
                "error": row.error,
                "started_at": row.started_at,
                "ended_at": row.ended_at,
            }
            for row in attempts
        ],
    }
    return ClaimCard.model_validate(fields)


def _in_session(ledger: Ledger, claim_id: str) -> dict[str, Any]:
    """The claim's q-value among all claims of this ledger, and whether its support is a headline (METHOD 4.3)."""
    row = next((row for row in session_rows(ledger) if row.claim_id == claim_id), None)
    return {} if row is None or row.verdict is None else {"session_q": round(row.q, 6), "headline": row.headline}


def _summary(claim: ClaimRow, verdict: VerdictRow | None, busy: set[str], known: Published) -> dict[str, Any]:
    payload, judged = claim.payload, verdict.payload if verdict else {}
    status = "registered"
    if claim.claim_id in busy:
        status = "running"
    elif verdict is not None:
        old = known.stale(payload, judged) or verdict.method_version != METHOD_VERSION
        status = "stale" if old else "judged"
    return {
        "claim_id": claim.claim_id,
        "type": claim.type,
        "text": claim.text,
        "model": payload["model"],
        "task": payload["task"],
        "components": payload.get("components", []),
        "verdict": verdict.verdict if verdict else None,
        "reason": judged.get("reason", ""),
        "rung": verdict.rung if verdict else 0,
        "scope": judged.get("scope", ""),
        "status": status,
        "created_at": claim.created_at,
        "judged_at": verdict.at if verdict else None,
    }


def _prediction(row: PredictionRow, evidence: list[EvidenceRow], judged: dict[str, Any]) -> PredictionCard:
    own = [item for item in evidence if item.prediction_id == row.prediction_id]
    observed = judged.get("predictions", {}).get(row.key, {})
    fields = {name: row.payload[name] for name in PredictionCard.model_fields if name in row.payload}
    fields |= {name: observed[name] for name in PredictionCard.model_fields if name in observed}
    fields |= {
        "prediction_id": row.prediction_id,
        "key": row.key,
        "role": row.role,
        "experiment": row.experiment,
        "looks": len(own),
        "result_ids": [item.result_id for item in own],
        "registered_at": row.registered_at,
        "evidence_at": own[-1].at if own else None,
    }
    return PredictionCard.model_validate(fields)


def _provenance(ledger: Ledger, evidence: list[EvidenceRow]) -> dict[str, Any]:
    if not evidence:
        return {}
    return ledger.evidence.summary(evidence[-1].result_id).provenance.model_dump(mode="json")


def _claims_in_work(ledger: Ledger) -> set[str]:
    active = ledger.runs.list(active=True)
    return {row.request["claim_id"] for row in active if "claim_id" in row.request}
