"""Finds claims among all that were ever put on trial, refuted and open ones like supported ones: by words and verdict."""

from collections.abc import Iterable

from agent.cards import ClaimSummary

UNJUDGED = "not judged"


def search_claims(
    claims: Iterable[ClaimSummary], *, words: str = "", verdicts: Iterable[str] = (), model: str | None = None
) -> list[ClaimSummary]:
    """The claims that have every word in their text, components, task, model, type, id or reason, and such a verdict."""
    wanted = set(verdicts)
    return [
        claim
        for claim in claims
        if all(word in _text(claim) for word in words.casefold().split())
        and (not wanted or (claim.verdict or UNJUDGED) in wanted)
        and model in (None, claim.model)
    ]


def _text(claim: ClaimSummary) -> str:
    parts = (claim.text, *claim.components, claim.task, claim.model, claim.type, claim.claim_id, claim.reason)
    return " ".join(parts).casefold()
