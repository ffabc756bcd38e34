"""Who reads a head: the later head whose query it feeds, as METHOD T3 asks of an S-inhibition head.

The reader is named by the sentence, or found on explore prompts: gradients nominate later queries, exact path patching
into the best of them chooses one, and which of that head's attention moves most is read there too. All of it is frozen
in the registration. Critical on confirm prompts: the direct edge into the query (E1), its rank among other senders on
large models (E2), and the reader's attention moving as it did (E3). METHOD T4 with its floors; this module claims no
role.
"""

from typing import Any, Literal

from agent.claim_types.edge import DELTA0, DELTA1, SENDERS, WHOLE
from agent.claims import Claim, Explore
from agent.errors import ClaimError
from agent.findings import RuleModel
from agent.predictions import ONE_LOOK, Look, Prediction
from agent.rules import EffectRule, EverRule, RankRule, Rule
from agent.situation import Situation
from tools.component import parse_component
from tools.result import Result

LOOKS = (Look(n=64, alpha=0.01),)
READER, MOVES = "reader", "reader attention"
PATTERNS = ("END->IO", "END->S1", "END->S2")
MOVE0, MOVE1 = 0.01, 0.03
NOMINATED = 4
PROMPTS = 16


class Tried(RuleModel):
    """One later head on explore prompts: what the edge into its query carries, and how its attention moves."""

    reader: str
    effect: float
    pair: str
    moved: float


def find_reader(claim: Claim, situation: Situation, run: Explore, named: str | None) -> Situation:
    """The situation with the reader (the named one, or the strongest found) and the attention that moves most there.

    Raises ClaimError when the named reader does not come after the head.
    """
    head = claim.components[0]
    if named is not None:
        check_reader(head, named, situation)
    ids: list[str] = []
    candidates = [named] if named else _nominated(head, situation, run, ids)
    tried = [_try(head, name, run, ids) for name in candidates]
    reading = [one for one in tried if one.effect >= DELTA1 or named]
    disclosed = f"explore: who reads {head} ({', '.join(ids)})" if ids else ""
    seen = (*situation.seen, *([disclosed] if disclosed else []))
    if not reading:
        return situation.model_copy(update={"seen": seen})
    best = max(reading, key=lambda one: one.effect)
    sign = "+" if best.moved > 0 else "-"
    nominees = {**situation.nominees, READER: (best.reader,), MOVES: (best.pair, sign)}
    return situation.model_copy(update={"seen": seen, "nominees": nominees})


def check_reader(head: str, reader: str, situation: Situation) -> None:
    """Raise ClaimError unless the reader is a head of this model in a later layer than `head`."""
    part = parse_component(reader)
    known = part.kind == "head" and str(part) in situation.model.heads()
    if not known or part.layer <= parse_component(head).layer:
        raise ClaimError(f"{reader} cannot read {head}: name a head of a later layer of {situation.model.name}.")


def _nominated(head: str, situation: Situation, run: Explore, ids: list[str]) -> list[str]:
    """Later heads: all of a small model, else by the size of the gradient score of the edge into their query."""
    layer = parse_component(head).layer
    later = [name for name in situation.model.heads() if parse_component(name).layer > layer]
    if not later or (situation.screen is not None and situation.screen.exact):
        return later
    result_id, result = run("edge-attribution", {"n": PROMPTS})
    ids.append(result_id)
    senders, receivers = result.labels["senders"], result.labels["receivers"]
    scores = result.arrays["scores"][senders.index(head)]
    queries = {
        name.removesuffix("<q>"): float(abs(score))
        for name, score in zip(receivers, scores, strict=True)
        if name.removesuffix("<q>") in later
    }
    return sorted(queries, key=lambda name: (-queries[name], name))[:NOMINATED]


def _try(head: str, reader: str, run: Explore, ids: list[str]) -> Tried:
    result_id, result = run("path-patching", {**_edge(head, reader), "n": PROMPTS, "attention": list(PATTERNS)})
    ids.append(result_id)
    moved = {pair: _mean_move(result, pair) for pair in PATTERNS}
    pair = max(moved, key=lambda name: abs(moved[name]))
    return Tried(reader=reader, effect=result.estimate("effect").value, pair=pair, moved=moved[pair])


def _mean_move(result: Result, pair: str) -> float:
    return result.estimate(f"attention_change:{pair}").value


def _edge(head: str, reader: str) -> dict[str, Any]:
    return {"receiver": f"{reader}<q>", "senders": [head], "method": "resample"}


def reader_of(situation: Situation) -> str | None:
    """The reader that the registration froze; None when none was found."""
    found = situation.nominees.get(READER)
    return found[0] if found else None


def reader_predictions(claim: Claim, situation: Situation, base: dict[str, Any], *, named: bool) -> list[Prediction]:
    """E1 to E3 and what E1's failure rests on; none when no reader is known.

    Only a reader that the sentence names can refute it: another one may exist.
    """
    reader = reader_of(situation)
    if reader is None:
        return []
    head = claim.components[0]
    pair, sign = situation.nominees[MOVES]
    params = {**base, **_edge(head, reader)}
    edge = EffectRule(
        array="effect_per_prompt",
        quantity=f"effect of {head}->{reader}<q>",
        delta0=DELTA0,
        delta1=DELTA1,
        refutes=named,
    )
    moves = EffectRule(
        array="attention_change_per_prompt",
        row=pair,
        quantity=f"change of {reader}'s attention {pair}",
        sign=1 if sign == "+" else -1,
        delta0=MOVE0,
        delta1=MOVE1,
        refutes=False,
    )
    whole = EverRule(array="whole_input_per_prompt", quantity=f"effect of {reader}'s whole query", least=WHOLE)
    found = [
        _path("E1", "critical", params, edge).model_copy(update={"needs": "W1"}),
        _path("W1", "corroborating", params, whole),
        _path("E3", "critical", {**params, "attention": [pair]}, moves),
    ]
    if situation.screen is not None and situation.screen.exact:
        return found
    drawn = {"n_controls": SENDERS, "control_seed": int(claim.claim_id[1:9], 16)}
    rank = RankRule(array="effect_per_prompt", controls="control_effect", quantity="edge effect", p_max=0.02)
    return [*found, _path("E2", "critical", {**params, **drawn}, rank).model_copy(update={"looks": ONE_LOOK})]


def _path(key: str, role: Literal["critical", "corroborating"], params: dict[str, Any], rule: Rule) -> Prediction:
    return Prediction(key=key, role=role, experiment="path-patching", params=params, rule=rule, looks=LOOKS, rung=4)
