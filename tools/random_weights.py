"""The same architecture with nothing learned in it: every weight matrix's entries in random order.

Keeps each tensor's distribution of values, so that scales stay what they were, and destroys what they mean. Vectors
(norm weights, biases) stay. A baseline for probes and other read-outs; nothing else should be measured on it.
"""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch

from tools.decoder import Decoder


def shuffled_weights(decoder: Decoder, seed: int) -> Decoder:
    """A decoder with every matrix's entries permuted; the original is untouched."""
    generator = torch.Generator().manual_seed(seed)
    return _shuffled(decoder, generator)


def _shuffled(value: Any, generator: torch.Generator) -> Any:
    if isinstance(value, torch.Tensor):
        if value.ndim != 2:
            return value
        order = torch.randperm(value.numel(), generator=generator).to(value.device)
        return value.detach().flatten()[order].view(value.shape)
    if isinstance(value, tuple):
        return tuple(_shuffled(one, generator) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _shuffled(getattr(value, f.name), generator) for f in fields(value)})
    return value
