"""Does an MLP or head write, at each word, one stated value and nothing else (METHOD T3 for MLPs: read and write)?

Reports: estimates `decoded` (how well the value is told from the output on other prompts), `explained` (the share
of the output's variance that the value accounts for, on other prompts), `margin` (the smaller of the two minus that of
the best rival value) and for flags `contrast` (where the flag is up the output is longer: 1 when it is nothing elsewhere),
each with `<name>_per_prompt` [n]; table `rivals` (value, fit). Every result has `gap`, `accuracy`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from pydantic import Field

from tools.attention_targets import Row
from tools.component import Component, check_component, parse_component
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import Measurement, measure
from tools.paths import sender_site
from tools.paths import written as write_of
from tools.position_values import VALUES, check_value, is_flag, value_words, values_at
from tools.prompts import Floats
from tools.result import Result
from tools.written import explained_by_label, nearest_centroid


class WrittenValues(TaskParams):
    """The component, and what it is said to write."""

    component: str = Field(description="the MLP or head, e.g. m3 or a1.h0")
    value: str = Field(description="word-length, odd-index, number+index, is:x, ... (tools/position_values.py)")


@experiment("written-values", version=1, kind="observational")
def written_values(lab: Lab, params: WrittenValues) -> Result:
    """Compare what an MLP (or a head) writes at each word with a value computed from the prompt, and with every rival value.

    A value that is both told from the output and accounts for all of its variance is what the output depends on, up to
    renaming: an MLP that writes half of the length and one that writes the length cannot be told apart, so such pairs are
    not both in the language. A flag and its opposite differ only in where the output is longer. Observational: nothing
    here says that the output is read.
    """
    part = parse_component(params.component)
    check_component(part, lab.model.n_layers, lab.model.n_heads)
    if part.kind not in ("mlp", "head") or (part.kind == "mlp" and not lab.model.d_mlp):
        raise ExperimentError(f"{params.component} is no MLP or head of {lab.model.name}; name one as m3 or a1.h0.")
    check_value(params.value)
    m = measure(lab, params)
    rows, written = _look(m, part)
    spelled: Mapping[int, str] = getattr(m.task, "spelled", {})
    fits = {params.value: _fit(params.value, rows, written, spelled)}
    own = _labels(params.value, rows, spelled)
    for rival in VALUES:
        labels = _labels(rival, rows, spelled)
        m.lab.step(len(fits) / len(VALUES), f"rival values of {params.component}")
        if rival != params.value and any(one is not None for one in labels) and not _same_partition(own, labels):
            fits[rival] = _fit(rival, rows, written, spelled)
    smaller = {name: np.minimum(decoded, explained) for name, (decoded, explained) in fits.items()}
    rivals = {name: fit for name, fit in smaller.items() if name != params.value}
    best = max(rivals, key=lambda name: float(rivals[name].mean()), default=None)
    decoded, explained = fits[params.value]
    values = {"decoded": decoded, "explained": explained}
    values["margin"] = smaller[params.value] - (rivals[best] if best else 0.0)
    if is_flag(params.value):
        values["contrast"] = _contrast(params.value, rows, written, spelled)
    table = [{"value": name, "fit": round(float(fit.mean()), 4)} for name, fit in rivals.items()]
    return m.result(
        "written-values",
        1,
        f"{params.component}'s output tells {value_words(params.value)} to {decoded.mean():.2f} and varies with it to "
        f"{explained.mean():.2f}; the best rival, {best}, fits to {float(rivals[best].mean()) if best else 0.0:.2f}.",
        m.behaviour_estimates() + [m.estimate(name, array, "share") for name, array in values.items()],
        tables={"rivals": sorted(table, key=lambda row: -row["fit"])},
        labels={"components": [params.component]},
        arrays={f"{name}_per_prompt": array for name, array in values.items()},
    )


def _look(m: Measurement, part: Component) -> tuple[list[Row], list[Floats]]:
    """Per prompt: the row, and what the component writes at each of its words [words, model]."""
    rows: dict[int, Row] = {}
    written: dict[int, Floats] = {}
    special = {*getattr(m.task, "special_ids", ()), *(() if m.prompts.bos is None else (m.prompts.bos,))}
    known: dict[int, float] | None = getattr(m.task, "numbers", None)
    for group in m.engine.groups():
        with torch.no_grad():
            acts = m.engine.record(m.engine.tokens(group, "clean"), {sender_site(part)})
            out = write_of(m.engine.decoder, acts, part)
        m.lab.step(len(rows) / len(m.prompts), f"what {part} writes")
        for k, number in enumerate(group.rows):
            tokens = group.clean[k]
            word = np.array([int(token) not in special for token in tokens])
            numbers = None if not known else np.array([known.get(int(token), np.nan) for token in tokens])
            rows[int(number)] = Row(tokens, word, numbers, {}, m.lab.model.causal)
            written[int(number)] = out[k].double().cpu().numpy()[word]
    order = range(len(m.prompts))
    return [rows[i] for i in order], [written[i] for i in order]


def _labels(value: str, rows: list[Row], spelled: Mapping[int, str]) -> list[Any]:
    return [one for row in rows for one in values_at(value, row, spelled)]


def _same_partition(first: list[Any], second: list[Any]) -> bool:
    """Whether two values always agree on which words are alike (one is the other renamed)."""
    pairs = {(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def _fit(value: str, rows: list[Row], written: list[Floats], spelled: Mapping[int, str]) -> tuple[Floats, Floats]:
    """How well the value is decoded, and how much it explains, per prompt [n] each."""
    labels = [values_at(value, row, spelled) for row in rows]
    kept = [(i, k) for i, line in enumerate(labels) for k, one in enumerate(line) if one is not None]
    if not kept:
        raise ExperimentError(f"{value!r} means nothing on this task: its words have no numbers, or no spelling.")
    codes = {one: code for code, one in enumerate(dict.fromkeys(labels[i][k] for i, k in kept))}
    outputs = np.stack([written[i][k] for i, k in kept])
    label = np.array([codes[labels[i][k]] for i, k in kept], np.int64)
    owner = np.array([i for i, _ in kept])
    n = len(rows)
    return nearest_centroid(outputs, label, owner, n), explained_by_label(outputs, label, owner, n)


def _contrast(value: str, rows: list[Row], written: list[Floats], spelled: Mapping[int, str]) -> Floats:
    """Per prompt: (length where the flag is up - where it is down) over their sum; 0 where a prompt has one of them only."""
    found = np.zeros(len(rows))
    for i, (row, out) in enumerate(zip(rows, written, strict=True)):
        flags = values_at(value, row, spelled)
        size = np.linalg.norm(out, axis=1)
        up = [float(size[k]) for k, one in enumerate(flags) if one is True]
        down = [float(size[k]) for k, one in enumerate(flags) if one is False]
        if up and down and sum(up) + sum(down) > 1e-9:
            found[i] = (np.mean(up) - np.mean(down)) / (np.mean(up) + np.mean(down))
    return found
