"""Is a property of the prompt linearly decodable at a site, more than a control task and surface cues allow (T6)?

Reports: estimates `accuracy`, `selectivity` (accuracy minus that of the control task), `over_shuffles` (accuracy minus
the 95th percentile of label shuffles), `over_random_weights`, `over_embedding`, `chance`, each but `chance` with
`<name>_per_prompt` [n]; arrays `shuffled` [J], `accuracy_by_layer` [streams] when no layer is named. Controls
`control task`, `label shuffles`, `random weights`, `embedding`.
"""

import numpy as np
import torch
from pydantic import Field

from tools.costs import Cost, Sizes, whole
from tools.decoder import Decoder, Site
from tools.engine import Engine
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import Measurement, measure
from tools.probing import ProbeData, ProbeScores, probe
from tools.prompts import Floats, Ints, Prompts
from tools.random_weights import shuffled_weights
from tools.result import Control, Estimate, Result
from tools.training_prompts import training_prompts


class LinearProbe(TaskParams):
    """What is probed where, and how the probe is trained."""

    n: int = Field(default=128, ge=16, le=4096, description="test prompts; training uses other prompts")
    layer: int | None = Field(default=None, ge=0, description="the stream entering this layer; a profile when absent")
    position: str = Field(default="END", description="position label where the stream is read")
    target: str = Field(
        default="order",
        description="what is decoded: order (ABBA or BABA), template, or token:LABEL (the token at a label)",
    )
    n_train: int = Field(default=256, ge=16, le=4096, description="training prompts (METHOD: at least 200)")
    strength: float = Field(default=0.1, gt=0, le=100, description="ridge penalty per prompt, fixed beforehand")
    shuffles: int = Field(default=99, ge=19, le=999, description="label shuffles for the null")


def _cost(params: LinearProbe, model: Sizes) -> Cost:
    return whole((params.n + params.n_train) * (1 if params.layer is None else 2))


@experiment("linear-probe", version=1, kind="observational", cost=_cost)
def linear_probe(lab: Lab, params: LinearProbe) -> Result:
    """How well a fixed linear probe decodes a property of the prompt from the residual stream at one place.

    Training prompts are explore prompts; test prompts are others, and with split confirm share no filler with them.
    Beside the accuracy stand four controls: the same probe on a control task (random labels per token), label shuffles,
    the same model with shuffled weights, and the embedding at the same position. Decodable is not used: no probe shows
    that the model reads what the probe reads.
    """
    m = measure(lab, params)
    streams = lab.model.n_layers + 1
    if params.layer is not None and params.layer >= streams:
        raise ExperimentError(f"layer must lie in 0 to {streams - 1}, got {params.layer}.")
    train = training_prompts(m, params, params.n_train)
    layers = list(range(streams)) if params.layer is None else sorted({0, params.layer})
    decoder = m.engine.decoder
    x_train, x_test = (_features(m, decoder, p, params.position, layers) for p in (train, m.prompts))
    scores = {i: _score(params, (train, x_train[k]), (m.prompts, x_test[k])) for k, i in enumerate(layers)}
    counts = np.unique(_names(params.target, m.prompts), return_counts=True)[1]
    chance = float(counts.max() / len(m.prompts))
    if params.layer is None:
        return _profile(m, scores, chance)
    random = shuffled_weights(decoder, params.seed)
    r_train, r_test = (_features(m, random, p, params.position, [params.layer])[0] for p in (train, m.prompts))
    untrained = _score(params, (train, r_train), (m.prompts, r_test))
    return _single(m, params, scores[params.layer], (untrained, scores[0]), chance)


def _single(
    m: Measurement, params: LinearProbe, found: ProbeScores, rivals: tuple[ProbeScores, ProbeScores], chance: float
) -> Result:
    untrained, embedding = rivals
    ceiling = float(np.quantile(found.shuffled, 0.95))
    values = {
        "accuracy": found.right,
        "selectivity": found.right - found.control,
        "over_shuffles": found.right - ceiling,
        "over_random_weights": found.right - untrained.right,
        "over_embedding": found.right - embedding.right,
    }
    controls = [
        Control(
            name="control task", observed=float(found.control.mean()), expected="accuracy on random labels per token"
        ),
        Control(
            name="label shuffles", observed=ceiling, expected="95th percentile of shuffled labels", array="shuffled"
        ),
        Control(
            name="random weights", observed=float(untrained.right.mean()), expected="accuracy with shuffled weights"
        ),
        Control(
            name="embedding", observed=float(embedding.right.mean()), expected="accuracy on the stream entering layer 0"
        ),
    ]
    unit = "share of prompts"
    estimates = [
        m.estimate(name, array, unit if name == "accuracy" else "difference") for name, array in values.items()
    ]
    estimates.append(Estimate(name="chance", value=chance, n=len(m.prompts), unit=unit))
    return m.result(
        "linear-probe",
        1,
        f"{params.target} is decoded at resid{params.layer}@{params.position} with accuracy {found.right.mean():.2f} "
        f"(chance {chance:.2f}, control task {found.control.mean():.2f}, shuffled weights {untrained.right.mean():.2f}, "
        f"embedding {embedding.right.mean():.2f}).",
        estimates,
        controls=controls,
        arrays={f"{name}_per_prompt": array for name, array in values.items()} | {"shuffled": found.shuffled},
    )


def _profile(m: Measurement, scores: dict[int, ProbeScores], chance: float) -> Result:
    accuracy = np.array([scores[i].right.mean() for i in sorted(scores)])
    control = np.array([scores[i].control.mean() for i in sorted(scores)])
    best = int(accuracy.argmax())
    return m.result(
        "linear-probe",
        1,
        f"Decoded best from the stream entering layer {best}: accuracy {accuracy[best]:.2f} (chance {chance:.2f}).",
        [Estimate(name="chance", value=chance, n=len(m.prompts), unit="share of prompts")],
        controls=[
            Control(name="control task", observed=float(control[best]), expected="accuracy on random labels per token")
        ],
        arrays={"accuracy_by_layer": accuracy, "control_by_layer": control},
        tables={
            "layers": [
                {"stream": f"resid{i}", "accuracy": round(float(a), 4), "control_task": round(float(c), 4)}
                for i, (a, c) in enumerate(zip(accuracy, control, strict=True))
            ]
        },
    )


def _score(params: LinearProbe, train: tuple[Prompts, Floats], test: tuple[Prompts, Floats]) -> ProbeScores:
    data = []
    names = _names(params.target, train[0]) + _names(params.target, test[0])
    known = {name: i for i, name in enumerate(dict.fromkeys(sorted(names)))}
    for prompts, x in (train, test):
        y = np.array([known[name] for name in _names(params.target, prompts)], np.int64)
        data.append(ProbeData(x, y, _types(prompts, params)))
    return probe(data[0], data[1], strength=params.strength, shuffles=params.shuffles, seed=params.seed)


def _names(target: str, prompts: Prompts) -> list[str]:
    """The property of each prompt, as text. Raises ExperimentError for a property it has not."""
    if target == "order":
        return list(prompts.order)
    if target == "template":
        return list(prompts.template)
    kind, _, label = target.partition(":")
    if kind != "token" or not label:
        raise ExperimentError(f"target {target!r} is unknown; use order, template or token:LABEL, e.g. token:S2.")
    where = prompts.position(label)
    return [str(int(tokens[i])) for tokens, i in zip(prompts.clean_tokens, where, strict=True)]


def _types(prompts: Prompts, params: LinearProbe) -> Ints:
    """The word type of each prompt for the control task: its answer token, or for a token target the probed token.

    A probe of a token's identity decodes any labelling of that token, so there the answer would be no control.
    """
    if params.target.startswith("token:"):
        where = prompts.position(params.position)
        return np.array([int(tokens[i]) for tokens, i in zip(prompts.clean_tokens, where, strict=True)], np.int64)
    first = np.unique(prompts.readouts.row, return_index=True)[1]
    return prompts.readouts.answer[first]


@torch.no_grad()
def _features(m: Measurement, decoder: Decoder, prompts: Prompts, position: str, layers: list[int]) -> list[Floats]:
    """The stream entering each layer at the position, one [n, model] each; the last stream is after the last layer."""
    depth = len(decoder.blocks)
    engine = Engine(prompts=prompts, device=m.engine.device, decoder=decoder)
    found = [np.zeros((len(prompts), decoder.w_u.shape[1])) for _ in layers]
    sites: list[tuple[int, Site]] = [(i, "resid_pre") if i < depth else (depth - 1, "resid_post") for i in layers]
    prompts.position(position)
    done = 0
    for group in engine.groups():
        acts = engine.record(engine.tokens(group, "clean"), set(sites))
        where = torch.as_tensor(group.positions[position])
        for k, site in enumerate(sites):
            found[k][group.rows] = acts[site][torch.arange(len(group.rows)), where].double().cpu().numpy()
        done += len(group.rows)
        m.lab.step(done / len(prompts), f"probe: {done} of {len(prompts)} prompts")
    m.runner.forward_passes += len(prompts)
    return found
