"""Is the instrument sound on this task (METHOD 1.5)? Run beside every verdict; one failure means no verdict.

Reports: controls `no-op patch`, `full residual patch`, `quiet heads`, `deterministic`, `tokenisation`, `hooks agree`,
each with `passed` and `observed`; estimates `gap`, `accuracy`; array `null_harm` [heads drawn].
"""

import numpy as np
from pydantic import Field

from tools.component import Component
from tools.costs import Cost, Sizes, whole
from tools.experiment import Lab, TaskParams, experiment
from tools.hook_engine import run_through_hooks
from tools.interventions import Intervention, intervene
from tools.measurement import Measurement, measure
from tools.prompts import ABSENT
from tools.result import Control, Result
from tools.selection import every_head, read_components

HOOK_ROWS = 4


class Assay(TaskParams):
    """The assay's sizes; the defaults are METHOD 1.5."""

    n_null: int = Field(default=20, ge=1, le=200, description="random heads that should be quiet")
    exclude: list[str] = Field(default_factory=list, description="heads nominated by the screen, never drawn as quiet")
    delta0: float = Field(default=0.02, gt=0, description="their median |harm| must stay below this")
    control_seed: int = Field(default=0, ge=0, description="seed the quiet heads are drawn with")


def _cost(params: Assay, model: Sizes) -> Cost:
    return whole(params.n * (4 + min(params.n_null, model.n_layers * model.n_heads)))


@experiment("assay", version=1, kind="assay", cost=_cost)
def assay(lab: Lab, params: Assay) -> Result:
    """Whether the instrument can be trusted on this task: five checks that must hold before any verdict.

    Patching the clean run with itself changes nothing; replacing the whole stream before the last layer by the corrupted
    one costs the whole gap; random heads that nobody nominated are quiet; a second run gives the same numbers; answer
    and foil are single different tokens and the pairs align; and the engine agrees with plain TransformerLens hooks.
    """
    m = measure(lab, params)
    last, layers = lab.model.n_layers - 1, lab.model.n_layers
    heads = _null_heads(m, params)
    middle = Intervention(layers // 2, "z", None, "clean")
    variants = [(middle,), (Intervention(last, "resid_pre", None, "corrupted"),)]
    noop, full = m.runner.run(variants, run_noops=True, text="no-op and full patch").metric
    null = m.runner.run([(intervene(h, "corrupted", n_layers=layers),) for h in heads], text="quiet heads").metric
    again = m.runner.run([variants[1]], text="second run").metric[0]
    noop_change = float(np.abs(noop - m.clean).max())
    lost = float(m.harm(full[None]).mean())
    null_harm = m.harm(null).mean(1)
    quiet = float(np.median(np.abs(null_harm))) if len(null_harm) else 0.0
    drift = float(np.abs(again - full).max())
    scale = max(1.0, float(np.abs(m.clean).max()))
    checks = [
        _check("no-op patch", noop_change, noop_change < 1e-3 * scale, "patching clean with clean changes < 1e-3"),
        _check("full residual patch", lost, abs(lost - 1) <= 0.02, "costs 1 of the gap, within 0.02"),
        _quiet(quiet, len(heads), params.delta0),
        _check("deterministic", drift, drift <= 1e-3 * scale, "a second run within 1e-3"),
        _tokenisation(m),
        _hooks_agree(m, heads[0] if heads else every_head(lab.model)[0], scale),
    ]
    good = all(check.passed for check in checks)
    return m.result(
        "assay",
        1,
        f"{sum(bool(c.passed) for c in checks)} of {len(checks)} assay controls pass on {params.task}"
        + ("." if good else ": no verdict can rest on this run."),
        m.behaviour_estimates(),
        controls=checks,
        labels={"null": [str(h) for h in heads]},
        arrays={"null_harm": null_harm},
    )


def _check(name: str, observed: float, passed: bool, expected: str) -> Control:
    return Control(name=name, passed=bool(passed), observed=observed, expected=expected)


def _null_heads(m: Measurement, params: Assay) -> list[Component]:
    excluded = set(read_components(params.exclude, m.lab.model)) if params.exclude else set()
    pool = [head for head in every_head(m.lab.model) if head not in excluded]
    order = np.random.default_rng(params.control_seed).permutation(len(pool))[: params.n_null]
    return [pool[int(i)] for i in order]


def _quiet(observed: float, drawn: int, delta0: float) -> Control:
    """With fewer than 8 heads left to draw, the median says nothing and the check is reported, not judged."""
    expected = f"median |harm| of {drawn} random heads < {delta0:g}"
    if drawn < 8:
        return Control(name="quiet heads", passed=None, observed=observed, expected=expected + " (too few to judge)")
    return _check("quiet heads", observed, observed < delta0, expected)


def _tokenisation(m: Measurement) -> Control:
    """Pairs align, differ somewhere, and every position label lies inside its row."""
    prompts = m.prompts
    pairs = zip(prompts.clean_tokens, prompts.corrupted_tokens, strict=True)
    same = sum(bool((clean == corrupted).all()) for clean, corrupted in pairs)
    distinct = bool((prompts.readouts.answer != prompts.readouts.foil).all())
    inside = all(((w == ABSENT) | (w < prompts.lengths)).all() for w in prompts.positions.values())
    passed = same == 0 and distinct and inside
    return _check("tokenisation", float(same), passed, "no identical pairs, answer and foil differ, labels inside")


def _hooks_agree(m: Measurement, head: Component, scale: float) -> Control:
    """The engine against plain TransformerLens hooks, one head on a few prompts."""
    few = m.prompts.subset(list(range(min(HOOK_ROWS, len(m.prompts)))))
    variant = (intervene(head, "corrupted", n_layers=m.lab.model.n_layers),)
    plain = run_through_hooks(m.lab.model.bridge, few, [variant]).metric[0]
    ours = m.runner.run([variant], text="hooks agree").metric[0][: len(few)]
    worst = float(np.abs(plain - ours).max())
    return _check("hooks agree", worst, worst <= 1e-3 * scale, "engine and TransformerLens hooks within 1e-3")
