"""Reads a plain sentence, English or Korean, as a typed claim; asks back when it is ambiguous, says why when it is
untestable, and never guesses.

Method: the components are marked (`agent/claim_parser_mentions.py`), then the words are matched in a fixed order from
the most specific reading to the least (`agent/claim_parser_words.py`). A component alone means necessity. This module
does not know models: give it their shape, and components out of range are refused with the valid range.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from agent import claim_parser_words as words
from agent.claim_parser_mentions import POSITIONAL, Sentence, read_sentence
from agent.claim_parser_roles import role_fields, role_task
from agent.claim_parser_sites import reads_site, site_fields
from agent.claim_parser_task import known_tasks, task_of
from agent.claim_parser_values import value_fields
from agent.claims import Claim, claim_types
from agent.errors import ClaimError, UnreadError
from tools.component import check_component, parse_component
from tools.errors import ExperimentError

EXAMPLES = "'head 20.0 is necessary for IOI', 'removing 24.4 improves IOI' or 'patching 23.3 restores IOI'"


class Shape(NamedTuple):
    """How many layers and heads the model has."""

    n_layers: int
    n_heads: int


class Reader(NamedTuple):
    """One reading of a sentence: when it applies, and the claim's fields then (or a ClaimError that asks back)."""

    applies: Callable[[Sentence], bool]
    fields: Callable[[Sentence], dict[str, Any]]


def parse_claim(
    text: str, *, model: str, task: str, shape: Shape | None = None, tasks: Sequence[str] | None = None
) -> Claim:
    """The claim that `text` states about `model`; `task` is meant when the sentence names none.

    Raises ClaimError: ambiguous (asks back), untestable (says why), unknown component (valid range) or task (a list).
    """
    sentence = read_sentence(text)
    if not sentence.said:
        raise ClaimError(f"The claim is empty. Write for example {EXAMPLES}.")
    _check_scope(sentence, model)
    fields = read_fields(sentence)
    known = known_tasks() if tasks is None else list(tasks)
    named = task_of(sentence, role_task(fields, known, task), known, strict=not fields["type"].endswith("-role"))
    if fields["type"] not in claim_types():
        raise ClaimError(
            f"This reads as a claim of type {fields['type']!r}, which is not testable here; "
            f"testable types are {', '.join(claim_types())}."
        )
    _check_components(fields["components"], shape)
    claim = Claim(model=model, task=named, said=sentence.said, **fields)
    claim.detail()
    return claim


def read_fields(sentence: Sentence) -> dict[str, Any]:
    """Type and fields of the first reading that applies. Raises ClaimError when none does."""
    for reader in READERS:
        if reader.applies(sentence):
            return reader.fields(sentence)
    raise UnreadError(
        f"I cannot tell what {sentence.said!r} claims about {_names(sentence)}. "
        f"Say whether it is necessary, restores, holds back or is not needed, for example {EXAMPLES}."
    )


def _check_scope(sentence: Sentence, model: str) -> None:
    named = words.OTHER_MODEL.search(sentence.marked)
    if named and named[1].replace("-", "") not in model.lower().replace("-", ""):
        raise ClaimError(
            f"The sentence is about {named[1]}, but the model under study is {model}. A verdict holds for the model it "
            f"was measured on: leave the name out to ask about {model}, or choose that model with --model."
        )
    if words.UNIVERSAL.search(sentence.marked):
        raise ClaimError(
            f"Not testable here, because it speaks of models in general and only {model} is measured. "
            f"State it about this model, for example {EXAMPLES}."
        )


def _check_components(names: Sequence[str], shape: Shape | None) -> None:
    if shape is None:
        return
    for name in names:
        if name == POSITIONAL:
            continue
        try:
            check_component(parse_component(name), shape.n_layers, shape.n_heads)
        except ExperimentError as error:
            raise ClaimError(str(error)) from error


def _ask(question: str) -> dict[str, Any]:
    raise ClaimError(question)


def _names(sentence: Sentence) -> str:
    return ", ".join(sentence.names) or "the model"


def _has(pattern: re.Pattern[str]) -> Callable[[Sentence], bool]:
    return lambda sentence: pattern.search(sentence.marked) is not None


def _without_component(sentence: Sentence) -> dict[str, Any]:
    if found := re.search(r"\b(?:head|layer|mlp)\s*(\d+)\b|헤드\s*(\d+)|(\d+)\s*(?:층|번\s*레이어)", sentence.marked):
        number = next(group for group in found.groups() if group is not None)
        return _ask(
            f"Which component of layer {number} is meant? Name a head as {number}.0 (layer.head) or the MLP as m{number}."
        )
    if words.UNTESTABLE.search(sentence.marked):
        return _ask(
            "Not testable here, because it names no component and no measurable effect. "
            f"State a falsifiable claim about a part of the model, for example {EXAMPLES}."
        )
    raise UnreadError(f"Which component is this about? Name one, for example {EXAMPLES}.")


def _bare(sentence: Sentence) -> bool:
    rest = re.sub(words.MARK, "", sentence.marked)
    return not re.sub(r"\b(?:verify|test|check|the|head|claim|for|on|ioi|is|task)\b|[\s:,?]", "", rest)


def _untestable_mlp(sentence: Sentence) -> bool:
    return re.search(rf"\bmlp\s*{words.MARK}", sentence.marked) is not None


def strength_of(sentence: Sentence) -> str:
    """How strong the wording is (METHOD T1): key, plain or minor."""
    if words.MINOR.search(sentence.marked):
        return "minor"
    return "key" if words.KEY.search(sentence.marked) else "plain"


def _necessity(sentence: Sentence, direction: str = "helps") -> dict[str, Any]:
    if words.RESTORES.search(sentence.marked):
        return _ask(
            "The sentence makes two claims, necessity and sufficiency, which are different and often in conflict. "
            f"Verify them one at a time: '{_names(sentence)} is necessary' and 'patching {_names(sentence)} restores it'."
        )
    if len(sentence.names) > 1:
        if words.TOGETHER.search(sentence.marked):
            specific = bool(words.SPECIFIC.search(sentence.marked))
            return {
                "type": "group-necessity",
                "components": sentence.names,
                "direction": direction,
                "specific": specific,
            }
        return _ask(
            f"Is each of {_names(sentence)} meant, or all of them together? Verify them one at a time, or write "
            "'together' for their joint necessity."
        )
    if words.UNIQUE.search(sentence.marked):
        return _ask(
            "'Only' and 'all' speak about every other component too. Claim one component's necessity, or that another "
            "one is not needed."
        )
    return {
        "type": "necessity",
        "components": sentence.names,
        "direction": direction,
        "strength": strength_of(sentence),
        "specific": bool(words.SPECIFIC.search(sentence.marked)),
    }


def _localisation(sentence: Sentence) -> dict[str, Any]:
    if re.search(r"\bnot\b|n't\b|지\s*않|없", sentence.marked):
        return _ask(
            "The sentence denies that patching restores the behaviour. Verify the positive sentence: when patching does "
            f"not restore it, 'patching {_names(sentence)} restores it' comes out refuted."
        )
    localised = bool(words.LOCALISED.search(sentence.marked))
    if not localised and words.NECESSARY.search(re.sub(r"\bis enough\b|\bimportant\b", "", sentence.marked)):
        return _necessity(sentence)
    return {
        "type": "localisation",
        "components": sentence.names,
        "strength": strength_of(sentence),
        "details": {"localised": localised} if localised else {},
    }


def _hurts(sentence: Sentence) -> dict[str, Any]:
    if re.search(r"\bnot\b|n't\b|\bnever\b|지\s*않", sentence.marked):
        return _ask(
            f"The sentence is negated. Verify 'removing {_names(sentence)} improves the task' and read a refutation as its "
            f"denial, or claim that {_names(sentence)} is not needed."
        )
    return _necessity(sentence, "hurts")


def _absence(sentence: Sentence) -> dict[str, Any]:
    if len(sentence.names) > 1:
        return _ask(f"Which of {_names(sentence)} is not needed? Verify them one at a time.")
    named = interventions_of(sentence)
    details: dict[str, Any] = {"everywhere": True} if words.EXISTENCE.search(sentence.marked) else {}
    if named:
        details["interventions"] = named
    return {"type": "absence", "components": sentence.names, "details": details}


def _quiet_layers(sentence: Sentence) -> dict[str, Any]:
    found = words.QUIET_LAYERS.search(sentence.marked)
    assert found is not None, sentence
    first, last = sorted(int(number) for number in (found["first"], found["last"] or found["first"]))
    return {"type": "quiet-layers", "components": tuple(f"a{layer}" for layer in range(first, last + 1))}


def _intervened(sentence: Sentence) -> dict[str, Any]:
    named = interventions_of(sentence)
    if len(named) != 1 or len(sentence.names) != 1:
        return _necessity(sentence)
    return {"type": "necessity", "components": sentence.names, "details": {"intervention": named[0]}}


def interventions_of(sentence: Sentence) -> list[str]:
    """The interventions that the sentence itself names."""
    found = [("zero", words.ZEROING), ("resample", words.RESAMPLING), ("mean", words.MEANING)]
    return [name for name, pattern in found if pattern.search(sentence.marked)]


def _circuit(sentence: Sentence) -> dict[str, Any]:
    if words.DENIED.search(sentence.marked):
        return _ask("The sentence is negated. Verify that they are a faithful circuit, and read the verdict.")
    if len(sentence.names) < 2:
        return _ask(
            f"That {_names(sentence)} alone does the task is a claim about a circuit. Name all its members, or claim that "
            f"{_names(sentence)} is necessary, or that patching it restores the task."
        )
    says = {
        name: True
        for name, pattern in (("complete", words.COMPLETE), ("minimal", words.MINIMAL))
        if pattern.search(sentence.marked)
    }
    specific = bool(words.SPECIFIC.search(sentence.marked))
    return {"type": "circuit", "components": sentence.names, "details": says, "specific": specific}


def _comparison(sentence: Sentence) -> dict[str, Any]:
    if len(sentence.names) != 2:
        return _ask("A comparison needs two components, as in 'head 20.0 matters more than head 17.4'.")
    names = sentence.names
    if re.search(r"\bless\b|\bweaker\b|덜", sentence.marked):
        names = (names[1], names[0])
    if re.search(r"⟦0⟧\s*보다", sentence.marked):
        names = (names[1], names[0])
    return {"type": "comparison", "components": names}


def _edge_in(sentence: Sentence) -> tuple[str, str, str | None] | None:
    """Sender, receiver and channel when the sentence states a direct connection."""
    for pattern, order, channel in words.EDGES:
        if found := pattern.search(sentence.marked):
            ends = [sentence.mentions[int(mark[1:-1])].name for mark in found.groups()[: len(order)]]
            said = channel or (found.groups()[2] if len(found.groups()) > 2 else None)
            named = {"쿼리": "q", "키": "k", "값": "v"}.get(said or "", said)
            if order == "s":
                return ends[0], "logits", "out" if named is None else named
            return (ends[0], ends[1], named) if order == "st" else (ends[1], ends[0], named)
    return None


def _edge(sentence: Sentence) -> dict[str, Any]:
    if words.DENIED.search(sentence.marked):
        return _ask("The sentence denies a connection. Verify the connection; when there is none it comes out refuted.")
    found = _edge_in(sentence)
    assert found is not None, sentence
    sender, receiver, channel = found
    if sender == receiver:
        return _ask(f"{sender} cannot feed itself; name two components.")
    details = {"channel": channel} if channel not in (None, "out") else {}
    return {"type": "edge", "components": (sender, receiver), "details": details}


def _role(sentence: Sentence) -> dict[str, Any]:
    if re.search(r"\bnot\b|n't\b|지\s*않|아니", sentence.marked):
        return _ask(f"The sentence is negated. Verify that {_names(sentence)} has the role, and read the verdict.")
    if fields := role_fields(sentence) or value_fields(sentence):
        return fields
    return _ask(
        f"Not testable here, because {sentence.said!r} states what a component computes, and no test for that role exists. "
        f"Its effect is testable: '{sentence.names[0]} is necessary'."
    )


def _not_here(reason: str) -> Callable[[Sentence], dict[str, Any]]:
    return lambda sentence: _ask(f"Not testable here, because {reason}.")


READERS: list[Reader] = [
    Reader(reads_site, site_fields),
    Reader(_has(words.QUIET_LAYERS), _quiet_layers),
    Reader(lambda s: not s.mentions, _without_component),
    Reader(
        _untestable_mlp, lambda s: _ask("Write an MLP as m3 or 'MLP 3'; a number with a dot names a head, as in 3.1.")
    ),
    Reader(
        lambda s: POSITIONAL in s.names, _not_here("the positional embedding is no component that can be patched here")
    ),
    Reader(lambda s: _edge_in(s) is not None, _edge),
    Reader(_bare, _necessity),
    Reader(_has(words.ROLE), _role),
    Reader(_has(words.STEERS), _not_here("no experiment here adds a direction at chosen doses (METHOD T8)")),
    Reader(
        lambda s: any(name.startswith("f") for name in s.names) or _has(words.FEATURE)(s),
        _not_here("no sparse autoencoder is loaded, so a feature has no direction in this model (METHOD T7)"),
    ),
    Reader(
        lambda s: any(".n" in name for name in s.names) and (_has(words.DECODED)(s) or _has(words.RESPONDS)(s)),
        _not_here(
            "what a single neuron stands for needs labelled tokens with hard negatives (METHOD T13); its necessity is "
            "testable: 'm3.n17 is necessary'"
        ),
    ),
    Reader(_has(words.REMOVAL_IMPROVES), _hurts),
    Reader(_has(words.CIRCUIT), lambda s: {"type": "exact-circuit", "components": s.names}),
    Reader(_has(words.FAITHFUL), _circuit),
    Reader(_has(words.COMPARES), _comparison),
    Reader(_has(words.ABSENT), _absence),
    Reader(_has(words.SOME_ANSWERS), _intervened),
    Reader(lambda s: _has(words.RESTORES)(s) or _has(words.LOCALISED)(s), _localisation),
    Reader(_has(words.REMOVAL_WORSENS), _necessity),
    Reader(_has(words.HOLDS_BACK), _hurts),
    Reader(_has(words.PATCHING), _localisation),
    Reader(_has(words.NECESSARY), _necessity),
    Reader(
        _has(words.DECODED),
        _not_here(
            "a probe reads the residual stream at one place, not a component; name the place, as in 'the order of the names "
            "is decodable at resid20@END', or claim that the component is necessary"
        ),
    ),
    Reader(
        _has(words.PATTERN),
        _not_here(
            "an attention pattern alone says nothing about effect; claim that the head is necessary, or its role"
        ),
    ),
]
