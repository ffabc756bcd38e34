"""Exact path patching from one sender, or every sender, into one receiver's input (METHOD T4).

Reports, for one sender (or several as one with `joint`): estimates `effect` (harm as a share of the gap, positive when
the path helps), `total_effect` (the sender ablated everywhere), `whole_input` (everything into that input corrupted),
`attention_change:<from>-><to>` for each asked pair, and with controls `rank_p`; arrays `effect_per_prompt` [n],
`whole_input_per_prompt` [n], `attention_change_per_prompt` [pairs, n], `control_effect` [J]; labels `senders`,
`controls`, `attention`. For a sweep over senders: an estimate `effect:<sender>` each and `effect_per_prompt`
[senders, n]. Every result has `gap`, `accuracy`.
"""

import numpy as np
from pydantic import Field

from tools.activations import Activations
from tools.component import Component
from tools.costs import Cost, Sizes, everything, named, patched, whole
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.interventions import Where, intervene
from tools.measurement import Measurement, control_row, measure
from tools.paths import Method, Receiver, attention_change, check_order, path, read_receiver, sender_site, whole_input
from tools.paths import reads as receiver_reads
from tools.prompts import Floats
from tools.result import Estimate, Result
from tools.runner import Base, BatchView
from tools.selection import every_head, every_mlp, read_components
from tools.statistics import rank_p
from tools.sweep import printed


class PathPatching(TaskParams):
    """The path's two ends, what is put into it, and what is read at the receiver."""

    receiver: str = Field(
        description="a head's input (a23.h0<q>, <k> or <v>; all three without), an MLP (m5) or logits"
    )
    senders: list[str] | None = Field(
        default=None,
        description="heads (a5.h1), attention layers (a5), MLPs (m3) or input; every earlier head when absent",
    )
    mlps: bool = Field(default=False, description="in a sweep over everything, also every earlier MLP")
    joint: bool = Field(default=False, description="all listed senders along their paths together")
    method: Method = Field(default="resample", description="resample: the sender's corrupted write; zero: none")
    position: str | None = Field(default=None, description="only this position of the receiver, e.g. END")
    attention: list[str] = Field(
        default_factory=list, description="changes of the receiver's attention to report, each as END->S2"
    )
    n_controls: int = Field(
        default=0, ge=0, le=999, description="random other senders into the same input (METHOD: 99)"
    )
    exclude: list[str] = Field(default_factory=list, description="never drawn as controls")
    control_seed: int = Field(default=0, ge=0, description="seed the controls are drawn with")


def _cost(params: PathPatching, model: Sizes) -> Cost:
    """Every run enters at the receiver's layer."""
    ends = [c for c in named([params.receiver.partition("<")[0]]) if c.kind != "logits"]
    layer = ends[0].layer if ends else model.n_layers - 1
    earlier = [c for c in everything(model, mlps=params.mlps) if c.layer < layer or not ends]
    senders = len(earlier) if params.senders is None else 1 if params.joint else len(params.senders)
    return whole(3 * params.n) + patched([Component("head", layer)] * (senders + params.n_controls), params.n, model)


@experiment("path-patching", version=1, kind="causal", cost=_cost)
def path_patching(lab: Lab, params: PathPatching) -> Result:
    """How much of the behaviour goes along the direct path from one component into another's query, key or value.

    The sender's corrupted write is let into that one input, everything else stays clean, and the model runs on from the
    receiver: an exact edge effect, not a gradient. Positive means the path helps. Reported beside it: what corrupting
    the whole input costs, what ablating the sender everywhere costs (direct against total), how the receiver's attention
    moves, and where the edge ranks among other senders. Effects of several senders do not add up: they may cancel.
    """
    m = measure(lab, params)
    decoder, receiver = m.engine.decoder, read_receiver(params.receiver)
    if receiver.component.kind != "logits":
        read_components([str(receiver.component)], lab.model)
    targets = _targets(m, params, receiver)
    where = Where(params.position) if params.position else None
    variants = [(path(decoder, members, receiver, method=params.method, where=where),) for members in targets]
    shares = m.harm(m.engine.run(variants, text=f"paths into {receiver}").metric)
    estimates = m.behaviour_estimates()
    arrays: dict[str, np.ndarray] = {"effect_per_prompt": shares}
    labels: dict[str, list[str]] = {"senders": [printed(members) for members in targets]}
    controls = []
    if len(targets) == 1:
        arrays["effect_per_prompt"] = shares[0]
        more, more_arrays, more_labels = _one_edge(m, params, receiver, targets[0], shares[0])
        estimates += more
        arrays |= more_arrays
        labels |= more_labels
        if "control_effect" in more_arrays:
            p = next(e.value for e in more if e.name == "rank_p")
            controls.append(control_row("other senders", p, "control_effect"))
    else:
        estimates += m.estimates([f"effect:{name}" for name in labels["senders"]], shares)
    strongest = int(np.abs(shares.mean(1)).argmax())
    table = sorted(
        (
            {"sender": name, "effect": round(float(v), 5)}
            for name, v in zip(labels["senders"], shares.mean(1), strict=True)
        ),
        key=lambda row: -abs(row["effect"]),
    )
    return m.result(
        "path-patching",
        1,
        f"the path {labels['senders'][strongest]}->{receiver} carries {shares[strongest].mean():+.4f} of the gap"
        + ("." if len(targets) == 1 else f", the most of {len(targets)} senders."),
        estimates,
        controls=controls,
        tables={"paths": table},
        labels=labels,
        arrays=arrays,
    )


def _earlier(m: Measurement, receiver: Receiver, *, mlps: bool) -> list[Component]:
    """Every head (and MLP) that writes before the receiver reads."""
    everything = every_head(m.lab.model) + (every_mlp(m.lab.model) if mlps else [])
    found = []
    for component in everything:
        try:
            check_order(component, receiver, m.engine.decoder)
        except ExperimentError:
            continue
        found.append(component)
    return found


def _targets(m: Measurement, params: PathPatching, receiver: Receiver) -> list[tuple[Component, ...]]:
    if params.senders is None:
        earlier = _earlier(m, receiver, mlps=params.mlps)
        if not earlier:
            raise ExperimentError(f"nothing writes before {receiver} reads; name input as the sender.")
        return [(component,) for component in earlier]
    named = read_components(params.senders, m.lab.model)
    return [tuple(named)] if params.joint else [(component,) for component in named]


def _one_edge(
    m: Measurement, params: PathPatching, receiver: Receiver, senders: tuple[Component, ...], effect: Floats
) -> tuple[list[Estimate], dict[str, np.ndarray], dict[str, list[str]]]:
    """What is reported of one edge beyond the sweep."""
    decoder, where = m.engine.decoder, Where(params.position) if params.position else None
    value = "corrupted" if params.method == "resample" else "zero"
    total = tuple(intervene(sender, value, n_layers=m.lab.model.n_layers) for sender in senders)
    both = m.harm(m.engine.run([(whole_input(decoder, receiver, where=where),), total], text="whole input").metric)
    estimates = [m.estimate("effect", effect), m.estimate("whole_input", both[0]), m.estimate("total_effect", both[1])]
    arrays: dict[str, np.ndarray] = {"whole_input_per_prompt": both[0]}
    labels: dict[str, list[str]] = {}
    if params.attention:
        pairs = [_pair(m, text) for text in params.attention]
        moved = _attention(m, params, receiver, senders, pairs)
        estimates += m.estimates([f"attention_change:{a}->{b}" for a, b in pairs], moved, "attention")
        arrays["attention_change_per_prompt"] = moved
        labels["attention"] = [f"{a}->{b}" for a, b in pairs]
    if params.n_controls:
        others = _controls(m, params, receiver, senders)
        variants = [(path(decoder, (other,), receiver, method=params.method, where=where),) for other in others]
        values = m.harm(m.engine.run(variants, text=f"{len(others)} other senders").metric).mean(1)
        estimates.append(
            Estimate(name="rank_p", value=rank_p(float(effect.mean()), values), n=len(values), unit="probability")
        )
        arrays["control_effect"] = values
        labels["controls"] = [str(other) for other in others]
    return estimates, arrays, labels


def _controls(
    m: Measurement, params: PathPatching, receiver: Receiver, senders: tuple[Component, ...]
) -> list[Component]:
    banned = set(senders) | set(read_components(params.exclude, m.lab.model) if params.exclude else [])
    kinds = {sender.kind for sender in senders}
    pool = [c for c in _earlier(m, receiver, mlps="mlp" in kinds) if c not in banned]
    if not pool:
        raise ExperimentError(f"no other sender into {receiver} is left as a control.")
    order = np.random.default_rng(params.control_seed).permutation(len(pool))[: params.n_controls]
    return [pool[int(i)] for i in order]


def _pair(m: Measurement, text: str) -> tuple[str, str]:
    ends = [part.strip().upper() for part in text.split("->")]
    if len(ends) != 2:
        raise ExperimentError(f"{text!r} is not an attention pair; write it as END->S2.")
    for label in ends:
        m.prompts.position(label)
    return ends[0], ends[1]


def _attention(
    m: Measurement,
    params: PathPatching,
    receiver: Receiver,
    senders: tuple[Component, ...],
    pairs: list[tuple[str, str]],
) -> Floats:
    """[pairs, n] changes of the receiver's attention."""
    if receiver.component.kind != "head":
        raise ExperimentError(f"{receiver} has no attention to read; attention pairs need a head.")
    engine, moved = m.engine, np.zeros((len(pairs), len(m.prompts)))
    where = Where(params.position) if params.position else None
    sites = {*(sender_site(s) for s in senders), *receiver_reads(receiver, m.lab.model.n_layers)}
    for group in engine.groups():
        both: tuple[Base, ...] = ("clean", "corrupted")
        runs: dict[Base, Activations] = {run: engine.recorded(group, run, sites) for run in both}
        view = BatchView(group, runs, engine.templates(group))
        for number, pair in enumerate(pairs):
            change = attention_change(engine.decoder, senders, receiver, pair, view, method=params.method, where=where)
            moved[number, group.rows] = change.double().cpu().numpy()
    return moved
