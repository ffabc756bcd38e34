"""Decision rules: from the numbers of a prediction's results to pass, fail or open. Pure functions of numbers.

METHOD 1.2 and 1.3. A rule is part of the registered prediction, so it is data: which array holds the sample, the
floors, whether a failure refutes. `Reading.decide` is all that the judge calls. This module knows no ledger.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from agent import inference as inf
from agent.cards import Outcome
from tools.errors import ExperimentError
from tools.result import Result

Sub = Literal["", "negligible", "opposite", "smaller", "invalid", "gate", "disagree", "larger"]


class RuleModel(BaseModel):
    """Strict and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    """The per-prompt sample in `array` ([n], or row `row` of [components, n]).

    Raises ExperimentError when the result does not hold it.
    """
    if array not in result.arrays:
        raise ExperimentError(f"{result.experiment} holds no array {array!r}; it holds {sorted(result.arrays)}.")
    values = result.arrays[array]
    if values.ndim == 2:
        names = result.labels.get("components", [])
        if row not in names:
            raise ExperimentError(f"{result.experiment} holds no row {row!r} in {array!r}; it has {names[:5]}.")
        values = values[names.index(row)]
    return inf.as_values(values)


class EffectRule(RuleModel):
    """The three-way rule on a per-prompt effect: at least delta1, with its lower bound above delta0."""

    kind: Literal["effect"] = "effect"
    array: str = Field(description="per-prompt array, e.g. harm_per_prompt")
    quantity: str
    row: str | None = None
    sign: Literal[1, -1] = 1
    delta0: float
    delta1: float
    refutes: bool = True

    def says(self) -> str:
        """The rule in words."""
        side = "" if self.sign == 1 else "minus "
        return f"{side}{self.quantity} at least {self.delta1:g}, its lower bound above {self.delta0:g}"

    def decide(self, results: Sequence[Result], alpha: float) -> Finding:
        """Judge the newest result at one-sided alpha."""
        sample = self.sign * sample_of(results[-1], self.array, self.row)
        return three_way(sample, self.delta0, self.delta1, alpha, sign=self.sign, quantity=self.quantity)


class AgreementRule(RuleModel):
    """A second method must agree: same sign with its 95 % lower bound above zero, and at least `least`.

    It never refutes: two ablations that disagree leave the claim open (METHOD T1-C2).
    """

    kind: Literal["agreement"] = "agreement"
    array: str
    quantity: str
    row: str | None = None
    sign: Literal[1, -1] = 1
    least: float
    alpha: float = 0.05
    refutes: bool = False

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} of the same sign: at least {self.least:g}, its 95 % lower bound above 0"

    def decide(self, results: Sequence[Result], alpha: float) -> Finding:
        """Judge the newest result; the rule's own alpha (0.05) is METHOD's for this check."""
        del alpha
        sample = self.sign * sample_of(results[-1], self.array, self.row)
        bounds = inf.t_bounds(sample, self.alpha)
        passed = bounds.mean >= self.least and bounds.low > 0
        reason = "agrees" if passed else "the second ablation does not show the effect"
        if bounds.high < 0:
            reason = "the second ablation has the opposite sign"
        return _finding(
            "pass" if passed else "open",
            reason,
            bounds,
            sign=self.sign,
            sub="" if passed else "disagree",
            p_plus=inf.p_above(sample, 0.0),
            p_minus=inf.p_below(sample, self.least),
        )


class RankRule(RuleModel):
    """The component's effect against matched controls (METHOD N2): a gate, which opens or passes, never refutes.

    With fewer than 19 controls no rank can reach 0.05; then every control there is must stay below the component.
    """

    kind: Literal["rank"] = "rank"
    array: str
    controls: str = Field(description="array with the controls' effects")
    quantity: str
    row: str | None = None
    sign: Literal[1, -1] = 1
    p_max: float = 0.05
    refutes: bool = False

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} ranks above its matched controls (p at most {self.p_max:g})"

    def decide(self, results: Sequence[Result], alpha: float) -> Finding:
        """Rank the first look's effect among the controls measured on the same prompts."""
        del alpha
        result = results[-1]
        sample = self.sign * sample_of(result, self.array, self.row)
        controls = self.sign * np.asarray(result.arrays[self.controls], dtype=np.float64)
        value, p = float(sample.mean()), inf.rank_p(float(sample.mean()), controls)
        beaten_by = int((controls >= value).sum())
        passed = p <= self.p_max if controls.size >= round(1 / self.p_max) - 1 else beaten_by == 0
        reason = f"{beaten_by} of {controls.size} matched controls reach it (p = {p:.3f})"
        if controls.size < round(1 / self.p_max) - 1:
            reason += f"; this model has only {controls.size}, so all must stay below it"
        return Finding(
            outcome="pass" if passed else "open",
            reason=reason,
            sub="" if passed else "gate",
            estimate=self.sign * value,
            n=sample.size,
            p_rank=p,
            control_values=[float(self.sign * c) for c in controls],
            control_labels=list(result.labels.get("controls", [])),
        )


class ControlsRule(RuleModel):
    """Every assay control inside the result passed; a failed one makes the whole experiment invalid."""

    kind: Literal["controls"] = "controls"
    quantity: str = "assay controls"
    refutes: bool = False

    def says(self) -> str:
        """The rule in words."""
        return "every assay control passes"

    def decide(self, results: Sequence[Result], alpha: float) -> Finding:
        """Look at the newest result's controls."""
        del alpha
        checks = [control for control in results[-1].controls if control.passed is not None]
        failed = [control for control in checks if not control.passed]
        if failed:
            shown = "; ".join(f"{c.name}: {c.observed}, expected {c.expected}" for c in failed)
            return Finding(outcome="open", sub="invalid", reason=f"invalid experiment ({shown})")
        return Finding(outcome="pass", reason=f"{len(checks)} controls passed")


class WithinRule(RuleModel):
    """Equivalence: the whole interval lies inside (-delta1, delta1) (METHOD T11, TOST)."""

    kind: Literal["within"] = "within"
    array: str
    quantity: str
    row: str | None = None
    delta1: float
    refutes: bool = True

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} inside ±{self.delta1:g}, interval included"

    def decide(self, results: Sequence[Result], alpha: float) -> Finding:
        """Two one-sided tests; fails when the interval lies outside on one side."""
        sample = sample_of(results[-1], self.array, self.row)
        bounds = inf.t_bounds(sample, alpha)
        p_inside = max(inf.p_below(sample, self.delta1), inf.p_above(sample, -self.delta1))
        p_outside = min(1.0, 2 * min(inf.p_above(sample, self.delta1), inf.p_below(sample, -self.delta1)))
        outcome: Outcome = "open"
        reason, sub = f"the interval reaches beyond ±{self.delta1:g}", ""
        if p_inside <= alpha:
            outcome, reason = "pass", "negligible, interval included"
        elif p_outside <= alpha and abs(bounds.mean) > self.delta1:
            outcome, reason, sub = "fail", f"there is an effect beyond ±{self.delta1:g}", "larger"
        return _finding(outcome, reason, bounds, sign=1, sub=sub, p_plus=p_inside, p_minus=p_outside)


Rule = Annotated[EffectRule | AgreementRule | RankRule | ControlsRule | WithinRule, Field(discriminator="kind")]


def three_way(
    sample: inf.Values,
    delta0: float,
    delta1: float,
    alpha: float,
    *,
    sign: Literal[1, -1] = 1,
    quantity: str = "effect",
) -> Finding:
    """METHOD 1.3 on a sample already oriented so that the claim predicts a large positive mean."""
    bounds = inf.t_bounds(sample, alpha)
    p_plus, p_minus = inf.p_above(sample, delta0), inf.p_below(sample, delta1)
    outcome: Outcome = "open"
    sub: Sub = ""
    if bounds.mean >= delta1 and bounds.low > delta0:
        outcome, reason = (
            "pass",
            f"{quantity} {sign * bounds.mean:.3f} is at least {delta1:g} and clearly above {delta0:g}",
        )
    elif bounds.high < delta1:
        outcome, sub = "fail", smaller_because(bounds, delta0)
        reason = fail_reason(sub, quantity, sign * bounds.mean, delta1)
    else:
        need = inf.required_n(bounds.sd, bounds.mean, delta0, alpha=alpha)
        more = f"; about {need} prompts would settle it" if need and need > bounds.n else ""
        reason = f"{quantity} {sign * bounds.mean:.3f}: the interval leaves both answers open{more}"
    return _finding(outcome, reason, bounds, sign=sign, sub=sub, p_plus=p_plus, p_minus=p_minus)


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


def _finding(
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
