"""How much of a sender's effect goes through a receiver: natural direct and indirect effects (Pearl 2001; Vig et al. 2020).

    total     sender takes its value from the corrupted run (or zero), everything after it follows
    indirect  sender stays, the receiver alone takes the value that it has in the total run
    direct    sender changes, the receiver stays at its clean value

All from the same prompts. Total differs from direct + indirect where the two interact. "Through the receiver" means by
whatever route into it: the edge from sender to receiver is path patching's matter. The receiver's value under the
sender's change is recorded in a run of its own, once per batch, whatever the number of receivers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tools.activations import Activations
from tools.component import Component
from tools.decoder import Decoder, Site, run_layers
from tools.engine import Engine
from tools.errors import ExperimentError
from tools.interventions import Intervention, Source, Variant, intervene
from tools.prompts import PromptGroup
from tools.runner import Base, BatchView, pick_index

BOTH: tuple[Base, ...] = ("clean", "corrupted")
ORDER = {"head": 0, "attn": 0, "mlp": 1, "neuron": 1}


def comes_after(decoder: Decoder, sender: Component, receiver: Component) -> bool:
    """Whether the receiver reads a stream that the sender has written to."""
    if sender.kind in ("input", "resid") and receiver.layer >= sender.layer:
        return True
    if receiver.layer != sender.layer:
        return receiver.layer > sender.layer
    parallel = decoder.blocks[receiver.layer].parallel
    return ORDER.get(sender.kind, 2) < ORDER.get(receiver.kind, -1) and not parallel


@dataclass
class Mediation:
    """One sender set on one engine; makes the variants of any receiver."""

    engine: Engine
    senders: tuple[Component, ...]
    value: Source
    _under: dict[tuple[bytes, Site], Activations] = field(default_factory=dict)

    def change(self) -> Variant:
        """The sender's change: the total effect."""
        layers = len(self.engine.decoder.blocks)
        return tuple(intervene(sender, self.value, n_layers=layers) for sender in self.senders)

    def indirect(self, receivers: Sequence[Component]) -> Variant:
        """The receivers set to what they are under the sender's change, which itself does not happen."""
        return tuple(self._as_changed(self._site(receiver)) for receiver in receivers)

    def direct(self, receivers: Sequence[Component]) -> Variant:
        """The sender's change with the receivers held at their clean values."""
        return (*self.change(), *(self._site(receiver) for receiver in receivers))

    def _site(self, receiver: Component) -> Intervention:
        for sender in self.senders:
            if not comes_after(self.engine.decoder, sender, receiver):
                raise ExperimentError(f"{receiver} does not come after {sender}, so it mediates nothing of it.")
        return intervene(receiver, "clean", n_layers=len(self.engine.decoder.blocks))

    def _as_changed(self, one: Intervention) -> Intervention:
        def value(view: BatchView) -> Tensor:
            whole = self._recorded(view.group, one.layer, one.site)
            return whole if one.index is None else pick_index(whole, one.site, one.index)

        return Intervention(one.layer, one.site, one.index, value, one.where)

    @torch.no_grad()
    def _recorded(self, group: PromptGroup, layer: int, site: Site) -> Tensor:
        """A site in the run with the sender's change; all layers of the site are kept, for the next receiver."""
        key = (group.rows.tobytes(), site)
        if key not in self._under:
            self._under[key] = self._run(group, site)
        return self._under[key][layer, site]

    def _run(self, group: PromptGroup, site: Site) -> Activations:
        engine, decoder = self.engine, self.engine.decoder
        change = self.change()
        sites: set[tuple[int, Site]] = {(one.layer, one.site) for one in change}
        runs: dict[Base, Activations] = {run: engine.recorded(group, run, sites) for run in BOTH}
        patches = engine.resolve(change, BatchView(group, runs, engine.templates(group)), "clean")
        kept: Activations = {}

        def tap(at: int, here: Site, value: Tensor) -> Tensor:
            mine = [patch for patch in patches if (patch.layer, patch.site) == (at, here)]
            if mine:
                value = value.clone()
                for patch in mine:
                    place = patch.place(value)
                    place.copy_(patch.new(place, slice(None)))
            if here == site:
                kept[at, here] = value
            return value

        tokens = engine.tokens(group, "clean")
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        run_layers(decoder, decoder.embed(tokens), positions, layers=range(len(decoder.blocks)), tap=tap)
        engine.forward_passes += len(group.rows)
        return kept
