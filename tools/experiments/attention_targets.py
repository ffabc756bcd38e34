"""Does a head look where it is said to look, and what does it carry from there (METHOD T3: pattern and write)?

Reports: estimates `match` (1 minus the total variation distance between the head's attention and an even spread over
the target), `mass` (attention on the target), `margin` (match minus that of the best rival target), `decoded` (how well
the thing said to be carried is read from the head's output on other prompts), `gap`, `accuracy`; arrays
`match_per_prompt`, `mass_per_prompt`, `margin_per_prompt`, `decoded_per_prompt` [n]; table `rivals` (target, match).
"""

from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field

from tools.attention_targets import NUMERIC, TARGETS, Mask, Row, check_target, mask_of
from tools.component import check_component, parse_component
from tools.costs import Cost, Sizes, whole
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import Measurement, measure
from tools.prompts import Floats, PromptGroup
from tools.result import Result
from tools.written import explained_by, nearest_centroid

RESTING = 0.02
Carries = Literal["nothing", "token", "count", "average"]


class AttentionTargets(TaskParams):
    """The head, where it is said to look, and what it is said to carry."""

    component: str = Field(description="the head, e.g. a5.h1")
    target: str = Field(description="previous, first, mirror, smaller, offset:-2, END->IO, ...; +bos adds BOS")
    carries: Carries = Field(
        default="nothing",
        description="token: the attended token; count: how many keys match; average: one number; nothing: not tested",
    )


def _cost(params: AttentionTargets, model: Sizes) -> Cost:
    return whole(3 * params.n)


@experiment("attention-targets", version=2, kind="observational", cost=_cost)
def attention_targets(lab: Lab, params: AttentionTargets) -> Result:
    """Compare where a head attends with where it is said to attend, and with every other target in the language.

    BOS, where heads rest, is left out unless the target names it. A head that attends evenly to exactly the target has match 1. The margin over the best rival target tells apart
    descriptions that often coincide. `decoded` asks whether the head's output, on prompts not used for fitting, carries
    the attended token, the number of matching keys, or a single average. Observational: a head can look and carry
    without anybody reading it.
    """
    part = parse_component(params.component)
    check_component(part, lab.model.n_layers, lab.model.n_heads)
    if part.kind != "head" or part.index is None:
        raise ExperimentError(f"{params.component} is no attention head, so it attends to nothing.")
    check_target(params.target)
    m = measure(lab, params)
    seen = _look(m, part.layer, part.index)
    rows = [row for row, _, _ in seen]
    patterns = [pattern for _, pattern, _ in seen]
    match, mass = _scores(params.target, rows, patterns)
    rivals = _rivals(params.target, rows, patterns)
    best = max(rivals, key=lambda name: float(rivals[name].mean()), default=None)
    margin = match - rivals[best] if best else match
    arrays = {"match_per_prompt": match, "mass_per_prompt": mass, "margin_per_prompt": margin}
    if params.carries != "nothing":
        arrays["decoded_per_prompt"] = _decoded(params, rows, [z for _, _, z in seen])
    names = [name.removesuffix("_per_prompt") for name in arrays]
    estimates = m.behaviour_estimates() + [
        m.estimate(name, arrays[f"{name}_per_prompt"], "share of attention") for name in names
    ]
    table = [{"target": name, "match": float(score.mean())} for name, score in rivals.items()]
    return m.result(
        "attention-targets",
        2,
        f"{params.component} matches {params.target} to {match.mean():.2f}; the best rival, {best}, to "
        f"{float(rivals[best].mean()) if best else 0.0:.2f}.",
        estimates,
        arrays=arrays,
        tables={"rivals": sorted(table, key=lambda row: -row["match"])},
        labels={"components": [params.component]},
    )


def _look(m: Measurement, layer: int, head: int) -> list[tuple[Row, Floats, Floats]]:
    """Per prompt: the row, the head's attention [query, key], what it writes [query, model]."""
    found: dict[int, tuple[Row, Floats, Floats]] = {}
    attention = m.engine.decoder.blocks[layer].attn
    for group in m.engine.groups():
        with torch.no_grad():
            acts = m.engine.record(m.engine.tokens(group, "clean"), {(layer, "pattern"), (layer, "z")})
            written = attention.head_out(acts[layer, "z"][:, :, head], head)
        pattern = acts[layer, "pattern"][:, head].double().cpu().numpy()
        out = written.double().cpu().numpy()
        for k, number in enumerate(group.rows):
            found[int(number)] = (_row(m, group, k), pattern[k], out[k])
    return [found[i] for i in range(len(m.prompts))]


def _row(m: Measurement, group: PromptGroup, k: int) -> Row:
    tokens = group.clean[k]
    special = {*getattr(m.task, "special_ids", ()), *(() if m.prompts.bos is None else (m.prompts.bos,))}
    known: dict[int, float] | None = getattr(m.task, "numbers", None)
    word = np.array([int(token) not in special for token in tokens])
    numbers = None if not known else np.array([known.get(int(token), np.nan) for token in tokens])
    labels = {label: int(where[k]) for label, where in group.positions.items()}
    return Row(tokens, word, numbers, labels, m.lab.model.causal)


def _scores(
    target: str, rows: list[Row], patterns: list[Floats], among: list[Mask] | None = None
) -> tuple[Floats, Floats]:
    """Per prompt: mean match and mean mass over the target's queries, or over those of `among`; 0 where there is none.

    A query for which the target names no key matches nothing.
    """
    match, mass = np.zeros(len(rows)), np.zeros(len(rows))
    for i, (row, pattern) in enumerate(zip(rows, patterns, strict=True)):
        own, keys = mask_of(target, row)
        queries = own if among is None else among[i]
        if not queries.any():
            continue
        wanted = keys[queries]
        even = wanted / np.maximum(wanted.sum(1, keepdims=True), 1)
        seen = pattern[queries] if target.endswith("+bos") or "->" in target else _without_bos(pattern[queries], row)
        overlap = np.where(wanted.any(1), 1 - 0.5 * np.abs(seen - even).sum(1), 0.0)
        match[i] = float(overlap.mean())
        mass[i] = float((seen * wanted).sum(1).mean())
    return match, mass


def _without_bos(seen: Floats, row: Row) -> Floats:
    """Attention renormalised without BOS, where heads rest; rows that look at little else become 0."""
    if row.word[0]:
        return seen
    rest = seen.copy()
    rest[:, 0] = 0.0
    total = rest.sum(1, keepdims=True)
    return np.where(total > RESTING, rest / np.maximum(total, RESTING), 0.0)


def _rivals(target: str, rows: list[Row], patterns: list[Floats]) -> dict[str, Floats]:
    """Match of every other target on the same prompts; those that coincide with this one everywhere are left out."""
    if "->" in target:
        query = target.split("->")[0].upper()
        labels = [name for name in rows[0].labels if name not in (query, target.split("->")[1].upper())]
        return {f"{query}->{name}": _scores(f"{query}->{name}", rows, patterns)[0] for name in labels}
    suffix = "+bos" if target.endswith("+bos") else ""
    numeric = rows[0].numbers is not None
    names = [name + suffix for name in [*TARGETS, "offset:-2", "offset:-3"] if numeric or name not in NUMERIC]
    own = [_masks(target, row) for row in rows]
    asked = [mask_of(target, row)[0] for row in rows]
    return {
        name: _scores(name, rows, patterns, asked)[0]
        for name in names
        if any(not np.array_equal(mine, _masks(name, row)) for mine, row in zip(own, rows, strict=True))
    }


def _masks(target: str, row: Row) -> Mask:
    queries, keys = mask_of(target, row)
    return keys & queries[:, None]


def _decoded(params: AttentionTargets, rows: list[Row], written: list[Floats]) -> Floats:
    """Per prompt: how well what is said to be carried is read from the head's output, fitted on the other half."""
    inputs: list[Any] = []
    outputs: list[Floats] = []
    owners: list[int] = []
    for i, (row, out) in enumerate(zip(rows, written, strict=True)):
        queries, keys = mask_of(params.target, row)
        words = keys & row.word[None, :]
        for q in np.flatnonzero(queries):
            attended = row.tokens[words[q]]
            if params.carries == "token" and len(set(attended.tolist())) != 1:
                continue
            inputs.append(int(attended[0]) if params.carries == "token" else 1.0 / (1.0 + words[q].sum()))
            outputs.append(out[q])
            owners.append(i)
    if not outputs:
        return np.zeros(len(rows))
    owner, matrix = np.array(owners), np.stack(outputs)
    if params.carries == "token":
        return nearest_centroid(matrix, np.array(inputs), owner, len(rows))
    known = np.array(inputs) if params.carries == "count" else None
    return explained_by(matrix, known, owner, len(rows))
