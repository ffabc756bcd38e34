"""One batch of variants: where it enters the network, what is changed on the way, how it is run.

Works on the recorded activations of one base run of equal-length prompts. Variants share a batch when they enter
at the same layer, point and position. See `tools/engine.py` for the whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from tools.activations import Activations, prefix_of
from tools.decoder import Decoder, Site, Tap, run_layers, run_mlp

Point = Literal["pre", "mid", "post"]
ORDER: dict[Site, int] = {
    "resid_pre": 0, "q": 1, "k": 1, "v": 1, "pattern": 1, "z": 2, "attn_out": 2, "resid_mid": 2,
    "neurons": 3, "mlp_out": 3, "resid_post": 3,
}  # fmt: skip
POINTS: tuple[Point, ...] = ("pre", "pre", "mid", "post")
KEY_SIDE: tuple[Site, ...] = ("resid_pre", "k", "v")


@dataclass(frozen=True)
class Patch:
    """A resolved intervention: `values` [rows, positions, ...] (pattern: [rows, queries, keys] for one head)."""

    layer: int
    site: Site
    index: int | None
    values: Tensor
    mask: Tensor | None

    def place(self, current: Tensor) -> Tensor:
        """The part of a site's tensor that this patch is about."""
        if self.index is None:
            return current
        return current[:, self.index] if self.site == "pattern" else current[:, :, self.index]

    def new(self, current: Tensor, rows: slice | Tensor) -> Tensor:
        """The patched value of that part, given its present value at position columns `rows`."""
        values = self._columns(self.values, rows)
        if self.mask is None:
            return values
        mask = self.mask[:, rows]
        if self.site == "pattern" and self.index is None:
            mask = mask[:, None]
        return torch.where(mask.reshape(*mask.shape, *(1,) * (values.dim() - mask.dim())), values, current)

    def _columns(self, tensor: Tensor, rows: slice | Tensor) -> Tensor:
        return tensor[:, :, rows] if self.site == "pattern" and self.index is None else tensor[:, rows]

    def first_change(self, base: Tensor) -> int | None:
        """The first position at which the patch differs from the base run; None if nowhere."""
        now = self.place(base)
        different = self.new(now, slice(None)) != now
        if self.site == "pattern" and self.index is None:
            different = different.transpose(1, 2)
        columns = different.flatten(2).any(-1).any(0) if different.dim() > 2 else different.any(0)
        found = columns.nonzero()
        return int(found[0, 0]) if len(found) else None


@dataclass(frozen=True, order=True)
class Start:
    """Where a batch enters: before (`pre`) or after (`mid`) a layer's attention, or after its MLP; at a position."""

    layer: int
    point: Point
    position: int


def start_of(patches: Sequence[Patch], base: Activations, decoder: Decoder) -> Start | None:
    """The entry of one variant, or None when it changes nothing."""
    changes = [(p, p.first_change(base[p.layer, p.site])) for p in patches]
    real = [(p.layer, ORDER[p.site], at) for p, at in changes if at is not None]
    if not real:
        return None
    layer, stage = min((layer, stage) for layer, stage, _ in real)
    position = min(at for _, _, at in real) if decoder.causal else 0
    return Start(layer, POINTS[stage], position)


def group_variants(
    variants: Sequence[Sequence[Patch]], base: Activations, decoder: Decoder, tokens_at_once: int, run_noops: bool
) -> Iterator[tuple[list[int], Start | None]]:
    """Numbers of the variants that go together, with their common entry (None: nothing changes).

    Variants that share an entry go in parts of equal size, each computing at most about `tokens_at_once` tokens.
    """
    rows, length = base[0, "resid_pre"].shape[:2]
    found: dict[Start | None, list[int]] = {}
    for number, patches in enumerate(variants):
        start = start_of(patches, base, decoder)
        if start is None and run_noops:
            start = Start(0, "pre", 0)
        found.setdefault(start, []).append(number)
    for start, numbers in found.items():
        computed = rows * (length - (start.position if start else 0))
        parts = max(1, min(len(numbers), round(len(numbers) * computed / tokens_at_once)))
        for part in range(parts):
            yield numbers[part::parts], start


def run_batch(
    decoder: Decoder, base: Activations, variants: Sequence[Sequence[Patch]], start: Start, read: Tensor
) -> Tensor:
    """The final stream of each variant at the columns `read`: [variants, rows, len(read), model].

    Positions before `start.position` are taken from the base run, those read included.
    """
    copies, layer, last = len(variants), start.layer, len(decoder.blocks) - 1
    rows, length = base[layer, "resid_pre"].shape[:2]
    positions = torch.arange(start.position, length, device=read.device)
    later = read[read >= start.position]
    columns = _Columns(positions, later, last)
    tap = _tap(variants, rows, columns)
    prefix = prefix_of(decoder, base, start.position, copies, layer if start.point == "pre" else layer + 1)
    if start.point == "pre":
        x, layers = _repeat(base[layer, "resid_pre"][:, positions], copies), range(layer, last + 1)
    else:
        x, layers = _enter(decoder, base, variants, start, columns, tap), range(layer + 1, last + 1)
    at = later - start.position
    x = run_layers(decoder, x, positions, layers=layers, tap=tap, prefix=prefix, last_at=at)
    x = x.unflatten(0, (copies, rows))
    if len(later) == len(read):
        return x
    unchanged = base[last, "resid_post"][:, read[read < start.position]].expand(copies, -1, -1, -1)
    return torch.cat([unchanged, x], dim=2)


@dataclass(frozen=True)
class _Columns:
    """Which positions a site's tensor covers: all computed ones, or those read, past the last layer's keys."""

    computed: Tensor
    read: Tensor
    last: int

    def of(self, layer: int, site: Site) -> Tensor:
        return self.read if layer == self.last and site not in KEY_SIDE else self.computed


def _repeat(x: Tensor, copies: int) -> Tensor:
    return x.repeat(copies, *(1,) * (x.dim() - 1))


def _tap(variants: Sequence[Sequence[Patch]], rows: int, columns: _Columns) -> Tap:
    """Writes every variant's patches into the batch as it passes."""
    plan: dict[tuple[int, Site], list[tuple[int, Patch]]] = {}
    for number, patches in enumerate(variants):
        for patch in patches:
            plan.setdefault((patch.layer, patch.site), []).append((number, patch))

    def tap(layer: int, site: Site, value: Tensor) -> Tensor:
        if (layer, site) not in plan:
            return value
        value = value.unflatten(0, (len(variants), rows)).clone()
        at = columns.of(layer, site)
        for number, patch in plan[layer, site]:
            place = patch.place(value[number])
            place.copy_(patch.new(place, at))
        return value.flatten(0, 1)

    return tap


def _enter(
    decoder: Decoder, base: Activations, variants: Sequence[Sequence[Patch]], start: Start, columns: _Columns, tap: Tap
) -> Tensor:
    """The stream after the entry layer: what the changed sites write is added to the base run's stream."""
    layer, block = start.layer, decoder.blocks[start.layer]
    after: Site = "resid_mid" if start.point == "mid" else "resid_post"
    at = columns.of(layer, after)
    changed = [_entry_stream(decoder, base, patches, layer, start.point, at) for patches in variants]
    x = torch.cat(changed)
    if start.point == "post":
        return x
    pre = _repeat(base[layer, "resid_pre"][:, at], len(variants)) if block.parallel else x
    return run_mlp(block, layer, pre, x, tap)


def _entry_stream(
    decoder: Decoder, base: Activations, patches: Sequence[Patch], layer: int, point: Point, at: Tensor
) -> Tensor:
    """One variant's stream after the entry layer's attention (`mid`) or after the layer (`post`)."""
    block = decoder.blocks[layer]
    here = {site: [p for p in patches if p.layer == layer and p.site == site] for site in ORDER}
    if point == "mid":
        stream = base[layer, "resid_mid"][:, at]
        change = torch.zeros_like(stream)
        for patch in here["z"]:
            now = patch.place(base[layer, "z"])[:, at]
            difference = patch.new(now, at) - now
            if patch.index is None:
                change = change + torch.nn.functional.linear(difference.flatten(-2), block.attn.w_o)
            else:
                change = change + block.attn.head_out(difference, patch.index)
        written, whole = here["attn_out"], here["resid_mid"]
        base_written = base[layer, "attn_out"][:, at] if written else None
    else:
        following = base[layer + 1, "resid_pre"] if layer + 1 < len(decoder.blocks) else base[layer, "resid_post"]
        stream = following[:, at]
        change = torch.zeros_like(stream)
        assert block.mlp is not None or not here["neurons"], layer
        for patch in here["neurons"]:
            now = patch.place(base[layer, "neurons"])[:, at]
            difference = patch.new(now, at) - now
            assert block.mlp is not None
            w_out = block.mlp.w_out if patch.index is None else block.mlp.w_out[:, patch.index : patch.index + 1]
            difference = difference if patch.index is None else difference[..., None]
            change = change + torch.nn.functional.linear(difference, w_out)
        written, whole = here["mlp_out"], here["resid_post"]
        base_written = base[layer, "mlp_out"][:, at] if written else None
    for patch in written:
        assert base_written is not None
        change = patch.new(base_written + change, at) - base_written
    stream = stream + change
    for patch in whole:
        stream = patch.new(stream, at)
    return stream
