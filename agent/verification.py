"""The trial of one claim, step by step: gate and screen on explore prompts, register, test on confirm prompts, judge.

METHOD sections 1.5, 4.2, 5.4 and 7. Every step is idempotent: explore runs are found by content address, a
registration has the hash of its content, evidence is attached once for each prediction and look, so a trial that is
killed anywhere goes on where it was. This module computes no verdict (`agent/judge.py`) and runs no model (the
laboratory does).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from agent.claim_cards import prediction_payload, verdict_payload
from agent.claims import METHOD_VERSION, Claim, Explore, revised
from agent.errors import ClaimError
from agent.events import EventKind
from agent.judge import Verdict, find, judge, needs_look
from agent.laboratory import Laboratory
from agent.ledger.registry import NewPrediction
from agent.ledger.store import Ledger
from agent.predictions import Prediction, Registration, register
from agent.situation import NOMINATED, GateFacts, ModelFacts, ScreenFacts, Situation
from tools.component import check_component, parse_component
from tools.errors import ExperimentError
from tools.result import Result

Tell = Callable[[EventKind, dict[str, Any]], None]

GATE_PROMPTS = 64
SCREEN_PROMPTS = 32
EXPLORE_SEED = 0
SMALL_MODEL = 64
FLOOR = 0.05


def _silent(kind: EventKind, payload: dict[str, Any]) -> None:
    """Nobody listens."""


def verify(claim: Claim, lab: Laboratory, ledger: Ledger, tell: Tell = _silent, *, seen: Sequence[str] = ()) -> Verdict:
    """Try one claim and store its verdict. `seen`: what else its proposer had looked at on explore prompts.

    Raises ClaimError when the model lacks the claim's component, ExperimentError when the task is unknown or cannot
    be drawn for this model.
    """
    registration = prepare(claim, lab, ledger, tell, seen=seen)
    evidence: dict[str, list[Result]] = {}  # every look is asked for again: a replayed job must take the same steps
    while registration.situation.gate.passed:
        wanted = needs_look(registration, evidence)
        if not wanted:
            break
        for prediction, look in wanted:
            result = take_look(registration, prediction, look, lab, ledger)
            evidence.setdefault(prediction.key, []).append(result)
            _tell_evidence(registration, prediction, look, evidence, tell)
    return conclude(registration, evidence, ledger, tell)


def prepare(
    claim: Claim, lab: Laboratory, ledger: Ledger, tell: Tell = _silent, *, seen: Sequence[str] = ()
) -> Registration:
    """Look at explore prompts, then register the claim's predictions; nothing is tested before that is stored.

    A claim that is registered for this model, task and method already keeps that registration; one that was registered
    for another becomes a revision of it, with half the alpha and fresh prompts (METHOD 4.4, guard G12).
    """
    check_claim(claim, lab.model)
    situation = situation_of(claim.task, lab, tell).model_copy(update={"seen": tuple(seen)})
    if situation.gate.passed:
        situation = claim.kind.explore(claim, situation, _explorer(claim.task, situation, lab))
    lineage: list[str] = []
    registration = _standing(claim, situation, ledger)
    while registration is None and ledger.registry.registration(claim.claim_id) is not None:
        lineage.append(claim.claim_id)
        claim = revised(claim)
        registration = _standing(claim, situation, ledger)
    if registration is None:
        registration = register(claim, situation, lineage=lineage)
        enter(registration, ledger)
    tell(
        "registered",
        {
            "claim_id": claim.claim_id,
            "text": claim.text,
            "prereg_hash": registration.prereg_hash,
            "predictions": [
                {"key": one.key, "role": one.role, "experiment": one.experiment, "says": one.rule.says()}
                for one in registration.predictions
            ],
        },
    )
    return registration


def situation_of(task: str, lab: Laboratory, tell: Tell = _silent) -> Situation:
    """Gate and screen of a task on explore prompts. Raises ExperimentError when the task is unknown."""
    tell("status", {"text": f"Does {lab.model.name} do the task {task}?"})
    gate = gate_of(task, lab)
    screen = None
    if gate.passed:
        tell("status", {"text": "Screening all components on explore prompts"})
        screen = screen_of(task, lab, gate)
    return Situation(model=lab.model, task=lab.task(task), gate=gate, screen=screen)


def _explorer(task: str, situation: Situation, lab: Laboratory) -> Explore:
    """Runs experiments on the task's explore prompts; parameters that are given win."""

    def run(experiment: str, params: dict[str, Any]) -> tuple[str, Result]:
        usual = {"task": task, "n": SCREEN_PROMPTS, **situation.template_params()}
        other_task = params.get("task", task) != task
        return lab.run(experiment, {**({} if other_task else usual), **params, "seed": EXPLORE_SEED})

    return run


def _standing(claim: Claim, situation: Situation, ledger: Ledger) -> Registration | None:
    """The registration that a claim has in the ledger, if it was made for the same model, task and method."""
    row = ledger.registry.registration(claim.claim_id)
    if row is None:
        return None
    found = Registration.model_validate(row.payload)
    same = (
        found.prereg_hash == row.prereg_hash
        and found.situation.model.sha256 == situation.model.sha256
        and found.situation.task.version == situation.task.version
        and found.method_version == METHOD_VERSION
    )
    return found if same else None


def check_claim(claim: Claim, model: ModelFacts) -> None:
    """Raise ClaimError naming the valid range unless the model has every component of the claim."""
    claim.detail()
    for name in claim.components:
        part = parse_component(name)
        if part.kind == "mlp" and not model.has_mlps:
            raise ClaimError(f"{name} does not exist: {model.name} has attention layers only.")
        try:
            check_component(part, model.n_layers, model.n_heads)
        except ExperimentError as error:
            raise ClaimError(f"{error} (model {model.name})") from error


def gate_of(task: str, lab: Laboratory) -> GateFacts:
    """The behaviour gate on explore prompts (METHOD 1.5)."""
    result_id, result = lab.run("behaviour", {"task": task, "n": GATE_PROMPTS, "seed": EXPLORE_SEED})
    checks = [control for control in result.controls if control.passed is not None]
    failed = [control for control in checks if not control.passed]
    reason = "; ".join(f"{c.name} {c.observed}, expected {c.expected}" for c in failed)
    return GateFacts(
        passed=not failed,
        accuracy=round(result.estimate("accuracy").value, 6),
        gap=round(result.estimate("gap").value, 6),
        kept_templates=list(result.labels.get("kept_templates", [])),
        reason=f"{lab.model.name} does not do {task} well enough ({reason})" if failed else "",
        result_id=result_id,
    )


def screen_of(task: str, lab: Laboratory, gate: GateFacts) -> ScreenFacts:
    """Who might matter, on explore prompts: exact harms on small models, gradient nominees on large ones (5.4)."""
    params: dict[str, Any] = {"task": task, "n": SCREEN_PROMPTS, "seed": EXPLORE_SEED}
    if gate.kept_templates and sorted(gate.kept_templates) != sorted(lab.task(task).templates):
        params["templates"] = gate.kept_templates
    if lab.model.n_components <= SMALL_MODEL:
        return _exact_screen(lab, params)
    result_id, result = lab.run("screen", params)
    return ScreenFacts(
        nominated=gradient_scores(result),
        delta1=round(max(FLOOR, result.estimate("delta1").value), 4),
        exact=False,
        n=SCREEN_PROMPTS,
        result_id=result_id,
    )


def _exact_screen(lab: Laboratory, params: dict[str, Any]) -> ScreenFacts:
    sweep = {**params, "mlps": lab.model.has_mlps}
    result_id, result = lab.run("head-ablation", {**sweep, "method": "resample"})
    scores, zeroed = exact_scores(result), exact_scores(lab.run("head-ablation", {**sweep, "method": "zero"})[1])
    direct = exact_scores(lab.run("direct-logit-attribution", params)[1], "direct_effect")
    return ScreenFacts(
        nominated={name: score for name, score in scores.items() if score >= NOMINATED},
        delta1=FLOOR,
        exact=True,
        n=SCREEN_PROMPTS,
        result_id=result_id,
        scores=scores,
        zeroed=zeroed,
        direct=direct,
    )


def exact_scores(result: Result, array: str = "harm") -> dict[str, float]:
    """|effect| of every component of an exact sweep, largest first."""
    found = {
        f"a{layer}.h{head}": float(abs(value))
        for layer, row in enumerate(np.asarray(result.arrays[array]))
        for head, value in enumerate(row)
    }
    if f"{array}_mlp" in result.arrays:
        found |= {f"m{layer}": float(abs(value)) for layer, value in enumerate(result.arrays[f"{array}_mlp"])}
    return _largest_first(found)


def gradient_scores(result: Result) -> dict[str, float]:
    """max(|AtP|, |IG|) of the screen's nominees, largest first."""
    rows = result.tables.get("nominated", [])
    return _largest_first({str(row["component"]): max(abs(row["atp"]), abs(row["ig"])) for row in rows})


def _largest_first(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(scores[name], 4) for name in sorted(scores, key=lambda name: (-scores[name], name))}


def enter(registration: Registration, ledger: Ledger) -> None:
    """Write the claim and its registration, before anything is tested; writing them again changes nothing."""
    claim = registration.claim
    ledger.registry.add_claim(
        claim.claim_id,
        type=claim.type,
        text=claim.text,
        payload=claim.model_dump(mode="json"),
        parent_id=claim.parent_id,
    )
    predictions = [
        NewPrediction(
            prediction_id=registration.prediction_id(one.key),
            key=one.key,
            role=one.role,
            experiment=one.experiment,
            payload=prediction_payload(one, registration),
        )
        for one in registration.predictions
    ]
    ledger.registry.register(claim.claim_id, registration.model_dump(mode="json"), predictions)


def take_look(registration: Registration, prediction: Prediction, look: int, lab: Laboratory, ledger: Ledger) -> Result:
    """Run one prediction's experiment on the confirm prompts of this look and attach the result as evidence."""
    prediction_id = registration.prediction_id(prediction.key)
    params = prediction.call(look, registration.confirm_seed)
    result_id, result = lab.run(prediction.experiment, params, prediction_id=prediction_id, look=look)
    ledger.evidence.add_evidence(prediction_id, result_id, look=look)
    return result


def collected(registration: Registration, ledger: Ledger) -> dict[str, list[Result]]:
    """The evidence that the ledger holds for a registration already, by prediction key, in order of looks."""
    keys = {registration.prediction_id(one.key): one.key for one in registration.predictions}
    found: dict[str, list[Result]] = {}
    for row in ledger.evidence.evidence(list(keys)):
        found.setdefault(keys[row.prediction_id], []).append(ledger.evidence.result(row.result_id))
    return found


def conclude(
    registration: Registration, evidence: dict[str, list[Result]], ledger: Ledger, tell: Tell = _silent
) -> Verdict:
    """Compute the verdict and store it."""
    verdict = judge(registration, evidence)
    ledger.registry.add_verdict(
        registration.claim_id,
        verdict=verdict.verdict,
        rung=verdict.rung,
        method_version=verdict.method_version,
        payload=verdict_payload(verdict, registration, evidence),
    )
    tell(
        "verdict",
        {
            "claim_id": verdict.claim_id,
            "verdict": verdict.verdict,
            "reason": verdict.reason,
            "rung": verdict.rung,
        },
    )
    return verdict


def judged_again(claim_id: str, ledger: Ledger) -> dict[str, Any]:
    """What `rejudge` would store, without storing it."""
    registration = registered(claim_id, ledger)
    evidence = collected(registration, ledger)
    return verdict_payload(judge(registration, evidence), registration, evidence)


def rejudge(claim_id: str, ledger: Ledger) -> Verdict:
    """Recompute a verdict from the ledger alone. Raises ClaimError when the claim was never registered."""
    registration = registered(claim_id, ledger)
    return conclude(registration, collected(registration, ledger), ledger)


def registered(claim_id: str, ledger: Ledger) -> Registration:
    """The newest registration of a claim. Raises ClaimError when it was never registered."""
    row = ledger.registry.registration(ledger.registry.claim(claim_id).claim_id)
    if row is None:
        raise ClaimError(f"Claim {claim_id} has no registration, so there is nothing to judge; verify it first.")
    return Registration.model_validate(row.payload)


def _tell_evidence(
    registration: Registration, prediction: Prediction, look: int, evidence: dict[str, list[Result]], tell: Tell
) -> None:
    finding = find(prediction, evidence)
    tell(
        "evidence",
        {
            "claim_id": registration.claim_id,
            "prediction_id": registration.prediction_id(prediction.key),
            "key": prediction.key,
            "look": look,
            "outcome": finding.outcome,
            "result_id": evidence[prediction.key][-1].result_id,
            "text": finding.reason,
        },
    )
