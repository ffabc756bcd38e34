"""What a card must say beside the verdict: self-repair, disagreeing ablations, uneven templates, what would change it.

METHOD T1 (self-repair), 1.4 (templates), 1.7 (two ablations), 3.2 (guards G6, G9). Computed from findings and arrays;
a remark never alters a verdict.
"""

from collections.abc import Mapping, Sequence

from agent import inference as inf
from agent.cards import VerdictWord
from agent.findings import Finding, prompts_needed, sample_of
from agent.predictions import Prediction, Registration
from agent.rules import EffectRule
from tools.result import Result

Evidence = Mapping[str, Sequence[Result]]
TEMPLATE_SHARE = 0.8
BELOW = ("negligible", "smaller", "opposite")


def which_remarks(registration: Registration, findings: Mapping[str, Finding], evidence: Evidence) -> list[str]:
    """Every remark that applies, most important first."""
    found = [
        _self_repair(registration, findings),
        _disagreement(findings),
        _real_but_small(registration, findings),
        *(_uneven_templates(one, evidence) for one in registration.critical()),
        _gate_templates(registration),
        _few_controls(findings),
    ]
    return list(dict.fromkeys(remark for remark in found if remark))


def masked(registration: Registration, findings: Mapping[str, Finding]) -> bool:
    """Whether a direct effect at least delta1 stands beside a total effect below it (guard G9)."""
    direct, total = findings.get("K1"), findings.get("C1")
    return (
        registration.claim.type == "necessity"
        and direct is not None
        and total is not None
        and direct.outcome == "pass"
        and total.outcome == "fail"
    )


def _self_repair(registration: Registration, findings: Mapping[str, Finding]) -> str:
    if not masked(registration, findings):
        return ""
    direct, total = findings["K1"].estimate, findings["C1"].estimate
    return (
        f"masked by downstream compensation (direct {direct:.2f}, total {total:.2f}): later components make up for "
        "what its removal takes away; removal alone cannot call it uninvolved"
    )


def _disagreement(findings: Mapping[str, Finding]) -> str:
    first, second = findings.get("C1"), findings.get("C2")
    if first is None or second is None or first.outcome != "pass" or second.sub != "disagree":
        return ""
    return (
        f"the two ablations disagree: resample {first.estimate:.2f}, mean {second.estimate:.2f}; "
        "the verdict stays open until one is explained"
    )


def _real_but_small(registration: Registration, findings: Mapping[str, Finding]) -> str:
    small = [
        f"{one.key}: real but small ({findings[one.key].estimate:.3f} of the gap)"
        for one in registration.critical()
        if one.key in findings
        and findings[one.key].sub == "smaller"
        and (findings[one.key].p_plus or 1.0) <= registration.alpha
    ]
    return "; ".join(small)


def _uneven_templates(prediction: Prediction, evidence: Evidence) -> str:
    results = evidence.get(prediction.key)
    if not results or not isinstance(prediction.rule, EffectRule):
        return ""
    templates = results[-1].labels.get("prompts", [])
    sample = prediction.rule.sign * sample_of(results[-1], prediction.rule.array, prediction.rule.row)
    if len(templates) != sample.size or len(set(templates)) < 2 or sample.mean() <= 0:
        return ""
    share, means = inf.same_sign_share(sample, templates)
    if share >= TEMPLATE_SHARE:
        return ""
    against = ", ".join(f"{name} ({prediction.rule.sign * mean:.2f})" for name, mean in means.items() if mean <= 0)
    return f"{prediction.key}: the effect has the claimed sign in only {share:.0%} of the templates; not in {against}"


def _gate_templates(registration: Registration) -> str:
    kept, known = registration.situation.gate.kept_templates, registration.situation.task.templates
    dropped = [name for name in known if name not in kept]
    if not dropped or not kept:
        return ""
    return f"templates left out because the model fails them: {', '.join(dropped)}"


def _few_controls(findings: Mapping[str, Finding]) -> str:
    sizes = [len(f.control_values) for f in findings.values() if f.p_rank is not None]
    if not sizes or min(sizes) >= 19:
        return ""
    return f"only {min(sizes)} matched controls exist in this model, so the rank gate compares with all of them"


def _prompts(one: Prediction, finding: Finding, alpha: float) -> list[str]:
    """How many prompts would settle an open prediction, where its rule compares a mean with floors."""
    delta0, delta1 = getattr(one.rule, "delta0", None), getattr(one.rule, "delta1", None)
    if delta0 is None or delta1 is None or finding.sd is None or finding.estimate is None or finding.n is None:
        return []
    oriented = getattr(one.rule, "sign", 1) * finding.estimate
    words = prompts_needed(oriented, finding.sd, finding.n, (delta0, delta1), alpha)
    return [f"{one.key}: {words} (had {finding.n})"] if words else []


def what_would_change(
    registration: Registration, findings: Mapping[str, Finding], evidence: Evidence, word: VerdictWord
) -> list[str]:
    """What would change the verdict, or what to test next."""
    advice: list[str] = []
    for one in registration.critical():
        finding = findings.get(one.key)
        if finding is None or finding.outcome != "open":
            continue
        if finding.sub == "gate":
            advice.append(f"{one.key}: an effect that stands out from matched controls")
        elif finding.sd is not None and finding.estimate is not None and finding.n is not None:
            advice += _prompts(one, finding, registration.alpha) if word != "refuted" else []
    if word == "refuted" and any(f.sub in BELOW for f in findings.values()):
        advice.append(
            "no number of prompts is expected to change it: what was measured lies below what the claim needs"
        )
    if masked(registration, findings):
        advice.append("test the group together with its backups (joint necessity), or what patching it in restores")
    elif word == "refuted" and registration.claim.kind.narrower:
        advice.append(registration.claim.kind.narrower)
    if not registration.situation.gate.passed:
        advice.append("a task that this model performs, or a model that performs this task")
    if word == "supported":
        advice.append("a second corruption or other templates on which the effect falls below its floor")
    if any(f.sub == "invalid" for f in findings.values()):
        advice.append("a run whose assay controls pass; until then nothing was measured")
    return advice
