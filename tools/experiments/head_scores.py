"""Previous-token, duplicate-token and induction scores with their controls (METHOD T3; guard G14).

Reports, for one head: estimates `previous`, `duplicate`, `induction` (at the period where the score is lowest),
`duplicate_control`, `induction_control` (at the period where it is highest), each with `<name>_per_prompt` [sequences
of that period]; `<name>:period-<p>` for each period. For a sweep: arrays of those five names [layers, heads], and
`<name>_by_period` [periods, layers, heads]. Controls `two periods`, `non-repeated control`.
"""

from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field

from tools.component import check_component, parse_component
from tools.costs import Cost, Sizes, whole
from tools.decoder import Site
from tools.errors import ExperimentError
from tools.experiment import Lab, Params, Split, TaskParams, experiment
from tools.measurement import Measurement, runner_for
from tools.prompts import Floats
from tools.repeated_sequences import sequences_for
from tools.result import Control, Estimate, Result
from tools.statistics import LEVEL, bootstrap
from tools.task_spec import Draw

Score = Literal["previous", "duplicate", "induction", "duplicate_control", "induction_control"]
SCORES: tuple[Score, ...] = ("previous", "duplicate", "induction", "duplicate_control", "induction_control")


class HeadScores(Params):
    """How many sequences, of which periods."""

    component: str | None = Field(default=None, description="the head, e.g. a5.h1; all heads when absent")
    n: int = Field(default=24, ge=4, le=512, description="sequences per period")
    periods: list[int] | None = Field(
        default=None, description="two or more repeat lengths; as long as model and vocabulary allow when absent"
    )
    split: Split = Field(default="explore", description="explore and confirm sequences share no token")
    seed: int = Field(default=0, ge=0, description="seed the sequences are drawn with")


def _cost(params: HeadScores, model: Sizes) -> Cost:
    return whole(2 * params.n * len(params.periods or (0, 0)))


@experiment("head-scores", version=1, kind="observational", cost=_cost)
def head_scores(lab: Lab, params: HeadScores) -> Result:
    """How much each head attends to the previous token, to the same token earlier, and to the token after that one.

    Measured on repeated random tokens with two repeat lengths, because a head with a fixed offset looks like an
    induction head at one; the score reported is that of the length where it is lowest. The same positions are scored
    on sequences whose second copy was replaced: what remains there is not induction. A score says how a head attends,
    not what it writes or whether the behaviour needs it.
    """
    if params.component is not None:
        head = parse_component(params.component)
        check_component(head, lab.model.n_layers, lab.model.n_heads)
        if head.kind != "head":
            raise ExperimentError(f"{params.component} is no attention head; name one as a5.h1.")
    task = sequences_for(lab, tuple(params.periods) if params.periods else None, params.split)
    prompts = task.draw(None, Draw(params.n * len(task.periods), params.split, params.seed))
    inner = TaskParams(task=task.info.name, n=len(prompts), split=params.split, seed=params.seed)
    m = Measurement(lab, inner, task, prompts, runner_for(lab, prompts))
    scores = _scores(m)
    of = {period: np.array([t == f"period-{period}" for t in prompts.template]) for period in task.periods}
    by_period: dict[Score, Floats] = {
        name: np.stack([scores[name][:, :, of[p]].mean(-1) for p in task.periods]) for name in SCORES
    }
    worst: dict[Score, Floats] = {
        name: (by_period[name].max(0) if "control" in name else by_period[name].min(0)) for name in SCORES
    }
    controls = [
        Control(name="two periods", passed=True, expected=f"periods {list(task.periods)}; the lowest score counts"),
        Control(
            name="non-repeated control",
            observed=float(worst["induction_control"].max()),
            expected="largest induction score of any head where nothing repeats",
        ),
    ]
    if params.component is None:
        return _sweep(m, params, controls, worst, by_period)
    return _single(m, params, controls, scores, of)


def _scores(m: Measurement) -> dict[Score, Floats]:
    """Every score of every head on every sequence, [layers, heads, n]."""
    layers, heads = m.lab.model.n_layers, m.lab.model.n_heads
    found: dict[Score, Floats] = {name: np.zeros((layers, heads, len(m.prompts))) for name in SCORES}
    wanted: set[tuple[int, Site]] = {(layer, "pattern") for layer in range(layers)}
    done = 0
    for group in m.runner.groups():
        period = int(m.prompts.template[group.rows[0]].removeprefix("period-"))
        start = 0 if m.prompts.bos is None else 1
        second = torch.arange(start + period, group.clean.shape[1])
        everywhere = torch.arange(start + 1, group.clean.shape[1])
        clean = m.runner.record(m.runner.tokens(group, "clean"), wanted)
        control = m.runner.record(m.runner.tokens(group, "corrupted"), wanted)
        for layer in range(layers):
            places: dict[Score, tuple[torch.Tensor, torch.Tensor, int]] = {
                "previous": (clean[layer, "pattern"], everywhere, 1),
                "duplicate": (clean[layer, "pattern"], second, period),
                "induction": (clean[layer, "pattern"], second, period - 1),
                "duplicate_control": (control[layer, "pattern"], second, period),
                "induction_control": (control[layer, "pattern"], second, period - 1),
            }
            for name, (pattern, queries, back) in places.items():
                mean = pattern[:, :, queries, queries - back].double().mean(-1)
                found[name][layer][:, group.rows] = mean.T.cpu().numpy()
        done += len(group.rows)
        m.lab.step(done / len(m.prompts), f"head scores: {done} of {len(m.prompts)} sequences")
    return found


def _single(
    m: Measurement, params: HeadScores, controls: list[Control], scores: dict[Score, Floats], of: dict[int, np.ndarray]
) -> Result:
    head = parse_component(str(params.component))
    estimates: list[Estimate] = []
    arrays: dict[str, np.ndarray] = {}
    for name in SCORES:
        own = scores[name][head.layer, head.index or 0]
        by_period = {period: own[rows] for period, rows in of.items()}
        pick = max if "control" in name else min
        arrays[f"{name}_per_prompt"] = pick(by_period.values(), key=lambda values: float(values.mean()))
        estimates.append(_estimate(name, arrays[f"{name}_per_prompt"]))
        estimates += [_estimate(f"{name}:period-{period}", values) for period, values in by_period.items()]
    by_name = {estimate.name: estimate.value for estimate in estimates}
    return _result(
        m,
        params,
        f"{head}: previous-token {by_name['previous']:.2f}, duplicate-token {by_name['duplicate']:.2f} (control "
        f"{by_name['duplicate_control']:.2f}), induction {by_name['induction']:.2f} (control "
        f"{by_name['induction_control']:.2f}).",
        estimates,
        controls,
        arrays,
    )


def _estimate(name: str, values: Floats) -> Estimate:
    mean, low, high = bootstrap(values, ["sequence"] * len(values))
    bounds = {"low": float(low[0].clip(0, 1)), "high": float(high[0].clip(0, 1))}
    return Estimate(name=name, value=float(mean[0]), level=LEVEL, n=len(values), unit="share of attention", **bounds)


def _sweep(
    m: Measurement,
    params: HeadScores,
    controls: list[Control],
    worst: dict[Score, Floats],
    by_period: dict[Score, Floats],
) -> Result:
    best: dict[Score, tuple[Any, ...]] = {
        name: np.unravel_index(int(worst[name].argmax()), worst[name].shape) for name in SCORES[:3]
    }
    said = ", ".join(f"{name} a{i}.h{j} {worst[name][i, j]:.2f}" for name, (i, j) in best.items())
    arrays: dict[str, Floats] = {name: worst[name] for name in SCORES}
    arrays |= {f"{name}_by_period": values for name, values in by_period.items()}
    result = _result(m, params, f"Highest scores: {said}.", [], controls, arrays)
    top = np.maximum.reduce([worst["previous"], worst["duplicate"], worst["induction"]])
    places = [np.unravel_index(int(flat), top.shape) for flat in np.argsort(-top.ravel())[:30]]
    rows = [
        {"component": f"a{i}.h{j}", **{name: round(float(worst[name][i, j]), 4) for name in SCORES}} for i, j in places
    ]
    return result.model_copy(update={"tables": {"heads": rows}})


def _result(
    m: Measurement,
    params: HeadScores,
    summary: str,
    estimates: list[Estimate],
    controls: list[Control],
    arrays: dict[str, np.ndarray],
) -> Result:
    provenance = m.provenance().model_copy(update={"task": None, "task_version": None})  # the model gives the words
    result = Result(
        experiment="head-scores",
        version=1,
        params=params.model_dump(mode="json"),
        summary=summary,
        estimates=estimates,
        controls=controls,
        labels={
            "periods": list(m.task.info.templates),
            "components": [str(parse_component(params.component))] if params.component else [],
        },
        provenance=provenance,
        arrays=arrays,
    )
    result.check_finite()
    return result
