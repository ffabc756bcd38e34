"""A judged claim as a wiki note in the library: what was found, on what evidence, how far it can be trusted.

A later judgement of the same claim reinforces the note (confidence rises by steps towards a ceiling), disputes it
(an inconclusive verdict after a decided one) or retracts it (the opposite verdict). A derived note never outranks its
sources: its trust is at most `medium` and at most the lowest trust of the passages that the claim was made from, its
confidence at most the lowest of theirs. The note's numbers are those of the claim's card.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from agent.answer import Citation
from agent.cards import ClaimCard, PredictionCard, VerdictWord
from agent.errors import AgentError
from kb.library import Library
from kb.notes import parse_note, print_note

ORIGIN = "findings"
FIRST_CONFIDENCE: dict[VerdictWord, float] = {"supported": 0.6, "refuted": 0.6, "inconclusive": 0.2}
STEP, CEILING = 0.05, 0.8
DISPUTED_CONFIDENCE, RETRACTED_CONFIDENCE = 0.3, 0.1
TRUST_ORDER = ("untrusted", "low", "medium", "high")
MOST_TRUST = "medium"


class Judgement(BaseModel):
    """One verdict in a note's history."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str
    verdict: VerdictWord
    prereg: str


class Standing(BaseModel):
    """What a history of judgements amounts to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verification: str
    confidence: float
    says: str


def note_id(card: ClaimCard) -> str:
    """The id of a claim's note."""
    return f"finding-{card.claim_id}"


def standing_of(history: Sequence[Judgement]) -> Standing:
    """Reinforced, disputed or retracted: the newest judgement against the ones before it."""
    newest = history[-1].verdict
    decided = [one.verdict for one in history if one.verdict != "inconclusive"]
    if not decided:
        return Standing(verification="unverified", confidence=FIRST_CONFIDENCE["inconclusive"], says="still open")
    if len(set(decided)) > 1:
        words = "retracted: judgements of this claim contradict each other"
        return Standing(verification="retracted", confidence=RETRACTED_CONFIDENCE, says=words)
    if newest == "inconclusive":
        words = f"disputed: {decided[-1]} before, inconclusive when it was judged again"
        return Standing(verification="disputed", confidence=DISPUTED_CONFIDENCE, says=words)
    confidence = min(CEILING, FIRST_CONFIDENCE[newest] + STEP * (len(decided) - 1))
    again = f"; judged {len(decided)} times with this verdict" if len(decided) > 1 else ""
    return Standing(verification="verified", confidence=round(confidence, 2), says=newest + again)


def keep_finding(card: ClaimCard, library: Library, *, at: str, sources: Sequence[Citation] = ()) -> str:
    """Write or rewrite the note of a judged claim and take it into the library; returns the note's id.

    The same judgement twice changes nothing. Raises AgentError when the claim has no verdict or the note is refused.
    """
    if card.verdict is None:
        raise AgentError(f"Claim {card.claim_id} has no verdict yet, so it is no finding; verify it first.")
    folder = library.store.path.parent / ORIGIN
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{note_id(card)}.md"
    history = _history(path)
    judgement = Judgement(at=at, verdict=card.verdict, prereg=card.prereg_hash)
    if not history or at > history[-1].at:
        history = [*history, judgement]
    text = note_text(card, history, sources, confidences=_confidences(library, sources))
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    item = library.ingest.one(path, ORIGIN)
    if item.state == "failed":
        raise AgentError(f"The library refuses the note of claim {card.claim_id}: {item.message}")
    library.ingest.finish()
    return note_id(card)


def note_text(
    card: ClaimCard, history: Sequence[Judgement], sources: Sequence[Citation], *, confidences: Sequence[float] = ()
) -> str:
    """The note as file text: front matter in the house's order, then the finding."""
    standing = standing_of(history)
    results = list(dict.fromkeys(result for one in card.predictions for result in one.result_ids))
    front: dict[str, Any] = {
        "id": note_id(card),
        "title": card.displayed,
        "category": "finding",
        "status": card.verdict,
        "canonical_id": note_id(card),
        "aliases": [card.text],
        "duplicate_of": None,
        "source_trust_level": _trust(sources),
        "confidence_score": min([standing.confidence, *confidences]),
        "verification_status": standing.verification,
        "tags": ["finding", card.type, card.task, *card.components],
        "raw_sources": [f"claim:{card.claim_id}", f"prereg:{card.prereg_hash}", *(f"result:{one}" for one in results)],
        "last_reinforced": _last_reinforced(history),
        "github_commit": None,
        "tech_stack": ["TransformerLens"],
        "kind": "finding",
        "models": [card.model],
        "judgements": [f"{one.at} {one.verdict} {one.prereg}" for one in history],
    }
    return print_note(front, _body(card, standing, sources))


def _last_reinforced(history: Sequence[Judgement]) -> str:
    """The day of the newest judgement that agrees with the first decided one."""
    decided = [one for one in history if one.verdict != "inconclusive"] or list(history)
    return [one.at for one in decided if one.verdict == decided[0].verdict][-1][:10]


def _body(card: ClaimCard, standing: Standing, sources: Sequence[Citation]) -> str:
    parts = [
        f"# {card.displayed}",
        f"Claim: {card.text}. Verdict: {standing.says}. {card.reason}.",
        f"Scope: {card.scope}.",
        "## Evidence\n\n" + "\n".join(_evidence(one) for one in card.predictions if one.result_ids),
    ]
    if card.remarks or card.missing:
        parts.append("## Remarks\n\n" + "\n".join(f"- {line}" for line in [*card.remarks, *card.missing]))
    if sources:
        links = dict.fromkeys(f"- [[{c.document_id}]]: {c.title}" for c in sources)
        parts.append("## Made from\n\n" + "\n".join(links))
    return "\n\n".join(parts)


def _evidence(prediction: PredictionCard) -> str:
    interval = f" [{prediction.interval[0]:.3f}, {prediction.interval[1]:.3f}]" if prediction.interval else ""
    value = "" if prediction.estimate is None else f" {prediction.quantity} {prediction.estimate:.3f}{interval};"
    results = ", ".join(f"`{result}`" for result in prediction.result_ids)
    return (
        f"- {prediction.key} ({prediction.role}), {prediction.experiment}, n = {prediction.n or 0}:{value} expected "
        f"{prediction.expects}: {prediction.outcome or 'untested'}. Results: {results}"
    )


def _history(path: Path) -> list[Judgement]:
    """The judgements that the note's own front matter lists."""
    if not path.exists():
        return []
    kept = parse_note(path.read_text(encoding="utf-8"), path.name).front.extra.get("judgements", [])
    rows = [line.split(" ") for line in kept]
    return [Judgement(at=at, verdict=verdict, prereg=prereg) for at, verdict, prereg in rows]


def _trust(sources: Sequence[Citation]) -> str:
    levels = [MOST_TRUST, *(c.trust for c in sources if c.trust in TRUST_ORDER)]
    return min((level for level in levels if level), key=TRUST_ORDER.index)


def _confidences(library: Library, sources: Sequence[Citation]) -> list[float]:
    known = {line.id: line.confidence for line in library.documents()}
    found = [known.get(document) for document in dict.fromkeys(c.document_id for c in sources)]
    return [confidence for confidence in found if confidence is not None]
