"""Who feeds whom, on explore prompts: exact path patching between the components that showed an effect.

For each receiver and each of its inputs one experiment tries every earlier component as sender. On large models only
receivers with an effect are asked about, and only those inputs through which a published mechanism or a head's own
effect says that something comes. Nominates connections; nothing here is evidence.
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from agent.investigation_survey import Explorer, Survey, SurveyModel, depth, ids_in_words, is_head
from tools.component import Edge, parse_component
from tools.experiment import experiments

EXPERIMENT = "path-patching"
LEAST = 0.01
PROMPTS = 16
SMALL_PROMPTS = 32
MOST_RECEIVERS = 8
MOST_SENDERS = 24
CHANNELS_OF_ROLE: dict[str, tuple[str, ...]] = {
    "induction": ("k",),
    "s-inhibition": ("q", "v"),
    "name-mover": ("q",),
    "negative-name-mover": ("q",),
}


class EdgeSeen(SurveyModel):
    """What corrupting one connection costs, as a share of the gap."""

    source: str
    target: str
    channel: str = Field(description="q, k, v of a head; empty for an MLP and the logits")
    effect: float
    method: str

    @property
    def name(self) -> str:
        """`a5.h1->a7.h2<q>`."""
        return edge_name(self.source, self.target, self.channel)


class Connections(SurveyModel):
    """The connections that were found, strongest first, and what was looked at."""

    edges: tuple[EdgeSeen, ...] = ()
    seen: tuple[str, ...] = ()


def edge_name(source: str, target: str, channel: str) -> str:
    """An edge as `tools.component` prints it."""
    return str(Edge(parse_component(source), parse_component(target), channel or None))  # pyright: ignore[reportArgumentType]  # one of the channels


def nominate_edges(explorer: Explorer, surveyed: Survey, roles: Mapping[str, Sequence[str]]) -> Connections:
    """Try the earlier components as senders into every receiver worth asking about; `roles` by head."""
    if EXPERIMENT not in experiments():
        return Connections()
    small = explorer.small
    parts = surveyed.parts()
    found: list[EdgeSeen] = []
    ids: list[str] = []
    asked = every_receiver(parts) if small else receivers_of_interest(surveyed, roles)
    for target, channels in asked:
        senders = [name for name in parts if feeds(name, target)]
        if not small:
            senders = sorted(senders, key=lambda name: (-surveyed.of(name).strength, name))[:MOST_SENDERS]
        for channel in channels if senders else ():
            for method in ("resample", "zero") if small else ("resample",):
                result_id, effects = _into(explorer, senders, f"{target}<{channel}>" if channel else target, method)
                ids.append(result_id)
                found += effects
    seen = f"explore: exact path patching into {len(ids)} inputs ({ids_in_words(ids)})"
    return Connections(edges=tuple(strongest_of_each(found)), seen=(seen,) if ids else ())


def strongest_of_each(found: Sequence[EdgeSeen]) -> list[EdgeSeen]:
    """Each connection with its larger effect, those below the least left out, strongest first."""
    best: dict[str, EdgeSeen] = {}
    for edge in found:
        if abs(edge.effect) >= LEAST and abs(edge.effect) > abs(best[edge.name].effect if edge.name in best else 0.0):
            best[edge.name] = edge
    return sorted(best.values(), key=lambda edge: (-abs(edge.effect), edge.name))


def every_receiver(parts: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Each component with all its inputs, and the logits."""
    return [*((name, ("q", "k", "v") if is_head(name) else ("",)) for name in parts), ("logits", ("",))]


def receivers_of_interest(surveyed: Survey, roles: Mapping[str, Sequence[str]]) -> list[tuple[str, tuple[str, ...]]]:
    """The strongest heads, through the inputs that their roles are said to read, and the logits."""
    heads = [o.component for o in surveyed.core() if is_head(o.component)]
    wanted: dict[str, tuple[str, ...]] = {}
    for name in heads:
        channels = {channel for role in roles.get(name, ()) for channel in CHANNELS_OF_ROLE.get(role, ())}
        if channels:
            wanted[name] = tuple(sorted(channels))
    for name in heads[: MOST_RECEIVERS // 2]:
        wanted.setdefault(name, ("q",))
    return [*list(wanted.items())[:MOST_RECEIVERS], ("logits", ("",))]


def feeds(source: str, target: str) -> bool:
    """Whether a component can write what another one reads."""
    if target == "logits":
        return True
    (layer, is_mlp, _), (to_layer, to_mlp, _) = depth(source), depth(target)
    return layer < to_layer or (layer == to_layer and not is_mlp and bool(to_mlp))


def _into(explorer: Explorer, senders: Sequence[str], receiver: str, method: str) -> tuple[str, list[EdgeSeen]]:
    n = SMALL_PROMPTS if explorer.small else PROMPTS
    result_id, result = explorer.run(EXPERIMENT, n, receiver=receiver, senders=list(senders), method=method)
    target, _, channel = receiver.partition("<")
    found = []
    for sender in senders:
        name = f"effect:{sender}" if len(senders) > 1 else "effect"
        effect = round(result.estimate(name).value, 4)
        found.append(EdgeSeen(source=sender, target=target, channel=channel.rstrip(">"), effect=effect, method=method))
    return result_id, found
