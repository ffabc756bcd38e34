"""What the unembedding reads from the residual stream at every layer and position (METHOD T9; nostalgebraist 2020).

Reports: estimates `final` (the metric after the last layer) and, when `layer` is given, `lens` and `lens_before` (the
metric read `before` layers earlier), shares of the final metric, with `lens_per_prompt`, `lens_before_per_prompt` [n],
and array `random_pairs` (the same read-out for answers and foils that are not in the prompt). Arrays over streams 0 to
n_layers (entering layer l; the last is after the last layer): `lens`, `rank`, `probability`, `entropy` [streams],
`lens_per_prompt_by_layer` [streams, n], `lens_by_position` [streams, labels]. Control `last stream` (equals the metric).
"""

from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from tools.costs import Cost, Sizes, whole
from tools.decoder import Site
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import Measurement, measure
from tools.prompts import ABSENT, NO_FOIL, Floats, Ints, PromptGroup
from tools.result import Control, Estimate, Result

ONSET = 0.25
KIND = 8


class LogitLens(TaskParams):
    """Which layer's onset is asked about."""

    layer: int | None = Field(
        default=None, ge=0, description="stream entering this layer; the profile only when absent"
    )
    before: int = Field(
        default=2, ge=1, le=8, description="how many layers earlier the answer must not yet be readable"
    )
    n_random: int = Field(default=99, ge=19, le=999, description="random answer/foil pairs for the control")


@dataclass
class Lens:
    """Read-outs of every stream: metric [streams, n], rank, probability, entropy [streams, n]; see `read_lens`."""

    metric: Floats
    rank: Floats
    probability: Floats
    entropy: Floats
    by_position: Floats
    random: Floats


def _cost(params: LogitLens, model: Sizes) -> Cost:
    return whole(3 * params.n)


@experiment("logit-lens", version=2, kind="observational", cost=_cost)
def logit_lens(lab: Lab, params: LogitLens) -> Result:
    """The metric, the answer's rank and probability, and the entropy, read from every layer by norm and unembedding.

    With `layer`, tests an onset: readable there, not readable two layers earlier, and more so than for random pairs of
    tokens that are not in the prompt. Readable is not known, and not readable is not absent: on SmolLM2's IOI a linear
    probe finds the answer layers before the lens does (METHOD 5.7).
    """
    m = measure(lab, params)
    streams = lab.model.n_layers + 1
    if params.layer is not None and not params.before <= params.layer < streams:
        raise ExperimentError(f"layer must lie in {params.before} to {streams - 1}, got {params.layer}.")
    labels = [name for name, where in m.prompts.positions.items() if (where != ABSENT).all()]
    lens = read_lens(m, labels, params)
    final = float(lens.metric[-1].mean())
    if abs(final) < 1e-6:
        raise ExperimentError(
            f"the model's own metric on task {params.task!r} is {final:.2g}: there is nothing to read."
        )
    worst = float(np.abs(lens.metric[-1] - m.clean).max())
    share = lens.metric / final
    onset = next((i for i in range(streams) if share[i].mean() > ONSET), streams - 1)
    estimates = [*m.behaviour_estimates(), m.estimate("final", lens.metric[-1], m.task.info.unit)]
    arrays = {
        "lens": share.mean(1),
        "lens_per_prompt_by_layer": share,
        "lens_by_position": lens.by_position / final,
        "rank": lens.rank.mean(1),
        "probability": lens.probability.mean(1),
        "entropy": lens.entropy.mean(1),
    }
    controls = [
        Control(
            name="last stream",
            passed=worst < 1e-3 * max(1.0, float(np.abs(m.clean).max())),
            observed=worst,
            expected="the lens on the last stream is the model's metric",
        )
    ]
    if params.layer is not None:
        extra, control = _onset(m, params, share, lens.random / final)
        estimates += extra
        controls.append(control)
        arrays |= {
            "lens_per_prompt": share[params.layer],
            "lens_before_per_prompt": share[params.layer - params.before],
            "random_pairs": lens.random / final,
        }
    return m.result(
        "logit-lens",
        2,
        f"The lens reads more than {ONSET:g} of the final metric first from the stream entering layer {onset}; "
        f"largest share {float(share.mean(1).max()):.2f} at stream {int(share.mean(1).argmax())}.",
        estimates,
        controls=controls,
        labels={"streams": [f"resid{i}" for i in range(streams)], "positions": labels},
        arrays=arrays,
    )


def _onset(m: Measurement, params: LogitLens, share: Floats, random: Floats) -> tuple[list[Estimate], Control]:
    assert params.layer is not None
    here, earlier = share[params.layer], share[params.layer - params.before]
    rank = (1 + int((random >= here.mean()).sum())) / (1 + random.size)
    control = Control(
        name="random pairs", observed=rank, expected="rank p among random answer/foil pairs", array="random_pairs"
    )
    unit = "share of the final metric"
    return [m.estimate("lens", here, unit), m.estimate("lens_before", earlier, unit)], control


@torch.no_grad()
def read_lens(m: Measurement, labels: list[str], params: LogitLens) -> Lens:
    """Read every stream at the prompts' read-outs and, for the metric, at each labelled position."""
    layers, n = m.lab.model.n_layers, len(m.prompts)
    metric, rank, probability, entropy = (np.zeros((layers + 1, n)) for _ in range(4))
    by_position, random = np.zeros((layers + 1, len(labels))), np.zeros(params.n_random)
    found = Lens(metric, rank, probability, entropy, by_position, random)
    pairs = _pairs(m, params)
    wanted: set[tuple[int, Site]] = {(layer, "resid_pre") for layer in range(layers)}
    wanted.add((layers - 1, "resid_post"))
    done = 0
    for group in m.engine.groups():
        acts = m.engine.record(m.engine.tokens(group, "clean"), wanted)
        for i in range(layers + 1):
            stream = acts[layers - 1, "resid_post"] if i == layers else acts[i, "resid_pre"]
            read = _read(m, group, stream)
            for name in ("metric", "rank", "probability", "entropy"):
                getattr(found, name)[i, group.rows] = read[name]
            for k, label in enumerate(labels):
                found.by_position[i, k] += _metric_at(m, group, stream, label).sum() / n
            if i == params.layer:
                found.random += _random(m, group, stream, pairs[group.rows]).sum(0) / n
        done += len(group.rows)
        m.lab.step(done / n, f"logit lens: {done} of {n} prompts")
    return found


def _read(m: Measurement, group: PromptGroup, stream: Tensor) -> dict[str, Floats]:
    """metric, rank (of the answer, from 1), probability (of the answer) and entropy at the read-outs, each [rows]."""
    r, rows = group.readouts, len(group.rows)
    logits = m.engine.decoder.logits(stream[torch.as_tensor(r.row), torch.as_tensor(r.position)]).float()
    at = torch.arange(len(r))
    answer = logits[at, torch.as_tensor(r.answer)]
    foil = logits[at, torch.as_tensor(np.maximum(r.foil, 0))]
    log_p = logits.log_softmax(-1)
    good = r.weight > 0 if (r.weight > 0).any() else np.ones(len(r), bool)
    count = np.maximum(np.bincount(r.row, weights=good.astype(np.float64), minlength=rows), 1)

    def average(values: Tensor) -> Floats:
        return np.bincount(r.row, weights=values.double().cpu().numpy() * good, minlength=rows) / count

    return {
        "metric": r.reduce(answer.double().cpu().numpy(), foil.double().cpu().numpy(), rows),
        "rank": average((logits > answer[:, None]).sum(-1) + 1),
        "probability": average(log_p[at, torch.as_tensor(r.answer)].exp()),
        "entropy": average(-(log_p.exp() * log_p).sum(-1)),
    }


def _metric_at(m: Measurement, group: PromptGroup, stream: Tensor, label: str) -> Floats:
    """The row's own answers and foils, read at a labelled position instead, [rows]."""
    r = group.readouts
    spot = torch.as_tensor(group.positions[label])[torch.as_tensor(r.row)]
    x = m.engine.decoder.final_norm(stream[torch.as_tensor(r.row), spot])
    w_u, b_u = m.engine.decoder.w_u, m.engine.decoder.b_u

    def read(tokens: np.ndarray) -> Floats:
        index = torch.as_tensor(tokens, device=x.device)
        logits = (x * w_u[index]).sum(-1) + (0.0 if b_u is None else b_u[index])
        return logits.double().cpu().numpy()

    return r.reduce(read(r.answer), read(np.where(r.foil == NO_FOIL, 0, r.foil)), len(group.rows))


def _pairs(m: Measurement, params: LogitLens) -> Ints:
    """Random pairs of tokens for each prompt, [n, pairs, 2]: answers and foils of other prompts, none of its own tokens.

    Tokens of the same kind as answer and foil, because two tokens of the whole vocabulary differ by how common they are.
    A task with few answers takes the whole vocabulary.
    """
    rng = np.random.default_rng(params.seed)
    read = np.unique(np.concatenate([m.prompts.readouts.answer, m.prompts.readouts.foil]))
    read = read[read >= 0]
    everything = np.arange(len(m.engine.decoder.w_u))
    found = np.zeros((len(m.prompts), params.n_random, 2), np.int64)
    for i, tokens in enumerate(m.prompts.clean_tokens):
        pools = (np.setdiff1d(read, tokens), np.setdiff1d(everything, tokens), everything)
        pool = next((one for one in pools if one.size >= KIND), everything)
        found[i] = pool[rng.integers(0, pool.size, size=(params.n_random, 2))]
    return found


def _random(m: Measurement, group: PromptGroup, stream: Tensor, pairs: Ints) -> Floats:
    """Logit differences of each row's own pairs at its last read-out, [rows, pairs]."""
    r = group.readouts
    last = np.array([r.position[r.row == k].max() for k in range(len(group.rows))])
    x = m.engine.decoder.final_norm(stream[torch.arange(len(group.rows)), torch.as_tensor(last)])
    w_u, index = m.engine.decoder.w_u, torch.as_tensor(pairs, device=x.device)
    direction = w_u[index[:, :, 0]] - w_u[index[:, :, 1]]
    return torch.einsum("rd,rpd->rp", x, direction).double().cpu().numpy()
