import pytest

from agent.cards import ClaimSummary
from agent.claim_search import search_claims


def claim(name: str, verdict: str | None, reason: str = "") -> ClaimSummary:
    fields = {
        "claim_id": f"c{name}",
        "type": "necessity",
        "text": f"head {name} is necessary for IOI",
        "model": "smollm2",
    }
    fields |= {"task": "ioi", "components": [name], "rung": 3, "scope": "", "created_at": "", "reason": reason}
    return ClaimSummary.model_validate({**fields, "verdict": verdict})


CLAIMS = [claim("a20.h0", "supported"), claim("a5.h1", "refuted", "harm is negligible"), claim("a7.h0", None)]


@pytest.mark.parametrize(
    ("words", "verdicts", "found"),
    [
        ("", (), ["a20.h0", "a5.h1", "a7.h0"]),
        ("", ("refuted",), ["a5.h1"]),
        ("", ("not judged",), ["a7.h0"]),
        ("NEGLIGIBLE head", (), ["a5.h1"]),
        ("a20.h0 negligible", (), []),
    ],
)
def test_claims_are_found_by_words_and_verdict(words: str, verdicts: tuple[str, ...], found: list[str]):
    assert [one.components[0] for one in search_claims(CLAIMS, words=words, verdicts=verdicts)] == found
