"""The verdict: computed from a registration and its evidence by METHOD's fixed rules, and by nothing else.

Intersection-union over the critical predictions (4.1), Holm for refutation, looks decided one after the other (4.2),
assay failures and the behaviour gate before everything, the ladder's cap (3.1), the self-repair, disagreement and
heterogeneity remarks. Pure: the same registration and results always give the same verdict, so `claims rejudge` needs
the ledger only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent import inference as inf
from agent.cards import VerdictWord
from agent.claims import METHOD_VERSION, Claim, listed
from agent.findings import Finding
from agent.guards import noted, wrong_data
from agent.ladder import capped
from agent.predictions import Prediction, Registration
from agent.remarks import what_would_change, which_remarks
from agent.scope import scope_of
from tools.result import Result

Evidence = Mapping[str, Sequence[Result]]
"""Results by prediction key, in order of looks; a key without evidence may be absent."""


class Verdict(BaseModel):
    """What the court says about one claim, with everything that led there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim_id: str
    prereg_hash: str
    verdict: VerdictWord
    reason: str
    rung: int
    rung_requested: int
    displayed: str
    scope: str
    remarks: list[str] = Field(default_factory=list)
    missing: list[str] = Field(default_factory=list)
    guards: list[str] = Field(default_factory=list, description="ids of the guards of METHOD 3.2 that apply")
    findings: dict[str, Finding]
    looks: dict[str, int]
    p_hypothesis: float | None = Field(default=None, description="largest p over critical predictions (IUT)")
    strength: dict[str, Any] = Field(default_factory=dict)
    method_version: str = METHOD_VERSION


def find(prediction: Prediction, evidence: Evidence) -> Finding:
    """Judge one prediction on its newest look."""
    results = evidence[prediction.key]
    look = prediction.looks[min(len(results), len(prediction.looks)) - 1]
    return prediction.rule.decide(results, look.alpha, evidence)


def needs_look(registration: Registration, evidence: Evidence) -> list[tuple[Prediction, int]]:
    """What to run next: every first look, then second looks of open critical predictions; empty when all is decided.

    After a failed assay or a refutation at the first look nothing more is run.
    """
    first = [(one, 1) for one in registration.predictions if not evidence.get(one.key)]
    if first:
        broken = [f for f in _findings(registration, evidence).values() if f.sub == "invalid"]
        return [] if broken else first
    findings = _findings(registration, evidence)
    if any(f.sub == "invalid" for f in findings.values()) or _refuted(registration, findings, evidence):
        return []
    return [
        (one, len(evidence[one.key]) + 1)
        for one in registration.critical()
        if findings[one.key].outcome == "open" and len(evidence[one.key]) < len(one.looks)
    ]


def judge(registration: Registration, evidence: Evidence) -> Verdict:
    """The verdict on a registered claim from its results."""
    findings = _findings(registration, evidence)
    word, reason = _decide(registration, findings, evidence)
    claim = registration.claim
    reached = _rung(registration, word, findings)
    return Verdict(
        claim_id=registration.claim_id,
        prereg_hash=registration.prereg_hash,
        verdict=word,
        reason=reason,
        rung=reached,
        rung_requested=registration.rung_requested,
        displayed=_displayed(claim, word, findings, reached),
        scope=scope_of(registration, evidence),
        remarks=which_remarks(registration, findings, evidence),
        missing=what_would_change(registration, findings, evidence, word),
        guards=noted(registration, findings),
        findings=findings,
        looks={key: len(results) for key, results in evidence.items() if results},
        p_hypothesis=_p_hypothesis(registration, findings),
        strength=_strength(registration, findings, evidence, reached),
    )


def _displayed(claim: Claim, word: VerdictWord, findings: Mapping[str, Finding], rung: int) -> str:
    """The type's own sentence; one that says more than the rung carries is replaced (METHOD 3.1, guard G17)."""
    sentence = claim.kind.displayed(claim, word, findings)
    if word != "supported":
        return sentence
    return capped(sentence, rung, f"what was registered for {listed(claim.components)} holds")


def _findings(registration: Registration, evidence: Evidence) -> dict[str, Finding]:
    return {one.key: find(one, evidence) for one in registration.predictions if evidence.get(one.key)}


def _decide(registration: Registration, findings: Mapping[str, Finding], evidence: Evidence) -> tuple[VerdictWord, str]:
    gate = registration.situation.gate
    if not gate.passed:
        return "inconclusive", f"behaviour gate failed: {gate.reason}"
    if wrong := wrong_data(registration, evidence):
        return "inconclusive", f"invalid experiment ({wrong})"
    for key, finding in findings.items():
        if finding.sub == "invalid":
            return "inconclusive", f"{key}: {finding.reason}"
    refuting = _refuted(registration, findings, evidence)
    if refuting:
        return "refuted", "; ".join(f"{key}: {findings[key].reason}" for key in refuting)
    critical = [one.key for one in registration.critical()]
    absent = [key for key in critical if key not in findings]
    if absent:
        return "inconclusive", f"not tested yet: {', '.join(absent)}"
    still_open = [one for one in registration.critical() if findings[one.key].outcome != "pass"]
    if still_open:
        return "inconclusive", "; ".join(f"{one.key}: {_why_open(one, findings[one.key])}" for one in still_open)
    unsound = [one.key for one in registration.predictions if one.role == "assay" and one.key not in findings]
    if unsound:
        return "inconclusive", f"the assay controls did not run: {', '.join(unsound)}"
    if gap := registration.claim.kind.untested(registration.claim, registration.predictions):
        return "inconclusive", f"every prediction passes, but {gap}"
    return "supported", "; ".join(f"{key}: {findings[key].reason}" for key in critical)


def _why_open(one: Prediction, finding: Finding) -> str:
    """The finding's reason; a failure that refutes nothing says so."""
    if finding.outcome != "fail":
        return finding.reason
    if one.needs:
        return f"{finding.reason}; that does not refute the claim, because {one.needs} does not pass"
    if one.rule.refutes:
        return f"{finding.reason}; too weak by itself to refute a claim of several predictions"
    return f"{finding.reason}; by itself that does not refute the claim"


def _refuted(registration: Registration, findings: Mapping[str, Finding], evidence: Evidence) -> list[str]:
    """Keys of the critical predictions that Holm's procedure rejects; any of K could refute, so K corrects."""
    tests = [
        one
        for one in registration.critical()
        if one.rule.refutes
        and one.key in findings
        and findings[one.key].p_minus is not None
        and (one.needs is None or (one.needs in findings and findings[one.needs].outcome == "pass"))
    ]
    alphas = [one.looks[min(len(evidence[one.key]), len(one.looks)) - 1].alpha for one in tests]
    p_values = [findings[one.key].p_minus or 0.0 for one in tests]
    rejected = inf.holm(p_values, alphas)
    return [one.key for one, out in zip(tests, rejected, strict=True) if out and findings[one.key].outcome == "fail"]


def _rung(registration: Registration, word: VerdictWord, findings: Mapping[str, Finding]) -> int:
    """The rung that the evidence reached: the wording's own when it is supported, else that of what passed or failed."""
    if word == "supported":
        return registration.rung_requested
    decided = [
        one.rung
        for one in registration.critical()
        if one.key in findings and findings[one.key].outcome in ("pass", "fail")
    ]
    return min(max(decided, default=0), registration.rung_requested)


def _p_hypothesis(registration: Registration, findings: Mapping[str, Finding]) -> float | None:
    values = [findings[one.key].p_plus for one in registration.critical() if one.key in findings]
    known = [p for p in values if p is not None]
    return max(known) if known else None


def _strength(
    registration: Registration, findings: Mapping[str, Finding], evidence: Evidence, rung: int
) -> dict[str, Any]:
    """METHOD 4.5: how strong, not whether."""
    margins: dict[str, float] = {}
    for one in registration.critical():
        finding, delta1 = findings.get(one.key), getattr(one.rule, "delta1", None)
        if finding is not None and delta1 and finding.low is not None and finding.high is not None:
            sign = getattr(one.rule, "sign", 1)
            margins[one.key] = round((finding.low if sign == 1 else -finding.high) / delta1, 4)
    extra = [one.key for one in registration.predictions if one.role == "corroborating"]
    weakest = min(margins, key=margins.__getitem__) if margins else None
    return {
        "margin": margins[weakest] if weakest else None,
        "weakest": weakest,
        "rung": rung,
        "n": max((f.n or 0 for f in findings.values()), default=0),
        "looks": max((len(results) for results in evidence.values()), default=0),
        "corroborating": [sum(k in findings and findings[k].outcome == "pass" for k in extra), len(extra)],
        "lineage": registration.claim.revision,
    }
