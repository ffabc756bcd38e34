"""What a rule makes of a sample of numbers: pass, fail or open, with its bounds and p-values.

METHOD 1.3 (the three-way rule) and its mirror image, equivalence by two one-sided tests. Pure functions of samples;
`agent/rules.py` says which sample a registered prediction means.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent import inference as inf
from agent.cards import Outcome
from tools.errors import ExperimentError
from tools.result import Result

Sub = Literal["", "negligible", "opposite", "smaller", "invalid", "gate", "disagree", "larger"]


Others = Mapping[str, Sequence[Result]]
"""Results of the claim's other predictions by key, for rules that compare two of them."""


MOST_PROMPTS = 4096
"""The most that an experiment takes; larger numbers are no advice."""


class RuleModel(BaseModel):
    """Strict and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Range = tuple[float | None, float | None]


def beyond(delta1: float, sign: int) -> list[Range]:
    """From delta1 on, in the direction claimed."""
    return [(delta1, None)] if sign == 1 else [(None, -delta1)]


class DecidingRule(RuleModel):
    """What every rule can say of itself."""

    def passes_in(self) -> list[Range]:
        """Where the shown estimate lies when the rule passes (None: without end); empty when no range of it decides."""
        return []


class SampleRule(DecidingRule):
    """A rule about one per-prompt sample of a result."""

    array: str = Field(description="per-prompt array, e.g. harm_per_prompt")
    quantity: str
    row: str | None = Field(default=None, description="which row of an array with several")


class Finding(RuleModel):
    """What one rule made of the numbers. `p_plus` tests against delta0, `p_minus` against delta1."""

    outcome: Outcome
    reason: str
    sub: Sub = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    sd: float | None = None
    n: int | None = None
    p_plus: float | None = None
    p_minus: float | None = None
    p_rank: float | None = None
    control_values: list[float] = Field(default_factory=list)
    control_labels: list[str] = Field(default_factory=list)


def sample_of(result: Result, array: str, row: str | None = None) -> inf.Values:
    """The per-prompt sample in `array` ([n], or row `row` of [components, n]; any label list of that length names rows).

    Raises ExperimentError when the result does not hold it.
    """
    if array not in result.arrays:
        raise ExperimentError(f"{result.experiment} holds no array {array!r}; it holds {sorted(result.arrays)}.")
    values = result.arrays[array]
    if values.ndim == 2:
        axes = [names for names in result.labels.values() if len(names) == len(values)]
        names = next((names for names in axes if row in names), None)
        if names is None or row is None:
            known = axes[0][:5] if axes else []
            raise ExperimentError(f"{result.experiment} holds no row {row!r} in {array!r}; it has {known}.")
        values = values[names.index(row)]
    return inf.as_values(values)


def failures(findings: Mapping[str, Finding]) -> str:
    """What failed, key by key; descriptions beside the claim (K1, ...) are left out."""
    failed = [f"{key}: {one.reason}" for key, one in findings.items() if one.outcome == "fail" and key[0] != "K"]
    return "; ".join(failed)


def three_way(
    sample: inf.Values,
    delta0: float,
    delta1: float,
    alpha: float,
    *,
    sign: Literal[1, -1] = 1,
    quantity: str = "effect",
    fail_below: float | None = None,
) -> Finding:
    """METHOD 1.3 on a sample already oriented so that the claim predicts a large positive mean.

    `fail_below` (delta1 unless given) is what the upper bound must stay below for a failure.
    """
    bounds = inf.t_bounds(sample, alpha)
    ceiling = delta1 if fail_below is None else fail_below
    p_plus, p_minus = inf.p_above(sample, delta0), inf.p_below(sample, ceiling)
    outcome: Outcome = "open"
    sub: Sub = ""
    if bounds.mean >= delta1 and bounds.low > delta0:
        words = ("at least", "above") if sign == 1 else ("at most", "below")
        reason = f"{quantity} {sign * bounds.mean:.3f} is {words[0]} {sign * delta1:g} and clearly {words[1]} {sign * delta0:g}"
        outcome = "pass"
    elif bounds.high < ceiling:
        outcome, sub = "fail", smaller_because(bounds, delta0)
        reason = fail_reason(sub, quantity, sign * bounds.mean, delta1)
    else:
        more = prompts_needed(bounds.mean, bounds.sd, bounds.n, (delta0, delta1), alpha)
        reason = f"{quantity} {sign * bounds.mean:.3f}: the interval leaves both answers open" + (
            f"; {more}" if more else ""
        )
    return finding_of(outcome, reason, bounds, sign=sign, sub=sub, p_plus=p_plus, p_minus=p_minus)


def prompts_needed(mean: float, sd: float, n: int, floors: tuple[float, float], alpha: float) -> str:
    """How many prompts would settle an open effect, and which way; empty when it has as many already.

    An effect at least delta1 needs its lower bound above delta0. A smaller one is not expected to pass with any number
    of prompts, only to fail.
    """
    delta0, delta1 = floors
    if mean >= delta1:
        need = inf.required_n(sd, mean, delta0, alpha=alpha)
        return f"about {need} prompts would settle it" if need and need > n else ""
    need = inf.required_n(sd, delta1, mean, alpha=alpha)
    refuting = f"; about {need} would refute it" if need and n < need <= MOST_PROMPTS else ""
    return f"no number of prompts is expected to support it, {mean:.3f} being below {delta1:g}{refuting}"


def within(sample: inf.Values, delta1: float, alpha: float) -> Finding:
    """Equivalence on a sample: pass inside (-delta1, delta1), fail when the interval lies outside on one side."""
    bounds = inf.t_bounds(sample, alpha)
    p_inside = max(inf.p_below(sample, delta1), inf.p_above(sample, -delta1))
    p_outside = min(1.0, 2 * min(inf.p_above(sample, delta1), inf.p_below(sample, -delta1)))
    if p_inside <= alpha:
        return finding_of("pass", "negligible, interval included", bounds, sign=1, sub="", p_plus=p_inside, p_minus=1.0)
    if p_outside <= alpha and abs(bounds.mean) > delta1:
        reason = f"there is an effect of {bounds.mean:.3f}, beyond ±{delta1:g}"
        return finding_of("fail", reason, bounds, sign=1, sub="larger", p_plus=p_inside, p_minus=p_outside)
    reason = f"the interval reaches beyond ±{delta1:g}"
    return finding_of("open", reason, bounds, sign=1, sub="", p_plus=p_inside, p_minus=p_outside)


def smaller_because(bounds: inf.Bounds, delta0: float) -> Sub:
    """Why an effect below delta1 fails: opposite sign, negligible, or real but smaller than claimed."""
    if bounds.high < -delta0:
        return "opposite"
    return "negligible" if bounds.high < delta0 else "smaller"


def fail_reason(sub: Sub, quantity: str, value: float, delta1: float) -> str:
    """The failure in words."""
    if sub == "opposite":
        return f"{quantity} {value:.3f} goes in the opposite direction"
    if sub == "negligible":
        return f"{quantity} {value:.3f} is negligible"
    return f"{quantity} {value:.3f} is smaller than the claimed {delta1:g}"


def finding_of(
    outcome: Outcome, reason: str, bounds: inf.Bounds, *, sign: int, sub: str, p_plus: float, p_minus: float
) -> Finding:
    low, high = (bounds.low, bounds.high) if sign == 1 else (-bounds.high, -bounds.low)
    return Finding(
        outcome=outcome,
        reason=reason,
        sub=sub,  # pyright: ignore[reportArgumentType]  # callers pass members of Sub
        estimate=sign * bounds.mean,
        low=low,
        high=high,
        level=1 - 2 * bounds.alpha,
        sd=bounds.sd,
        n=bounds.n,
        p_plus=p_plus,
        p_minus=p_minus,
    )
