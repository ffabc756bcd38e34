"""The same interventions through TransformerLens hooks on the whole model: slower, for any model, and the reference.

Every hook name is checked and must fire exactly once. Used for model families that `tools/decoder_readers.py` does not
know, and by the assay to check the engine. One forward pass per variant and batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tools.activations import Activations, Readings, ReadoutPlan
from tools.decoder import Site
from tools.engine_batch import Patch
from tools.interventions import Variant
from tools.prompts import PromptGroup, Prompts
from tools.runner import Base, BatchView, Runner, sites_by_run
from tools.selftest import record as record_hooks
from tools.selftest import run_hooked

HOOKS: dict[Site, str] = {
    "resid_pre": "hook_resid_pre", "q": "attn.hook_q", "k": "attn.hook_k", "v": "attn.hook_v",
    "pattern": "attn.hook_pattern", "z": "attn.hook_z", "attn_out": "hook_attn_out", "resid_mid": "hook_resid_mid",
    "neurons": "mlp.hook_post", "mlp_out": "hook_mlp_out", "resid_post": "hook_resid_post",
}  # fmt: skip


def hook_name(layer: int, site: Site) -> str:
    """The TransformerLens name of a site."""
    return f"blocks.{layer}.{HOOKS[site]}"


@dataclass(frozen=True)
class LogitReader:
    """An unembedder for streams that are logits already."""

    def answer_logits(self, x: Tensor, tokens: Tensor) -> Tensor:
        """The logit of `tokens[r]` at read-out r, [variants, read-outs]."""
        return x.gather(-1, tokens.expand(x.shape[0], -1)[..., None])[..., 0]

    def all_logits(self, x: Tensor) -> Tensor:
        """Every token's logit."""
        return x


@dataclass(kw_only=True)
class HookEngine(Runner):
    """Runs variants one by one through a TransformerLens object's hooks."""

    bridge: Any

    @property
    def how(self) -> str:
        """How interventions are executed, for the provenance."""
        return "TransformerLens hooks"

    def record(self, tokens: Tensor, sites: set[tuple[int, Site]]) -> Activations:
        """The sites of one plain run."""
        by_name: dict[str, tuple[int, Site]] = {hook_name(layer, site): (layer, site) for layer, site in sites}
        return {by_name[name]: value for name, value in record_hooks(self.bridge, tokens, list(by_name)).items()}

    def run_group(
        self, group: PromptGroup, variants: Sequence[Variant], base: Base, total: Readings, run_noops: bool
    ) -> None:
        """Run every variant on one batch and write the readings into the group's rows of `total`."""
        plan = ReadoutPlan(group.readouts, len(group.rows), self.device)
        needs = sites_by_run(variants, base)
        runs: dict[Base, Activations] = {
            run: self.record(self.tokens(group, run), sites) for run, sites in needs.items() if sites
        }
        view = BatchView(group, runs, self.templates(group))
        reader, tokens = LogitReader(), self.tokens(group, base)
        clean = None
        if total.kl is not None:
            clean = self.bridge(self.tokens(group, "clean"))[:, plan.columns]
        for number, variant in enumerate(variants):
            hooks = _hooks(self.resolve(variant, view, base))
            x = run_hooked(self.bridge, tokens, hooks)[None][:, :, plan.columns]
            self.forward_passes += len(group.rows)
            where = np.ix_(np.array([number]), group.rows)
            total.metric[where] = plan.metric(reader, x).double().cpu().numpy()
            if clean is not None:
                for name, value in plan.distributions(reader, x, clean).items():
                    getattr(total, name)[where] = value.double().cpu().numpy()
            self.step(0.0, "")


Hook = Callable[..., Tensor]


def _hooks(patches: Sequence[Patch]) -> list[tuple[str, Hook]]:
    """One hook per TransformerLens name, applying its patches in order.

    The Bridge's `hook_resid_mid` is only the MLP's input: setting it leaves the stream itself alone. The stream after
    attention is therefore set through what attention writes, given the stream it is added to.
    """
    by_site: dict[tuple[int, Site], list[Patch]] = {}
    for patch in patches:
        by_site.setdefault((patch.layer, patch.site), []).append(patch)
    hooks: dict[str, Hook] = {}
    for (layer, site), members in by_site.items():
        if site != "resid_mid":
            hooks[hook_name(layer, site)] = _write(members)
    for (layer, site), members in by_site.items():
        if site == "resid_mid":
            pre, written = hook_name(layer, "resid_pre"), hook_name(layer, "attn_out")
            hooks[pre], hooks[written] = _write_mid(members, hooks.get(pre), hooks.get(written))
    return list(hooks.items())


def _write(members: Sequence[Patch]) -> Hook:
    def hook(value: Tensor, hook: Any) -> Tensor:
        value = value.clone()
        for patch in members:
            place = patch.place(value)
            place.copy_(patch.new(place, slice(None)))
        return value

    return hook


def _write_mid(members: Sequence[Patch], before: Hook | None, at_attention: Hook | None) -> tuple[Hook, Hook]:
    """Hooks on the stream entering the layer and on attention's output that set the stream between them."""
    entering: list[Tensor] = []

    def remember(value: Tensor, hook: Any) -> Tensor:
        value = before(value, hook) if before else value
        entering.append(value)
        return value

    def write(value: Tensor, hook: Any) -> Tensor:
        value = at_attention(value, hook) if at_attention else value
        return _write(members)(entering[-1] + value, hook) - entering[-1]

    return remember, write


@torch.no_grad()
def run_through_hooks(
    bridge: Any, prompts: Prompts, variants: Sequence[Variant], *, base: Base = "clean", device: str = "cpu"
) -> Readings:
    """The readings of `variants` by plain TransformerLens hooks."""
    return HookEngine(prompts=prompts, device=device, bridge=bridge).run(variants, base=base)
