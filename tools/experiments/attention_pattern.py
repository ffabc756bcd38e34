"""Where heads look: attention between labelled positions, plain and weighted by what is moved (METHOD T3, C1).

Reports, for one head: estimates `attention` (query to key), `margin` (key minus rival, when a rival is named),
`value_weighted` (the key's share of what the head moves), `entropy` (nats), `sink` (attention on the first position),
each with an array `<name>_per_prompt` [n]. For a sweep: arrays `attention`, `value_weighted` [layers, heads, keys] and
`entropy`, `sink` [layers, heads]; label `keys`. Control `rows sum to one`. With a rank: control `other heads`.
"""

import numpy as np
import torch
from pydantic import Field

from tools.activations import Activations
from tools.component import Component, check_component, parse_component
from tools.costs import Cost, Sizes, whole
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import Measurement, measure
from tools.prompts import ABSENT, PromptGroup
from tools.result import Control, Result


class AttentionPattern(TaskParams):
    """Which head, from which position to which."""

    component: str | None = Field(default=None, description="the head, e.g. a5.h1; all heads when absent")
    query: str = Field(default="END", description="position label that looks")
    key: str | None = Field(default=None, description="position label looked at; needed for one head")
    rival: str | None = Field(default=None, description="position label whose attention is subtracted for the margin")


def _cost(params: AttentionPattern, model: Sizes) -> Cost:
    return whole(params.n * (3 if params.component is None else 4))


@experiment("attention-pattern", version=1, kind="observational", cost=_cost)
def attention_pattern(lab: Lab, params: AttentionPattern) -> Result:
    """How much each head attends from one labelled position to others, and how much of what it moves comes from there.

    Attention on the first position is often a resting place, so the value-weighted share (attention times the length of
    what the head's OV circuit moves from there) is given beside it. A pattern says where a head looks, not that anybody
    uses what it finds: about 7 in 10 heads picked by pattern have no such effect (METHOD 5.3).
    """
    m = measure(lab, params)
    keys = [name for name in m.prompts.positions if name != params.query]
    for name in filter(None, (params.query, params.key, params.rival)):
        m.prompts.position(name)
    if params.component is None:
        return _sweep(m, params, keys)
    head = parse_component(params.component)
    check_component(head, lab.model.n_layers, lab.model.n_heads)
    if head.kind != "head":
        raise ExperimentError(f"{params.component} is no attention head; name one as a5.h1.")
    if params.key is None:
        raise ExperimentError(f"say where {head} is said to look: key is one of {', '.join(keys)}.")
    return _single(m, params, head)


def _single(m: Measurement, params: AttentionPattern, head: Component) -> Result:
    assert params.key is not None and head.index is not None
    wanted = [params.key] + ([params.rival] if params.rival else [])
    seen = look(m, params.query, wanted, [head.layer])
    layer, index = 0, head.index
    attention = seen.attention[layer, index]
    values = {"attention": attention[0], "value_weighted": seen.weighted[layer, index, 0]}
    if params.rival:
        values["margin"] = attention[0] - attention[1]
    values |= {"entropy": seen.entropy[layer, index], "sink": seen.sink[layer, index]}
    everyone = look(m, params.query, [params.key], list(range(m.lab.model.n_layers))).attention[:, :, 0].mean(-1)
    others = np.delete(everyone.ravel(), head.layer * m.lab.model.n_heads + index)
    rank = (1 + int((others >= attention[0].mean()).sum())) / (1 + others.size)
    units = {"entropy": "nats"}
    return m.result(
        "attention-pattern",
        1,
        f"{head} attends {attention[0].mean():.2f} from {params.query} to {params.key}"
        + (f" and {attention[1].mean():.2f} to {params.rival}" if params.rival else "")
        + f" (first position {values['sink'].mean():.2f}).",
        m.behaviour_estimates()
        + [m.estimate(name, array, units.get(name, "share of attention")) for name, array in values.items()],
        controls=[
            _sums(seen.worst),
            Control(
                name="other heads",
                observed=rank,
                expected="rank p of the attention among all heads",
                array="other_heads",
            ),
        ],
        labels={"components": [str(head)]},
        arrays={f"{name}_per_prompt": array for name, array in values.items()} | {"other_heads": others},
    )


def _sweep(m: Measurement, params: AttentionPattern, keys: list[str]) -> Result:
    complete = [key for key in keys if (m.prompts.positions[key] != ABSENT).all()]
    if not complete:
        raise ExperimentError(
            f"task {params.task!r} labels no position but {params.query}; there is nothing to look at."
        )
    layers = list(range(m.lab.model.n_layers))
    seen = look(m, params.query, complete, layers)
    attention, weighted = seen.attention.mean(-1), seen.weighted.mean(-1)
    target = complete.index(params.key) if params.key else 0
    order = np.argsort(-attention[:, :, target].ravel())[:20]
    table = [
        {
            "component": f"a{i // m.lab.model.n_heads}.h{i % m.lab.model.n_heads}",
            **{key: round(float(attention.reshape(-1, len(complete))[i, k]), 4) for k, key in enumerate(complete)},
            "value_weighted": round(float(weighted.reshape(-1, len(complete))[i, target]), 4),
        }
        for i in order
    ]
    return m.result(
        "attention-pattern",
        1,
        f"{table[0]['component']} attends most from {params.query} to {complete[target]}: "
        f"{table[0][complete[target]]:.2f}.",
        m.behaviour_estimates(),
        controls=[_sums(seen.worst)],
        tables={"heads": table},
        labels={"keys": complete},
        arrays={
            "attention": attention,
            "value_weighted": weighted,
            "entropy": seen.entropy.mean(-1),
            "sink": seen.sink.mean(-1),
        },
    )


class Looks:
    """Attention of some layers' heads on every prompt; see `look` for shapes."""

    def __init__(self, n_layers: int, n_heads: int, n_keys: int, n: int) -> None:
        self.attention = np.zeros((n_layers, n_heads, n_keys, n))
        self.weighted = np.zeros((n_layers, n_heads, n_keys, n))
        self.entropy = np.zeros((n_layers, n_heads, n))
        self.sink = np.zeros((n_layers, n_heads, n))
        self.worst = 0.0


def look(m: Measurement, query: str, keys: list[str], layers: list[int]) -> Looks:
    """Attention from `query` to each key: arrays [layers, heads, keys, n]; entropy and sink [layers, heads, n].

    Rows that lack a key's label count 0 for it. Raises ExperimentError for a model whose weights cannot be read.
    """
    heads = m.lab.model.n_heads
    found = Looks(len(layers), heads, len(keys), len(m.prompts))
    done = 0
    for group in m.engine.groups():
        acts = m.engine.record(
            m.engine.tokens(group, "clean"), {(layer, site) for layer in layers for site in ("pattern", "v")}
        )
        for at, layer in enumerate(layers):
            _look_layer(m, found, group, (at, layer), (query, keys), acts)
        done += len(group.rows)
        m.lab.step(done / len(m.prompts), f"attention: {done} of {len(m.prompts)} prompts")
    return found


def _look_layer(
    m: Measurement,
    found: Looks,
    group: PromptGroup,
    place: tuple[int, int],
    names: tuple[str, list[str]],
    acts: Activations,
) -> None:
    at, layer = place
    query, keys = names
    rows = torch.arange(len(group.rows))
    where = torch.as_tensor(group.positions[query])
    pattern = acts[layer, "pattern"][rows, :, where].double()
    length = moved_length(m, layer, acts[layer, "v"]).double()
    weight = pattern * length
    weight = weight / weight.sum(-1, keepdim=True).clamp(min=1e-12)
    found.worst = max(found.worst, float((pattern.sum(-1) - 1).abs().max()))
    found.entropy[at][:, group.rows] = torch.special.entr(pattern).sum(-1).T.cpu().numpy()
    found.sink[at][:, group.rows] = pattern[:, :, 0].T.cpu().numpy()
    for k, key in enumerate(keys):
        index = torch.as_tensor(group.positions[key])
        there = (index != ABSENT).double()[:, None]
        spot = index.clamp(min=0)
        found.attention[at, :, k, group.rows] = (pattern[rows, :, spot] * there).cpu().numpy()
        found.weighted[at, :, k, group.rows] = (weight[rows, :, spot] * there).cpu().numpy()


def moved_length(m: Measurement, layer: int, v: torch.Tensor) -> torch.Tensor:
    """Length of what each head's OV circuit writes from each position, [rows, heads, positions]."""
    attention = m.engine.decoder.blocks[layer].attn
    per_group = attention.n_heads // attention.n_groups
    lengths = [attention.head_out(v[:, :, h // per_group], h).norm(dim=-1) for h in range(attention.n_heads)]
    return torch.stack(lengths, dim=1)


def _sums(worst: float) -> Control:
    return Control(name="rows sum to one", passed=worst < 1e-4, observed=worst, expected="within 1e-4")
