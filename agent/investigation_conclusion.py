"""The end of an investigation: its report, assembled from verdicts, hypotheses and literature.

The answer's sentences are built from verdicts by code: a component is named only when its claims stand over the whole
session. Whatever failed, was refuted or was not reached is in the report under its own heading.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from agent.hypotheses import Hypothesis, Known, named
from agent.investigation_lines import by_role, joint_status, mechanism_of
from agent.investigation_literature import DocumentSays, Link, Literature
from agent.investigation_patterns import role_spoken
from agent.plan import MeteredLaboratory
from agent.report import ClaimLine, HypothesisLine, LiteratureLine, Mechanism, NodeCard, NodeStatus, Number, Report
from agent.situation import Situation
from tools.result import Estimate


class Inquiring(Protocol):
    """What the report needs of the running investigation."""

    @property
    def question(self) -> str:
        """The question as it was asked."""
        ...

    @property
    def lab(self) -> MeteredLaboratory:
        """The laboratory, with its account."""
        ...


def conclude(
    inquiry: Inquiring,
    situation: Situation,
    literature: Literature,
    *,
    known: Known | None = None,
    hypotheses: Sequence[Hypothesis] = (),
    lines: Sequence[ClaimLine] = (),
) -> Report:
    """The report of an investigation, or of one that ended at the behaviour gate."""
    gate, model, task = situation.gate, situation.model, situation.task
    mechanism = mechanism_of(lines)
    beside = [line for document in literature.documents for line in compare(document, lines, mechanism)]
    used = {line.citation.passage_id for line in beside if line.citation} | {p for h in hypotheses for p in h.passages}
    remarks = [r for r in (literature.remark, *(known.readings.remarks if known else ())) if r]
    return Report(
        question=inquiry.question,
        model=model.name,
        model_sha256=model.sha256,
        task=task.name,
        task_version=task.version,
        answer=answer_of(situation, mechanism, lines),
        gate=_gate_numbers(situation),
        gate_passed=gate.passed,
        gate_reason=gate.reason,
        hypotheses=[_hypothesis_line(k, h, hypotheses) for k, h in enumerate(hypotheses, start=1)],
        claims=list(lines),
        mechanism=mechanism,
        literature=beside,
        citations=[citation for citation in literature.citations() if citation.passage_id in used],
        explored=[*situation.disclosure(), *known.seen()] if known else situation.disclosure(),
        spent=inquiry.lab.spent,
        results=inquiry.lab.results(),
        remarks=remarks,
    )


def _gate_numbers(situation: Situation) -> list[Number]:
    gate = situation.gate
    values = [Estimate(name="accuracy", value=gate.accuracy), Estimate(name="gap in logits", value=gate.gap)]
    return [Number(quantity=value.name, value=value.value, result_id=gate.result_id) for value in values]


def _hypothesis_line(number: int, hypothesis: Hypothesis, others: Sequence[Hypothesis]) -> HypothesisLine:
    keys = {other.title: f"H{k}" for k, other in enumerate(others, start=1)}
    return HypothesisLine(
        key=f"H{number}",
        title=hypothesis.title,
        origin=hypothesis.origin,
        rationale=hypothesis.rationale,
        claim_ids=[claim.claim_id for claim in hypothesis.claims],
        passages=list(hypothesis.passages),
        rivals=[keys[title] for title in hypothesis.rivals if title in keys],
    )


def answer_of(situation: Situation, mechanism: Mechanism, lines: Sequence[ClaimLine]) -> str:
    """The finding in a few sentences."""
    model, task = situation.model.name, situation.task.name
    if not situation.gate.passed:
        return f"{model} does not do {task} well enough for a mechanism to be looked for: {situation.gate.reason}."
    parts = [node for node in mechanism.nodes if node.status == "supported" and node.kind not in ("input", "logits")]
    tried = [line for line in lines if line.verdict is not None]
    if lines and not tried:
        return f"Nothing about {task} in {model} was put on trial: none of the {len(lines)} planned claims was reached."
    if not parts:
        return f"None of the {len(tried)} claims about {task} in {model} that were put on trial stands."
    edges = [edge for edge in mechanism.edges if edge.status == "supported"]
    sentences = [_parts_sentence(model, task, parts)]
    if edges:
        words = "connections between them stand" if len(edges) > 1 else "connection stands"
        sentences.append(f"{len(edges)} {words}.")
    sentences += [circuit_sentence(line) for line in strongest_circuits(tried)]
    refuted = sum(line.verdict == "refuted" for line in tried)
    supported = sum(line.status == "supported" for line in tried)
    still_open = len(tried) - refuted - supported
    sentences.append(
        f"Of {len(tried)} claims put on trial {supported} stand over the whole session, {refuted} were refuted and "
        f"{still_open} stayed open."
    )
    return " ".join(sentences)


def _parts_sentence(model: str, task: str, parts: Sequence[NodeCard]) -> str:
    """Which components the task rests on, and which work against the answer."""
    here = f"In {model}" if task in (model, f"planted-{model.removeprefix('planted:')}") else f"In {model}, {task}"
    here = f"{here}, the task" if here == f"In {model}" else here
    helping, hurting = [n for n in parts if n.sign > 0], [n for n in parts if n.sign < 0]
    said = []
    if helping:
        said.append(f"rests on {', '.join(_part(node) for node in helping)}")
    if hurting:
        said.append(f"is held back by {', '.join(_part(node) for node in hurting)}")
    return f"{here} {' and '.join(said)}."


def _part(node: NodeCard) -> str:
    """A component with its role."""
    about = node.role if node.role_status in ("supported", None) else ""
    return f"{node.component} ({about})" if about else node.component


def strongest_circuits(lines: Sequence[ClaimLine]) -> list[ClaimLine]:
    """Claims about a circuit, without those that a supported stronger one about the same components says too."""
    found = [line for line in lines if "circuit" in line.type]
    covered = {
        weaker.claim_id
        for weaker in found
        for other in found
        if weaker.status == other.status == "supported"
        and sorted(weaker.components) == sorted(other.components)
        and len(other.text) > len(weaker.text)
    }
    return [line for line in found if line.claim_id not in covered]


def circuit_sentence(line: ClaimLine) -> str:
    """What became of a claim about the whole circuit."""
    if line.status == "supported":
        return f"As a circuit: {line.displayed}."
    return f"As a circuit they are {line.status}: {line.reason}."


OUTCOME: dict[NodeStatus, str] = {"supported": "found", "refuted": "not found", "open": "open"}


def compare(document: DocumentSays, lines: Sequence[ClaimLine], mechanism: Mechanism) -> list[LiteratureLine]:
    """Each role and connection that a document describes, beside what was found here."""
    roles = by_role(lines)
    found = [_role_line(document, source.role, roles.get(source.role, [])) for source in document.roles]
    return found + [_link_line(document, link, roles, mechanism) for link in document.links]


def _role_line(document: DocumentSays, role: str, lines: Sequence[ClaimLine]) -> LiteratureLine:
    tried = [line for line in lines if line.verdict is not None]
    status = joint_status([line.status for line in tried]) if tried else None
    names = [line.components[0] for line in tried if line.status == status]
    unseen = "no head shows this pattern and an effect on explore prompts, so none was claimed"
    here = named(names) if names else "claimed, but not tested" if lines else unseen
    return LiteratureLine.model_validate(
        {
            "document_id": document.document_id,
            "title": document.title,
            "says": f"there are {role_spoken(role)} heads",
            "models": list(document.models),
            "outcome": OUTCOME[status] if status else "not tested",
            "here": here,
            "claim_ids": [line.claim_id for line in tried],
            "citation": document.citation(role),
        }
    )


def _link_line(
    document: DocumentSays, link: Link, roles: Mapping[str, list[ClaimLine]], mechanism: Mechanism
) -> LiteratureLine:
    sources = {line.components[0] for line in roles.get(link.source, []) if line.status != "refuted"}
    targets = {line.components[0] for line in roles.get(link.target, []) if line.status != "refuted"}
    edges = [e for e in mechanism.edges if e.source in sources and e.target in targets and e.channel == link.channel]
    status = joint_status([edge.status for edge in edges]) if edges else None
    names = [f"{edge.source}->{edge.target}<{edge.channel}>" for edge in edges if edge.status == status]
    return LiteratureLine.model_validate(
        {
            "document_id": document.document_id,
            "title": document.title,
            "says": link.says,
            "models": list(document.models),
            "outcome": OUTCOME[status] if status else "not tested",
            "here": ", ".join(names) if names else "no such connection between these roles was put on trial",
            "claim_ids": [claim for edge in edges for claim in edge.claim_ids],
            "citation": document.citation(link.target),
        }
    )
