"""An investigation: from a question to a mechanism whose every part was put on trial.

Gate, literature and survey on explore prompts; hypotheses with their rivals; a plan with its cost, approved when it is
over the budget; claims registered and tried one after the other on confirm prompts; error control over the session;
the report. Every experiment goes through the laboratory, which runs the same call once, and every decision rests on
what the laboratory and the ledger returned, so that a run taken up again takes the same steps. This module computes
no verdict and no statistic, and knows nothing of queues.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agent.claim_notes import keep_finding
from agent.claims import Claim
from agent.docket import claim_card
from agent.errors import ClaimError, LlmError
from agent.hypotheses import Hypothesis, Known
from agent.hypotheses_all import all_claims, propose
from agent.hypotheses_llm import Proposal, accepted, what_was_seen
from agent.hypotheses_roles import roles_by_head
from agent.investigation_circuit import nominate_circuit
from agent.investigation_conclusion import conclude
from agent.investigation_edges import nominate_edges
from agent.investigation_lines import tested_line, untested_line, with_q
from agent.investigation_literature import Literature, read_literature, task_literature
from agent.investigation_patterns import read_patterns, read_targets
from agent.investigation_survey import Explorer, is_head, survey
from agent.laboratory import Laboratory
from agent.ledger.store import Ledger
from agent.plan import Budget, MeteredLaboratory, Plan, PlannedStep, registration_calls
from agent.predictions import register
from agent.report import ClaimLine, Report
from agent.situation import Situation
from agent.verification import Tell, situation_of, verify
from kb.library import Library
from tools.errors import ExperimentError

MOST_CLAIMS = 20  # above twenty, METHOD 4.3 corrects for dependence too, which costs every claim some power
Once = Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]
Approve = Callable[[str, float, int], bool]


def _never(text: str, seconds: float, forward_passes: int) -> bool:
    """Nobody is there to say yes: what fits the budget is done."""
    return False


def _at_once(name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return work()


@dataclass(frozen=True)
class Host:
    """What surrounds an investigation: who approves, the library, and how a read is made to happen once.

    `approve(text, seconds, forward_passes)` is asked when the plan is over the budget. `once(name, work)` does `work`
    and remembers its outcome, so that a run taken up again reads the same. `propose(question, seen)` has the llm called
    `llm` propose hypotheses; None when there is none.
    """

    approve: Approve = _never
    library: Library | None = None
    once: Once = _at_once
    propose: Callable[[str, str], Proposal] | None = None
    llm: str = ""


@dataclass
class Inquiry:
    """The state that the steps of one investigation share."""

    question: str
    lab: MeteredLaboratory
    ledger: Ledger
    host: Host
    tell: Tell
    budget: Budget


def _silent(kind: str, payload: dict[str, Any]) -> None:
    """Nobody listens."""


def investigate(
    question: str,
    lab: Laboratory,
    ledger: Ledger,
    *,
    task: str,
    budget: Budget,
    host: Host | None = None,
    tell: Tell = _silent,
) -> Report:
    """Investigate how the model does a task. Raises ExperimentError when there is no such task."""
    inquiry = Inquiry(question, MeteredLaboratory(lab), ledger, host or Host(), tell, budget)
    situation = situation_of(task, inquiry.lab, tell)
    literature = _read(inquiry, task)
    if not situation.gate.passed:
        return conclude(inquiry, situation, literature)
    known = _explore(inquiry, situation, literature)
    hypotheses, remarks = _propose(inquiry, known)
    claims = all_claims(hypotheses)
    plan = _plan(inquiry, known, claims)
    approved = _approval(inquiry, plan)
    lines = _try_all(inquiry, known, plan, claims, (approved, hypotheses))
    report = conclude(inquiry, situation, literature, known=known, hypotheses=hypotheses, lines=lines)
    report = report.model_copy(update={"plan": plan, "approved": approved, "remarks": [*report.remarks, *remarks]})
    _keep(inquiry, report)
    return report


def _read(inquiry: Inquiry, task: str) -> Literature:
    inquiry.tell("status", {"text": "Reading what the library says"})
    host = inquiry.host

    def work() -> dict[str, Any]:
        return read_literature(inquiry.question, task_literature(task), host.library).model_dump(mode="json")

    return Literature.model_validate(host.once("read the literature", work))


def _explore(inquiry: Inquiry, situation: Situation, literature: Literature) -> Known:
    inquiry.tell("status", {"text": "Surveying components on explore prompts"})
    found = survey(inquiry.lab, situation)
    inquiry.tell("status", {"text": "Reading what heads attend to and write"})
    explorer = Explorer(inquiry.lab, situation)
    readings = read_patterns(explorer)
    if explorer.small:
        readings = read_targets(explorer, readings, [o.component for o in found.core() if is_head(o.component)])
    known = Known(situation=situation, survey=found, readings=readings, literature=literature)
    inquiry.tell("status", {"text": "Looking for connections between them"})
    known = replace(known, connections=nominate_edges(explorer, found, roles_by_head(known)))
    inquiry.tell("status", {"text": "Growing a circuit"})
    return replace(known, circuits=nominate_circuit(explorer, found))


def _propose(inquiry: Inquiry, known: Known) -> tuple[list[Hypothesis], list[str]]:
    """Hypotheses of the data and the literature, then those of the llm; and what the report must say of the latter."""
    hypotheses, host = propose(known), inquiry.host
    if host.propose is None:
        return hypotheses, []
    asked, seen = host.propose, what_was_seen(known, hypotheses)
    inquiry.tell("status", {"text": f"Asking {host.llm} for hypotheses"})
    try:
        said = host.once("hypotheses of the llm", lambda: asked(inquiry.question, seen).model_dump(mode="json"))
    except LlmError as error:
        return hypotheses, [f"The llm proposed nothing: {error}"]
    added, remarks = accepted(Proposal.model_validate(said), known, host.llm)
    return [*hypotheses, *added], remarks


def _plan(inquiry: Inquiry, known: Known, claims: Sequence[tuple[Claim, int]]) -> Plan:
    """One step for each claim that can be tested here, most urgent first, with its estimated cost."""
    steps = []
    for claim, _ in claims if known.small else claims[:MOST_CLAIMS]:
        try:
            calls = registration_calls(register(claim, known.situation))
        except ClaimError:
            continue  # said again, with its reason, where the claim would have been tried
        cost = inquiry.lab.estimate(calls)
        steps.append(PlannedStep(kind="claim", key=claim.claim_id, what=claim.text, cost=cost))
    basis = f"rates measured by {inquiry.lab.spent.experiments} explore experiments on this machine"
    return Plan(steps=tuple(steps), budget=inquiry.budget, spent=inquiry.lab.spent, basis=basis)


def _approval(inquiry: Inquiry, plan: Plan) -> bool | None:
    inquiry.tell("plan", plan.told())
    if not plan.over_budget:
        return None
    return inquiry.host.approve(plan.says(), plan.total.seconds, plan.total.forward_passes)


def _try_all(
    inquiry: Inquiry,
    known: Known,
    plan: Plan,
    claims: Sequence[tuple[Claim, int]],
    decided: tuple[bool | None, Sequence[Hypothesis]],
) -> list[ClaimLine]:
    """Put the claims on trial in order; stop at the budget unless more was approved."""
    approved, hypotheses = decided
    seen = known.seen()
    if inquiry.host.propose is not None:
        seen = [*seen, f"{inquiry.host.llm} was told all of this and asked for hypotheses"]
    planned = {step.key: step for step in (plan.steps if approved else plan.within_budget())}
    lines: list[ClaimLine] = []
    for number, (claim, _) in enumerate(claims, start=1):
        made_by = keys_of(claim, hypotheses)
        step = planned.get(claim.claim_id)
        affordable = step is not None and (approved or inquiry.budget.holds(inquiry.lab.spent + step.cost))
        if not affordable:
            judged = _judged_before(inquiry, known, claim, made_by)
            lines.append(judged or untested_line(claim, made_by, _why_not(claim, known)))
            continue
        inquiry.tell("status", {"text": f"Claim {number} of {len(claims)}: {claim.text}"})
        lines.append(_try(inquiry, claim, made_by, seen))
    return with_q(lines)


def _try(inquiry: Inquiry, claim: Claim, made_by: Sequence[str], seen: Sequence[str]) -> ClaimLine:
    try:
        verdict = verify(claim, inquiry.lab, inquiry.ledger, inquiry.tell, seen=seen)
    except (ClaimError, ExperimentError) as error:
        return untested_line(claim, made_by, f"not testable here: {error}")
    return tested_line(claim, claim_card(inquiry.ledger, claim.claim_id), verdict.p_hypothesis, made_by)


def _judged_before(inquiry: Inquiry, known: Known, claim: Claim, made_by: Sequence[str]) -> ClaimLine | None:
    """The verdict that the ledger holds for a claim on this model and task: it costs nothing to repeat."""
    row, situation = inquiry.ledger.registry.verdict(claim.claim_id), known.situation
    if row is None:
        return None
    same = (situation.model.sha256, situation.task.version)
    if (row.payload.get("model_sha256"), row.payload.get("task_version")) != same:
        return None
    return tested_line(claim, claim_card(inquiry.ledger, claim.claim_id), row.payload.get("p_hypothesis"), made_by)


def _why_not(claim: Claim, known: Known) -> str:
    try:
        register(claim, known.situation)
    except ClaimError as error:
        return f"not testable here: {error}"
    return "the budget of this session did not reach it"


def keys_of(claim: Claim, hypotheses: Sequence[Hypothesis]) -> list[str]:
    """H1, H2, ... of the hypotheses that make a claim."""
    return [
        f"H{number}"
        for number, hypothesis in enumerate(hypotheses, start=1)
        if claim.claim_id in {one.claim_id for one in hypothesis.claims}
    ]


def _keep(inquiry: Inquiry, report: Report) -> None:
    """Write each judged claim into the library as a note."""
    library = inquiry.host.library
    if library is None:
        return
    cited = {citation.passage_id: citation for citation in report.citations}
    passages = {line.key: line.passages for line in report.hypotheses}
    for line in report.claims:
        if line.verdict is None:
            continue
        sources = [cited[p] for key in line.hypotheses for p in passages.get(key, []) if p in cited]

        def work(claim_id: str = line.claim_id, sources: Sequence[Any] = tuple(sources)) -> dict[str, Any]:
            card = claim_card(inquiry.ledger, claim_id)
            return {"note": keep_finding(card, library, at=card.judged_at or "", sources=sources)}

        inquiry.host.once(f"note {line.claim_id}", work)
