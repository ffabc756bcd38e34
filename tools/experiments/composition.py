"""What heads' weights say about who reads whom, and about copying and matching tokens (Elhage et al. 2021).

Reports, for a receiver: arrays `q`, `k`, `v` [layers, heads] (composition of every earlier head into it, 0 elsewhere),
table `senders`; for a sender as well: estimates `q_composition`, `k_composition`, `v_composition`, arrays `random_q`,
`random_k`, `random_v` [J] (the sender writing into random directions), one control each. Without a receiver: arrays
`copying`, `matching` [layers, heads] (eigenvalue scores of the OV and QK circuits), table `heads`.
"""

import numpy as np
import torch
from pydantic import Field

from tools.component import Component, check_component, parse_component
from tools.costs import NOTHING, Cost, Sizes
from tools.decoder import Decoder
from tools.errors import ExperimentError
from tools.experiment import Lab, Params, experiment
from tools.head_matrices import composition, copying, layer_matrices, matching, rotated
from tools.result import Control, Estimate, Provenance, Result

CHANNELS = ("q", "k", "v")


class Composition(Params):
    """Which heads."""

    receiver: str | None = Field(
        default=None, description="the head that reads, e.g. a7.h2; eigenvalue scores when absent"
    )
    sender: str | None = Field(default=None, description="the earlier head that writes; all of them when absent")
    n_random: int = Field(default=99, ge=19, le=999, description="random output directions for the control")
    seed: int = Field(default=0, ge=0, description="seed of the random directions")


def _cost(params: Composition, model: Sizes) -> Cost:
    return NOTHING


@experiment("composition", version=1, kind="observational", cost=_cost)
def head_composition(lab: Lab, params: Composition) -> Result:
    """Read from the weights which earlier heads a head can hear through its queries, keys or values.

    The composition score is the share of the writer's output directions that the reader's matrix picks up, compared
    with the same writer in random directions. Without a receiver, eigenvalue scores: whether each head's OV circuit
    copies tokens and whether its QK circuit matches equal tokens. Rotary positions are left out. Weights allow; they do
    not show that anything is sent: that takes path patching.
    """
    decoder = lab.model.decoder
    if decoder is None:
        raise ExperimentError(f"the weights of {lab.model.name} belong to a family that is not read here.")
    if params.receiver is None:
        if params.sender is not None:
            raise ExperimentError("a sender needs a receiver: say which head is said to read it.")
        return _eigenvalues(lab, params, decoder)
    receiver = _head(lab, params.receiver)
    if receiver.layer == 0:
        raise ExperimentError(f"{receiver} is in the first layer, so no head writes before it.")
    return _into(lab, params, decoder, receiver)


def _head(lab: Lab, name: str) -> Component:
    head = parse_component(name)
    check_component(head, lab.model.n_layers, lab.model.n_heads)
    if head.kind != "head":
        raise ExperimentError(f"{name} is no attention head; name one as a5.h1.")
    return head


def _into(lab: Lab, params: Composition, decoder: Decoder, receiver: Component) -> Result:
    readers = layer_matrices(decoder, receiver.layer)
    found = {channel: np.zeros((lab.model.n_layers, lab.model.n_heads)) for channel in CHANNELS}
    for layer in range(receiver.layer):
        lab.step(layer / receiver.layer, f"composition: layer {layer}")
        scores = composition(layer_matrices(decoder, layer), readers, receiver.index or 0)
        for channel, values in zip(CHANNELS, scores, strict=True):
            found[channel][layer] = values.double().cpu().numpy()
    table = _table(found, receiver.layer)
    arrays: dict[str, np.ndarray] = dict(found)
    if params.sender is None:
        best = table[0]
        summary = (
            f"{receiver} can best hear {best['component']} (q {best['q']:.3f}, k {best['k']:.3f}, v {best['v']:.3f})."
        )
        return _result(lab, params, summary, arrays, {"senders": table})
    sender = _head(lab, params.sender)
    if sender.layer >= receiver.layer:
        raise ExperimentError(f"{sender} does not come before {receiver}, so it cannot be read by it.")
    estimates, controls = [], []
    random = _random(params, decoder, sender, receiver)
    for channel in CHANNELS:
        value = float(found[channel][sender.layer, sender.index or 0])
        rank = (1 + int((random[channel] >= value).sum())) / (1 + params.n_random)
        estimates.append(Estimate(name=f"{channel}_composition", value=value, unit="share of the norms"))
        expected = f"rank p of the {channel}-composition among random directions"
        controls.append(Control(name=f"random {channel}", observed=rank, expected=expected, array=f"random_{channel}"))
        arrays[f"random_{channel}"] = random[channel]
    said = ", ".join(
        f"{e.name[0]} {e.value:.3f} (random p {c.observed:.2f})" for e, c in zip(estimates, controls, strict=True)
    )
    result = _result(lab, params, f"{sender} into {receiver}: {said}.", arrays, {"senders": table})
    return result.model_copy(update={"estimates": estimates, "controls": controls})


def _random(params: Composition, decoder: Decoder, sender: Component, receiver: Component) -> dict[str, np.ndarray]:
    writers, readers = layer_matrices(decoder, sender.layer), layer_matrices(decoder, receiver.layer)
    generator = torch.Generator().manual_seed(params.seed)
    draws = []
    for _ in range(params.n_random):
        scores = composition(rotated(writers, generator), readers, receiver.index or 0)
        draws.append([float(values[sender.index or 0]) for values in scores])
    return {channel: np.array(draws)[:, i] for i, channel in enumerate(CHANNELS)}


def _table(found: dict[str, np.ndarray], layers: int) -> list[dict[str, object]]:
    top = np.maximum.reduce([found[channel][:layers] for channel in CHANNELS])
    places = [np.unravel_index(int(i), top.shape) for i in np.argsort(-top.ravel())[:30]]
    return [
        {"component": f"a{i}.h{j}", **{channel: round(float(found[channel][i, j]), 5) for channel in CHANNELS}}
        for i, j in places
    ]


def _eigenvalues(lab: Lab, params: Composition, decoder: Decoder) -> Result:
    scores = {"copying": copying(decoder).cpu().numpy(), "matching": matching(decoder).cpu().numpy()}
    order = np.argsort(-np.abs(scores["copying"]).ravel())[:30]
    heads = lab.model.n_heads
    table: list[dict[str, object]] = [
        {
            "component": f"a{i // heads}.h{i % heads}",
            **{name: round(float(values.ravel()[i]), 4) for name, values in scores.items()},
        }
        for i in order
    ]
    copiers = int((scores["copying"] > 0.9).sum())
    summary = (
        f"{copiers} of {scores['copying'].size} heads have an OV circuit whose eigenvalues are nearly all positive."
    )
    return _result(lab, params, summary, scores, {"heads": table})


def _result(
    lab: Lab,
    params: Composition,
    summary: str,
    arrays: dict[str, np.ndarray],
    tables: dict[str, list[dict[str, object]]],
) -> Result:
    model = lab.model
    result = Result(
        experiment="composition",
        version=1,
        params=params.model_dump(mode="json"),
        summary=summary,
        estimates=[],
        tables=tables,
        labels={"components": [str(parse_component(c)) for c in (params.receiver, params.sender) if c]},
        provenance=Provenance(
            model_name=model.name,
            model_sha256=model.sha256,
            model_dtype=model.dtype,
            seed=params.seed,
            device=model.device,
            code_version="weights only",
        ),
        arrays=arrays,
    )
    result.check_finite()
    return result
