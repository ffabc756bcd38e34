"""What an llm fills in becomes a claim only when the sentence bears it out; otherwise a question comes back."""

from typing import Any

import pytest

from agent.claim_fields import PAIRS, SETS, ClaimFields, claim_of, types_in_words
from agent.claim_parser import Shape
from agent.claims import Claim, claim_types
from agent.errors import ClaimError

SAID = "knock out layer twenty, head zero and the names go wrong"


def made(said: str = SAID, **fields: Any) -> Claim:
    given = {"type": "necessity", "components": ["a20.h0"], **fields}
    return claim_of(
        ClaimFields(**given), said, model="smollm2", task="ioi", shape=Shape(30, 9), tasks=["ioi", "greater-than"]
    )


def test_fields_that_the_sentence_bears_out_are_the_parsers_claim():
    claim = made()
    assert claim.text == "head a20.h0 is necessary for IOI"
    assert claim.said == SAID
    assert claim.claim_id == Claim(type="necessity", model="smollm2", task="ioi", components=("a20.h0",)).claim_id


def test_a_question_is_asked_back_as_it_stands():
    with pytest.raises(ClaimError, match=r"^Which head\?$"):
        made(question="Which head?")


@pytest.mark.parametrize(
    ("said", "component"),
    [
        (SAID, "a17.h4"),
        ("the first head of the last layer is vital", "a29.h0"),
        ("something copies the names", "a23.h0"),
        ("head 20.0 and head 17.4 both go", "a20.h0"),
    ],
)
def test_a_component_that_is_not_named_is_never_supplied(said: str, component: str):
    with pytest.raises(ClaimError, match=r"Which component is meant|The sentence names"):
        made(said, components=[component])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": "importance"}, "No claim type"),
        ({"task": "chess"}, "No task is called 'chess'"),
        ({"components": []}, "one is meant|none is named"),
        ({"type": "edge"}, "about 2 components"),
        ({"type": "head-role", "details": {"role": "king"}}, "role"),
        ({"type": "head-role"}, "lacks or misuses a field"),
        ({"details": {"made": "up"}}, "lacks or misuses a field"),
    ],
)
def test_fields_that_make_no_claim_say_why(fields: dict[str, Any], reason: str):
    with pytest.raises(ClaimError, match=reason):
        made(**fields)


def test_a_component_that_the_model_lacks_names_the_valid_range():
    with pytest.raises(ClaimError, match="29"):
        made("layer 40, head 0 is vital", components=["a40.h0"])


def test_every_claim_type_is_told_to_the_llm_with_its_own_fields():
    words = types_in_words()
    assert set(claim_types()) >= PAIRS | SETS
    for name, kind in claim_types().items():
        assert f"- {name}:" in words
        assert all(field in words for field in kind.details.model_fields)
