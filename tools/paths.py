"""Exact path patching: one sender's change is let into one receiver's input, everything else stays as it was.

Goldowsky-Dill et al. 2023; METHOD T4. What the sender writes (corrupted minus clean, or minus clean for zero) is added to
the stream that the receiver's query, key or value (or an MLP's input, or the final norm) reads; the receiver's output is
recomputed from that, norm included, with its other inputs at their clean values; then the model runs on from the
receiver. Indirect paths from sender to receiver carry nothing. In grouped-query models the change reaches the claimed
head's own copy of the key or value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from tools.activations import Activations
from tools.component import Channel, Component, parse_edge
from tools.decoder import Decoder, Site
from tools.errors import ExperimentError
from tools.interventions import Intervention, Where
from tools.prompts import PromptGroup
from tools.runner import BatchView, position_mask

Method = Literal["resample", "zero"]


@dataclass(frozen=True)
class Receiver:
    """Where a path ends: a head's q, k or v (None: all three), an MLP's input, or the logits."""

    component: Component
    channel: Channel | None = None

    def __str__(self) -> str:
        return f"{self.component}" + (f"<{self.channel}>" if self.channel else "")


def read_receiver(text: str) -> Receiver:
    """Parse `a23.h0<q>`, `m5` or `logits`. Raises ExperimentError for what cannot receive."""
    edge = parse_edge(f"input->{text}")
    target = edge.target
    if target.kind == "head" and edge.channel in (None, "q", "k", "v"):
        return Receiver(target, edge.channel)
    if target.kind == "mlp" and edge.channel in (None, "in"):
        return Receiver(target)
    if target.kind == "logits":
        return Receiver(target)
    raise ExperimentError(
        f"{text!r} cannot receive a path; write a head's input as a23.h0<q>, an MLP as m5, or logits."
    )


def check_order(sender: Component, receiver: Receiver, decoder: Decoder) -> None:
    """Raise ExperimentError unless the sender writes before the receiver reads."""
    if sender.kind not in ("head", "attn", "mlp", "input"):
        raise ExperimentError(f"{sender} cannot send along a path; name a head, an attention layer, an MLP or input.")
    target = receiver.component
    if sender.kind == "input" or target.kind == "logits":
        return
    if sender.layer < target.layer:
        return
    same = sender.layer == target.layer and target.kind == "mlp" and sender.kind in ("head", "attn")
    if same and not decoder.blocks[sender.layer].parallel:
        return
    raise ExperimentError(f"{sender} does not write before {receiver} reads: there is no such path.")


def sender_site(sender: Component) -> tuple[int, Site]:
    """The site whose value the sender writes."""
    match sender.kind:
        case "head":
            return sender.layer, "z"
        case "attn":
            return sender.layer, "attn_out"
        case "mlp":
            return sender.layer, "mlp_out"
        case _:
            return 0, "resid_pre"


def written(decoder: Decoder, acts: Activations, sender: Component) -> Float[Tensor, "b t model"]:
    """What the sender adds to the stream in a run (a layer's shared attention bias left out for single heads)."""
    value = acts[sender_site(sender)]
    if sender.kind == "head":
        assert sender.index is not None, sender
        return decoder.blocks[sender.layer].attn.head_out(value[:, :, sender.index], sender.index)
    return value


def change(decoder: Decoder, view: BatchView, senders: tuple[Component, ...], method: Method) -> Tensor:
    """How the senders' joint write changes: to the corrupted run's, or to nothing."""
    total: Tensor | None = None
    for sender in senders:
        clean = written(decoder, view.runs["clean"], sender)
        new = written(decoder, view.runs["corrupted"], sender) - clean if method == "resample" else -clean
        total = new if total is None else total + new
    if total is None:
        raise ValueError("a path needs a sender")
    return total


def reads(receiver: Receiver, n_layers: int) -> tuple[tuple[int, Site], ...]:
    """Sites of the plain runs that the receiver's recomputation looks at."""
    layer, kind = receiver.component.layer, receiver.component.kind
    if kind == "logits":
        return ((n_layers - 1, "resid_post"),)
    if kind == "mlp":
        return ((layer, "resid_mid"), (layer, "resid_pre"))
    return tuple((layer, site) for site in ("resid_pre", "q", "k", "v"))  # pyright: ignore[reportReturnType]  # all are sites


@dataclass(frozen=True)
class HeadInputs:
    """One head's query, key and value (before rotary embedding), each [b, t, d]."""

    q: Tensor
    k: Tensor
    v: Tensor


def head_inputs(decoder: Decoder, acts: Activations, receiver: Receiver, added: Tensor) -> HeadInputs:
    """The receiver's inputs with `added` in the stream that its channel reads, the others as in the run."""
    target, block = receiver.component, decoder.blocks[receiver.component.layer]
    assert target.index is not None, target
    group = block.attn.group_of(target.index)
    changed = block.ln1(acts[target.layer, "resid_pre"] + added)
    through = ("q", "k", "v") if receiver.channel is None else (receiver.channel,)
    kept = {site: acts[target.layer, site] for site in ("q", "k", "v")}
    return HeadInputs(
        block.attn.one_query(changed, target.index) if "q" in through else kept["q"][:, :, target.index],
        block.attn.one_key(changed, group) if "k" in through else kept["k"][:, :, group],
        block.attn.one_value(changed, group) if "v" in through else kept["v"][:, :, group],
    )


def attention_of(decoder: Decoder, receiver: Receiver, inputs: HeadInputs) -> Float[Tensor, "b t s"]:
    """The receiver's attention weights."""
    length = inputs.q.shape[1]
    positions = torch.arange(length, device=inputs.q.device)
    attn = decoder.blocks[receiver.component.layer].attn
    return attn.one_pattern(inputs.q, inputs.k, decoder.hidden_keys(positions, length))


def received(decoder: Decoder, acts: Activations, receiver: Receiver, added: Tensor) -> Tensor:
    """The receiver's new output: a head's z [b, t, d], an MLP's output, or the stream before the final norm."""
    target = receiver.component
    if target.kind == "logits":
        return acts[len(decoder.blocks) - 1, "resid_post"] + added
    block = decoder.blocks[target.layer]
    if target.kind == "mlp":
        assert block.mlp is not None, target
        source: Site = "resid_pre" if block.parallel else "resid_mid"
        return block.mlp.out(block.mlp.neurons(block.ln2(acts[target.layer, source] + added)))
    inputs = head_inputs(decoder, acts, receiver, added)
    return attention_of(decoder, receiver, inputs) @ inputs.v


def landing(receiver: Receiver, n_layers: int) -> tuple[int, Site, int | None]:
    """The site that is set to the receiver's new output."""
    target = receiver.component
    if target.kind == "logits":
        return n_layers - 1, "resid_post", None
    if target.kind == "mlp":
        return target.layer, "mlp_out", None
    return target.layer, "z", target.index


def keep_position(added: Tensor, where: Where | None, group: PromptGroup) -> Tensor:
    """The change at one position of each prompt only."""
    if where is None:
        return added
    mask = position_mask(Intervention(0, "z", None, "zero", where), group, str(added.device))
    return added * mask[..., None]


def path(
    decoder: Decoder,
    senders: tuple[Component, ...],
    receiver: Receiver,
    *,
    method: Method = "resample",
    where: Where | None = None,
) -> Intervention:
    """The intervention that lets the senders' change into the receiver alone; `where` is a position of the receiver.

    Raises ExperimentError when a sender does not write before the receiver reads.
    """
    for sender in senders:
        check_order(sender, receiver, decoder)

    def value(view: BatchView) -> Tensor:
        added = keep_position(change(decoder, view, senders, method), where, view.group)
        return received(decoder, view.runs["clean"], receiver, added)

    needs = (*(sender_site(sender) for sender in senders), *reads(receiver, len(decoder.blocks)))
    return Intervention(*landing(receiver, len(decoder.blocks)), value, None, needs)


def whole_input(decoder: Decoder, receiver: Receiver, *, where: Where | None = None) -> Intervention:
    """Everything that reaches the receiver's channel taken from the corrupted run, by whatever path."""
    target = receiver.component
    source: Site = "resid_mid" if target.kind == "mlp" and not decoder.blocks[target.layer].parallel else "resid_pre"
    layer: int = target.layer
    if target.kind == "logits":
        layer, source = len(decoder.blocks) - 1, "resid_post"

    def value(view: BatchView) -> Tensor:
        added = view.runs["corrupted"][layer, source] - view.runs["clean"][layer, source]
        return received(decoder, view.runs["clean"], receiver, keep_position(added, where, view.group))

    return Intervention(*landing(receiver, len(decoder.blocks)), value, None, reads(receiver, len(decoder.blocks)))


Reading = Callable[[BatchView], Tensor]


def attention_change(
    decoder: Decoder,
    senders: tuple[Component, ...],
    receiver: Receiver,
    pair: tuple[str, str],
    view: BatchView,
    *,
    method: Method,
    where: Where | None,
) -> Float[Tensor, " b"]:
    """How much the path changes the receiver's attention from one labelled position to another, per prompt."""
    added = keep_position(change(decoder, view, senders, method), where, view.group)
    acts = view.runs["clean"]
    before = attention_of(decoder, receiver, head_inputs(decoder, acts, receiver, torch.zeros_like(added)))
    after = attention_of(decoder, receiver, head_inputs(decoder, acts, receiver, added))
    rows = torch.arange(before.shape[0])
    query, key = (torch.as_tensor(view.group.positions[label]) for label in pair)
    return (after - before)[rows, query, key]
