"""A claim as the fields that an llm fills, and the checks that make a claim of them or a question back.

The llm chooses a type and fills fields; code decides whether they are a claim. Checked are what the parser's claims are
checked by (`agent.claims.Claim`, the type's own fields, the model's shape, the tasks that exist) and that every component
stands in the sentence: one that was not named is never supplied. This module asks no llm (`agent/chat/reading.py` does).
"""

import itertools
import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.claim_parser import Shape
from agent.claim_parser_mentions import read_sentence
from agent.claims import Claim, claim_types
from agent.errors import ClaimError
from tools.component import check_component, parse_component
from tools.errors import ExperimentError

PAIRS = {"backup", "comparison", "edge"}
SETS = {"circuit", "exact-circuit", "group-necessity"}
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_WORDS = {word: number for number, word in enumerate(f"{_ONES} eighteen nineteen".split())}
_TENS = {word: 10 * number for number, word in enumerate(["twenty", "thirty", "forty", "fifty"], start=2)}


class ClaimFields(BaseModel):
    """What a sentence claims about the model under study, field by field; or the question to ask back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field(
        default="",
        description="what to ask back when the sentence is ambiguous, names no component or fits no type; leave the rest",
    )
    type: str = Field(default="", description="one of the claim types")
    components: list[str] = Field(default_factory=list, description="as a5.h1 (layer 5, head 1) or m3 (MLP of layer 3)")
    task: str = Field(default="", description="one of the tasks; empty when the sentence names none")
    direction: Literal["helps", "hurts"] = "helps"
    strength: Literal["key", "plain", "minor"] = "plain"
    specific: bool = Field(default=False, description="the sentence says that it is only for this task")
    details: dict[str, Any] = Field(default_factory=dict, description="the type's own fields, if it has any")


def types_in_words() -> str:
    """Every claim type with how many components it takes, its own fields, and an example of its wording."""
    lines = []
    for name, kind in claim_types().items():
        count = "two components" if name in PAIRS else "two or more components" if name in SETS else "one component"
        fields = "; ".join(f"{key}: {f.description or f.annotation}" for key, f in kind.details.model_fields.items())
        lines.append(f"- {name}: {count}." + (f" details: {fields}." if fields else ""))
    return "\n".join(lines)


def claim_of(
    fields: ClaimFields, said: str, *, model: str, task: str, shape: Shape | None, tasks: Sequence[str]
) -> Claim:
    """The claim that the fields make; `task` is meant when they name none.

    Raises ClaimError: the question that the fields ask back, or what is wrong with them.
    """
    if fields.question.strip():
        raise ClaimError(fields.question.strip())
    check_named(fields.components, said)
    return claim_from(fields, said, model=model, task=task, shape=shape, tasks=tasks)


def claim_from(
    fields: ClaimFields, said: str, *, model: str, task: str, shape: Shape | None, tasks: Sequence[str]
) -> Claim:
    """The same without asking that the components stand in a sentence: for what an llm proposes itself."""
    known = {name.lower(): name for name in [*tasks, task]}
    named = known.get((fields.task or task).lower())
    if named is None:
        raise ClaimError(f"No task is called {fields.task!r}. Tasks here: {', '.join(sorted(known.values()))}.")
    if fields.type not in claim_types():
        raise ClaimError(f"No claim type is called {fields.type!r}; there are: {', '.join(claim_types())}.")
    names = _components(fields, shape)
    try:
        claim = Claim(
            model=model,
            task=named,
            said=said,
            components=names,
            **fields.model_dump(include=_KEPT, exclude_defaults=True),
        )
    except ValidationError as wrong:
        raise ClaimError(f"These fields make no claim: {wrong.errors()[0]['msg']}.") from wrong
    claim.detail()
    return claim


_KEPT = {"type", "direction", "strength", "specific", "details"}


def _components(fields: ClaimFields, shape: Shape | None) -> tuple[str, ...]:
    wanted = 2 if fields.type in PAIRS | SETS else 1
    names = fields.components
    if len(names) < wanted or (len(names) > wanted and fields.type not in SETS) or len(set(names)) < len(names):
        count = "at least two different components" if fields.type in SETS else f"{wanted} component{'s'[: wanted - 1]}"
        raise ClaimError(
            f"A {fields.type} claim is about {count}; which is meant: {', '.join(names) or 'none is named'}?"
        )
    try:
        parts = [parse_component(name) for name in names]
        if shape is not None:
            for part in parts:
                check_component(part, shape.n_layers, shape.n_heads)
    except ExperimentError as wrong:
        raise ClaimError(str(wrong)) from wrong
    return tuple(str(part) for part in parts)


def check_named(components: Sequence[str], said: str) -> None:
    """Raise ClaimError, asking back, unless the sentence names each component and no other.

    A component counts as named in any spelling that the parser knows, or when all of its numbers stand in the sentence
    as digits or number words. "First" and "second" do not: heads are counted from 0, people count from 1.
    """
    named = {name for name in read_sentence(said).names if name != "pos_embed"}
    meant = {str(_parsed(name)) for name in components}
    if named and meant != named:
        raise ClaimError(
            f"The sentence names {', '.join(sorted(named))}, but was read as about {', '.join(sorted(meant))}."
        )
    numbers = _numbers(said)
    for name in sorted(meant) if not named else []:
        if not {int(digits) for digits in re.findall(r"\d+", name)} <= numbers:
            raise ClaimError(
                f"Which component is meant by {said!r}? It does not name {name}; write it as 20.0 or L20H0."
            )


def _parsed(name: str) -> object:
    try:
        return parse_component(name)
    except ExperimentError as wrong:
        raise ClaimError(str(wrong)) from wrong


def _numbers(said: str) -> set[int]:
    found = {int(digits) for digits in re.findall(r"\d+", said)}
    words = re.findall(r"[a-z]+", said.lower())
    found |= {_WORDS[word] for word in words if word in _WORDS} | {_TENS[word] for word in words if word in _TENS}
    return found | {_TENS[a] + _WORDS[b] for a, b in itertools.pairwise(words) if a in _TENS and b in _WORDS}
