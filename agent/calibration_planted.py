"""Claims about planted models with their truth: from what is written into the weights, with near misses beside them.

Families: necessity, localisation, absence, edge, role, circuit, lens. Near misses: wrong component (unread decoys with the
right pattern among them), wrong direction, wrong role, wrong sender, a circuit with a member missing or one too many.
Effects whose true size lies in the grey zone between the floors, and effects that the construction does not give, make
no claim. Which claims there are depends on the planted models only.
"""

from collections.abc import Callable, Iterator
from typing import Any

from agent.calibration import Court, Known, Tried
from agent.claims import Claim, Direction
from tools.component import parse_component, parse_edge
from tools.planted import build_planted, planted_models
from tools.planted_truth import Planted, Truth

CLEAR = 0.10
NONE = 0.01
TESTED_ROLES = ("previous-token", "induction", "duplicate-token")
NAME_ROLES = {"S-inhibition": "s-inhibition", "name mover": "name-mover"}
"""Roles of a model with two names, by what its truth calls them; each needs the labels of the names."""


def planted_claims(name: str) -> list[Known]:
    """Every claim about one planted model, in a fixed order."""
    planted = build_planted(name)
    makers = (_necessity, _localisation, _absence, _quiet_layers, _edges, _roles, _name_roles, _circuits, _lens)
    return [known for make in makers for known in make(planted)]


def calibrate_planted(court: Court, tell: Callable[[str], None] = lambda text: None) -> list[Tried]:
    """Try every claim about every planted model."""
    tried: list[Tried] = []
    for spec, task in planted_specs():
        tried += court.try_all(spec, task, planted_claims(spec.removeprefix("planted:")))
        tell(f"{spec}: {len(tried)} claims so far, {sum(one.wrong for one in tried)} wrong verdicts")
    return tried


def planted_specs() -> list[tuple[str, str]]:
    """(model spec, task) of every planted model."""
    return [(f"planted:{name}", f"planted-{name}") for name in planted_models()]


def _known(planted: Planted, family: str, truth: bool, near_miss: str, **fields: Any) -> Known:
    claim = Claim(model=f"planted:{planted.name}", task=f"planted-{planted.name}", **fields)
    return Known(family=family, truth=truth, text=claim.text, claim=claim, near_miss=near_miss)


def _effects(truth: Truth, which: str) -> dict[str, float]:
    """Component -> known effect; irrelevant components have none."""
    known = {name: getattr(effect, which) for name, effect in truth.effects.items()}
    found = {name: value for name, value in known.items() if value is not None}
    return {**dict.fromkeys(truth.irrelevant, 0.0), **found}


def _necessity(planted: Planted) -> Iterator[Known]:
    for name, harm in _effects(planted.truth, "resample").items():
        if NONE < abs(harm) < CLEAR:
            continue
        directions: tuple[Direction, Direction] = ("helps", "hurts")
        for direction, sign in zip(directions, (1, -1), strict=True):
            truth = sign * harm >= CLEAR
            miss = "" if truth else "wrong direction" if abs(harm) >= CLEAR else "no effect"
            yield _known(planted, "necessity", truth, miss, type="necessity", components=(name,), direction=direction)


def _localisation(planted: Planted) -> Iterator[Known]:
    for name, restore in _effects(planted.truth, "restore").items():
        if not NONE < abs(restore) < CLEAR:
            truth = restore >= CLEAR
            miss = "" if truth else "not sufficient"
            yield _known(planted, "localisation", truth, miss, type="localisation", components=(name,))


def _absence(planted: Planted) -> Iterator[Known]:
    for name in planted.truth.irrelevant:
        yield _known(planted, "absence", True, "", type="absence", components=(name,))
    for name in planted.truth.circuit:
        yield _known(planted, "absence", False, "in the circuit", type="absence", components=(name,))


def _quiet_layers(planted: Planted) -> Iterator[Known]:
    """No head of a layer takes part, or some head does (backups and either-of-two among them)."""
    layers, heads = int(planted.config["n_layers"]), int(planted.config["n_heads"])
    for layer in range(layers):
        busy = any(f"a{layer}.h{h}" in planted.truth.circuit for h in range(heads))
        miss = "takes part" if busy else ""
        yield _known(planted, "absence", not busy, miss, type="quiet-layers", components=(f"a{layer}",))


def _edges(planted: Planted) -> Iterator[Known]:
    truth = planted.truth
    harm = _effects(truth, "resample")
    for text in truth.edges:
        edge = parse_edge(text)
        end = str(edge.source if edge.target.kind == "logits" else edge.target)
        if edge.source.kind == "input" or min(harm.get(end, 0.0), harm.get(str(edge.source), 0.0)) < CLEAR:
            continue
        details = {"channel": edge.channel} if edge.channel in ("q", "k", "v") else {}
        ends = (str(edge.source), str(edge.target))
        yield _known(planted, "edge", True, "", type="edge", components=ends, details=details)
        for other in truth.irrelevant:
            if parse_component(other).layer == edge.source.layer:
                wrong = (other, str(edge.target))
                yield _known(planted, "edge", False, "wrong sender", type="edge", components=wrong, details=details)


def _roles(planted: Planted) -> Iterator[Known]:
    truth = planted.truth
    harm, restore = _effects(truth, "resample"), _effects(truth, "restore")
    for name, role in truth.roles.items():
        if role not in TESTED_ROLES or parse_component(name).kind != "head":
            continue
        for tested in TESTED_ROLES:
            arm = "removal" if harm.get(name, 0.0) >= CLEAR or tested == "previous-token" else "patching"
            known = harm.get(name, 0.0) if arm == "removal" else restore.get(name, 0.0)
            right = tested == role
            if right and known < CLEAR:
                continue
            miss = "" if right else "wrong role"
            details = {"role": tested, "arm": arm}
            yield _known(planted, "role", right, miss, type="head-role", components=(name,), details=details)
        for other in truth.irrelevant:
            if parse_component(other).kind == "head":
                details = {"role": role}
                yield _known(planted, "role", False, "decoy", type="head-role", components=(other,), details=details)


def _name_roles(planted: Planted) -> Iterator[Known]:
    """Each named role for the head that has it, for the heads that have another, and for the idle ones."""
    truth = planted.truth
    if "IO" not in planted.task.info.positions:
        return
    for word, role in NAME_ROLES.items():
        for name in (*truth.circuit, *truth.irrelevant):
            if parse_component(name).kind != "head":
                continue
            right = truth.roles.get(name) == word
            miss = "" if right else "wrong role" if name in truth.circuit else "decoy"
            details = {"role": role}
            yield _known(planted, "role", right, miss, type="head-role", components=(name,), details=details)


def _lens(planted: Planted) -> Iterator[Known]:
    """The answer is readable in the last stream, and not before anything writes it."""
    writers = [parse_edge(text).source for text in planted.truth.edges if text.endswith("->logits")]
    layers = int(planted.config["n_layers"])
    first = min((writer.layer for writer in writers), default=0)
    for layer, truth in ((layers, True), *((k, False) for k in range(2, first + 1))):
        yield _known(
            planted, "lens", truth, "" if truth else "too early", type="readable", components=(f"resid{layer}@END",)
        )


def _circuits(planted: Planted) -> Iterator[Known]:
    truth = planted.truth
    shows = {name for which in ("resample", "zero") for name, v in _effects(truth, which).items() if abs(v) >= CLEAR}
    members = truth.circuit
    if not set(members) <= shows:
        return  # a silent backup belongs to the circuit, and no single removal shows it
    yield _known(planted, "circuit", True, "", type="exact-circuit", components=members)
    for name in members:
        rest = tuple(one for one in members if one != name)
        if rest:
            yield _known(planted, "circuit", False, "member missing", type="exact-circuit", components=rest)
    for name in truth.irrelevant[:3]:
        more = tuple(sorted({*members, name}))
        yield _known(planted, "circuit", False, "idle member", type="exact-circuit", components=more)
