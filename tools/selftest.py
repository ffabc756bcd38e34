"""Tests the instrument: does the TransformerLens object compute what the model computes, and do hooks bite?

Each check is cheap and runs at every load. It knows one TransformerLens object and, for pretrained models, the
logits of the untouched Hugging Face model. It does not know how the model was found.
"""

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from tools.decoder import Decoder, run_layers


class Check(BaseModel):
    """One check of the self-test and what it saw."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    passed: bool
    observed: str
    expected: str


class SelfTest(BaseModel):
    """All checks of one load."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    checks: list[Check]

    @property
    def passed(self) -> bool:
        """True when every check passed."""
        return all(check.passed for check in self.checks)


@torch.no_grad()
def run_selftest(
    model: Any, *, reference: tuple[Tensor, Tensor] | None, tokenizer: Any | None, decoder: Decoder | None
) -> SelfTest:
    """Run every check that applies. `reference`: token ids and the HF model's logits on them."""
    cfg = model.cfg
    if reference is None:
        generator = torch.Generator().manual_seed(0)
        length = min(9, int(cfg.n_ctx))
        tokens = torch.randint(0, int(cfg.d_vocab), (2, length), generator=generator).to(model.cfg.device)
    else:
        tokens = reference[0]
    logits = model(tokens)
    scale = float(logits.float().std())
    exact = logits.dtype in (torch.float32, torch.float64)
    tolerance = (1e-4 if exact else 5e-2) * max(scale, 1.0)
    if reference is None:  # hand-built weights may hold a huge stream that cancels in the logits: rounding follows it
        end = f"blocks.{int(cfg.n_layers) - 1}.hook_resid_post"
        tolerance = max(3 * tolerance, 1e-6 * float(record(model, tokens, [end])[end].abs().max()))
    checks = [
        _finite(logits),
        _deterministic(logits, model(tokens)),
        _residual_adds_up(model, tokens, exact),
        _hooks_bite(model, tokens),
        _hooks_removed(model, tokens, logits),
        _padding(model, tokens, logits, tolerance),
        _bos(tokenizer, tokens, logits),
    ]
    if reference is not None:
        worst = float((logits - reference[1]).abs().max())
        checks.insert(0, _bound("logits equal the Hugging Face model's", worst, tolerance))
    checks.append(_decoder(decoder, tokens, logits, tolerance))
    return SelfTest(checks=checks)


def _decoder(decoder: Decoder | None, tokens: Tensor, logits: Tensor, tolerance: float) -> Check:
    """The engine's own forward pass gives the model's logits; without one, runs go through hooks, which is slower."""
    name = "the engine's forward pass gives the model's logits"
    if decoder is None:
        return Check(
            name=name, passed=True, observed="family unknown: runs go through hooks", expected="equal, or none"
        )
    layers = range(len(decoder.blocks))
    x = run_layers(decoder, decoder.embed(tokens), torch.arange(tokens.shape[1], device=tokens.device), layers=layers)
    return _bound(name, float((decoder.logits(x) - logits).abs().max()), 10 * tolerance)


def _bound(name: str, worst: float, tolerance: float) -> Check:
    return Check(
        name=name, passed=worst <= tolerance, observed=f"largest difference {worst:.2g}", expected=f"<= {tolerance:.2g}"
    )


def _finite(logits: Tensor) -> Check:
    good = bool(torch.isfinite(logits).all())
    return Check(
        name="logits are finite", passed=good, observed="finite" if good else "NaN or infinite", expected="finite"
    )


def _deterministic(first: Tensor, second: Tensor) -> Check:
    return _bound("two runs agree", float((first - second).abs().max()), 1e-6 * max(1.0, float(first.abs().max())))


def _residual_adds_up(model: Any, tokens: Tensor, exact: bool) -> Check:
    """resid_pre of layer 0 plus everything each layer writes equals the stream after the last layer."""
    layers = int(model.cfg.n_layers)
    writers = ["hook_attn_out"] + ([] if getattr(model.cfg, "attn_only", False) else ["hook_mlp_out"])
    names = [f"blocks.{layer}.{writer}" for layer in range(layers) for writer in writers]
    ends = ["blocks.0.hook_resid_pre", f"blocks.{layers - 1}.hook_resid_post"]
    seen = record(model, tokens, names + ends)
    total = seen[ends[0]] + sum(seen[name] for name in names)
    scale = max(1.0, float(seen[ends[1]].abs().max()))
    worst = float((total - seen[ends[1]]).abs().max())
    return _bound("the residual stream adds up", worst, (1e-6 if exact else 2e-2) * scale * layers)


def _hooks_bite(model: Any, tokens: Tensor) -> Check:
    """Scrambling the middle layer's z changes the stream after that layer, and the hook fires exactly once.

    The stream and not the logits, because a layer of a hand-built model may write where nothing is read.
    """
    fired = 0
    layer = int(model.cfg.n_layers) // 2
    after = f"blocks.{layer}.hook_resid_post"
    seen: list[Tensor] = []

    def scramble(value: Tensor, hook: Any) -> Tensor:
        nonlocal fired
        fired += 1
        return value + 1.0 + value.abs().max()

    def keep(value: Tensor, hook: Any) -> None:
        seen.append(value.detach().clone())

    run_hooked(model, tokens, [(f"blocks.{layer}.attn.hook_z", scramble), (after, keep)])
    moved = float((seen[0] - record(model, tokens, [after])[after]).abs().max())
    passed = fired == 1 and (moved > 1e-6 or not _some_head_writes(model))
    observed = f"fired {fired} time(s), stream moved {moved:.2g}"
    return Check(name="hooks fire and bite", passed=passed, observed=observed, expected="once, moved")


def _some_head_writes(model: Any) -> bool:
    """False when the middle layer's heads all have zero output weights (empty layers of compiled models)."""
    layer = model.blocks[int(model.cfg.n_layers) // 2]
    return bool((layer.attn.W_O.abs() > 0).any())


def _hooks_removed(model: Any, tokens: Tensor, logits: Tensor) -> Check:
    """A hook that raises leaves nothing behind."""

    def fail(value: Tensor, hook: Any) -> Tensor:
        raise _StopHereError

    with contextlib.suppress(_StopHereError):
        run_hooked(model, tokens, [("blocks.0.hook_resid_pre", fail)])
    left = float((model(tokens) - logits).abs().max())
    return _bound("no hook is left after an error", left, 1e-6 * max(1.0, float(logits.abs().max())))


class _StopHereError(Exception):
    """Raised inside a hook by the self-test."""


def _padding(model: Any, tokens: Tensor, logits: Tensor, tolerance: float) -> Check:
    """Tokens to the right do not change a causal model; elsewhere rows of one length are the rule."""
    name = "padding on the right changes nothing to its left"
    if getattr(model.cfg, "attention_dir", "causal") != "causal":
        observed, expected = "attention is bidirectional", "batches of one length only"
        return Check(name=name, passed=True, observed=observed, expected=expected)
    length = tokens.shape[1] - 2
    worst = float((model(tokens[:, :length]) - logits[:, :length]).abs().max())
    return _bound(name, worst, tolerance)


def _bos(tokenizer: Any | None, tokens: Tensor, logits: Tensor) -> Check:
    """Token ids go in as they are: nothing is prepended. Says what the tokenizer would do with text."""
    if tokenizer is None:
        habit = "no tokenizer"
    else:
        ids = tokenizer("a").input_ids
        habit = "tokenizer prepends BOS" if ids and ids[0] == tokenizer.bos_token_id else "tokenizer prepends no BOS"
    same = logits.shape[1] == tokens.shape[1]
    return Check(name="token ids are not altered", passed=same, observed=habit, expected="one logit row per token")


def check_hook(model: Any, name: str) -> None:
    """Raise ValueError unless the model has a hook of that name: TransformerLens ignores unknown ones silently."""
    if name not in model.hook_dict and name not in getattr(model, "_hook_alias_registry", {}):
        raise ValueError(f"no hook is called {name!r} on this model")


def run_hooked(model: Any, tokens: Tensor, hooks: list[tuple[str, Callable[..., Any]]]) -> Tensor:
    """Logits with the hooks applied; each must exist and fire exactly once. Removed again whatever happens."""
    counts = [0] * len(hooks)

    def counted(index: int, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(value: Tensor, hook: Any) -> Any:
            counts[index] += 1
            return function(value, hook)

        return call

    for name, _ in hooks:
        check_hook(model, name)
    try:
        logits = model.run_with_hooks(tokens, fwd_hooks=[(n, counted(i, f)) for i, (n, f) in enumerate(hooks)])
    finally:
        model.reset_hooks()
    silent = [hooks[index][0] for index, count in enumerate(counts) if count != 1]
    if silent:
        raise ValueError(f"these hooks did not fire exactly once: {silent[:5]}")
    return logits


def record(model: Any, tokens: Tensor, names: list[str]) -> dict[str, Tensor]:
    """The activations at the named hooks, by the names they were asked under."""
    kept: dict[str, Tensor] = {}

    def keep(name: str) -> tuple[str, Callable[..., None]]:
        def store(value: Tensor, hook: Any) -> None:
            kept[name] = value.detach().clone()

        return name, store

    run_hooked(model, tokens, [keep(name) for name in names])
    return kept
