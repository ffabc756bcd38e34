"""Decision rules: from the numbers of a prediction's results to pass, fail or open. Pure functions of numbers.

METHOD 1.2 and 1.3. A rule is part of the registered prediction, so it is data: which array holds the sample, the
floors, whether a failure refutes. `rule.decide` is all that the judge calls. This module knows no ledger.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from agent import inference as inf
from agent.cards import Outcome
from agent.findings import (
    DecidingRule,
    Finding,
    Others,
    Range,
    SampleRule,
    beyond,
    finding_of,
    sample_of,
    three_way,
    within,
)
from agent.rules_paired import DifferenceRule, EitherRule, EverRule, NoGainRule, RangeRule, ShareRule
from tools.result import Result


class EffectRule(SampleRule):
    """The three-way rule on a per-prompt effect: at least delta1, with its lower bound above delta0."""

    kind: Literal["effect"] = "effect"
    sign: Literal[1, -1] = 1
    delta0: float
    delta1: float
    fail_below: float | None = Field(default=None, description="fails only below this; below delta1 when absent")
    minus: str | None = Field(
        default=None, description="an estimate of the same result that is subtracted, e.g. chance"
    )
    refutes: bool = True

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return beyond(self.delta1, self.sign)

    def says(self) -> str:
        """The rule in words."""
        side = "" if self.sign == 1 else "minus "
        return f"{side}{self.quantity} at least {self.delta1:g}, its lower bound above {self.delta0:g}"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Judge the newest result at one-sided alpha."""
        del others
        sample = self.sign * sample_of(results[-1], self.array, self.row)
        if self.minus is not None:
            sample = sample - results[-1].estimate(self.minus).value
        return three_way(
            sample,
            self.delta0,
            self.delta1,
            alpha,
            sign=self.sign,
            quantity=self.quantity,
            fail_below=self.fail_below,
        )


class ChangeRule(SampleRule):
    """An effect in either direction: at least delta1 in size, its bound on that side beyond delta0, at half of alpha each.

    For "takes part", which a component that works against the answer does too. Fails when the whole interval lies
    inside (-delta1, delta1).
    """

    kind: Literal["change"] = "change"
    delta0: float
    delta1: float
    refutes: bool = True

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return [*beyond(self.delta1, -1), *beyond(self.delta1, 1)]

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} at least {self.delta1:g} in either direction, its bound beyond {self.delta0:g}"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """The side that the mean lies on decides a pass; equivalence decides a failure."""
        del others
        sample = sample_of(results[-1], self.array, self.row)
        sign: Literal[1, -1] = 1 if sample.mean() >= 0 else -1
        found = three_way(sign * sample, self.delta0, self.delta1, alpha / 2, sign=sign, quantity=self.quantity)
        if found.outcome == "pass":
            return found.model_copy(update={"p_plus": min(1.0, 2 * (found.p_plus or 0.0))})
        inside = max(inf.p_below(sample, self.delta1), inf.p_above(sample, -self.delta1))
        outcome: Outcome = "fail" if inside <= alpha else "open"
        reason = (
            f"{self.quantity} {sample.mean():.3f} lies inside ±{self.delta1:g}" if outcome == "fail" else found.reason
        )
        return found.model_copy(update={"outcome": outcome, "reason": reason, "p_minus": inside})


class ReportRule(SampleRule):
    """A number that is described beside a claim and decides nothing: it passes when it is clearly there, never fails."""

    kind: Literal["report"] = "report"
    sign: Literal[1, -1] = 1
    delta0: float
    delta1: float
    refutes: Literal[False] = False

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity}, described only (noted from {self.delta1:g} on)"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """The three-way rule's numbers; its failure is only a small number here."""
        del others
        sample = self.sign * sample_of(results[-1], self.array, self.row)
        found = three_way(sample, self.delta0, self.delta1, alpha, sign=self.sign, quantity=self.quantity)
        if found.outcome == "pass":
            return found
        reason = f"{self.quantity} {self.sign * sample.mean():.3f}: described only, the verdict does not rest on it"
        return found.model_copy(update={"outcome": "open", "sub": "", "reason": reason})


class AgreementRule(SampleRule):
    """A second method must agree: same sign with its 95 % lower bound above zero, and at least `least`.

    It never refutes: two ablations that disagree leave the claim open (METHOD T1-C2).
    """

    kind: Literal["agreement"] = "agreement"
    sign: Literal[1, -1] = 1
    least: float
    alpha: float = 0.05
    refutes: bool = False

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return beyond(self.least, self.sign)

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} of the same sign: at least {self.least:g}, its 95 % lower bound above 0"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Judge the newest result; the rule's own alpha (0.05) is METHOD's for this check."""
        del alpha, others
        sample = self.sign * sample_of(results[-1], self.array, self.row)
        bounds = inf.t_bounds(sample, self.alpha)
        passed = bounds.mean >= self.least and bounds.low > 0
        reason = "agrees" if passed else "the second ablation does not show the effect"
        if bounds.high < 0:
            reason = "the second ablation has the opposite sign"
        return finding_of(
            "pass" if passed else "open",
            reason,
            bounds,
            sign=self.sign,
            sub="" if passed else "disagree",
            p_plus=inf.p_above(sample, 0.0),
            p_minus=inf.p_below(sample, self.least),
        )


class RankRule(SampleRule):
    """The component's effect against matched controls (METHOD N2): a gate, which opens or passes, never refutes.

    With fewer than 19 controls no rank can reach 0.05; then every control there is must stay below the component.
    """

    kind: Literal["rank"] = "rank"
    controls: str = Field(description="array with the controls' effects")
    sign: Literal[1, -1] = 1
    p_max: float = 0.05
    refutes: bool = False

    def says(self) -> str:
        """The rule in words."""
        enough = round(1 / self.p_max) - 1
        few = f"or above all of them where the model has fewer than {enough}"
        return f"{self.quantity} ranks above its matched controls (p at most {self.p_max:g}, {few})"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Rank the first look's effect among the controls measured on the same prompts."""
        del alpha, others
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


class ControlsRule(DecidingRule):
    """Every assay control inside the result passed; a failed one makes the whole experiment invalid."""

    kind: Literal["controls"] = "controls"
    quantity: str = "assay controls"
    refutes: bool = False

    def says(self) -> str:
        """The rule in words."""
        return "every assay control passes"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Look at the newest result's controls."""
        del alpha, others
        checks = [control for control in results[-1].controls if control.passed is not None]
        failed = [control for control in checks if not control.passed]
        if failed:
            shown = "; ".join(f"{c.name}: {c.observed}, expected {c.expected}" for c in failed)
            return Finding(outcome="open", sub="invalid", reason=f"invalid experiment ({shown})")
        return Finding(outcome="pass", reason=f"{len(checks)} controls passed")


class WithinRule(SampleRule):
    """Equivalence: the whole interval lies inside (-delta1, delta1) (METHOD T11, TOST)."""

    kind: Literal["within"] = "within"
    delta1: float
    refutes: bool = True

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return [(-self.delta1, self.delta1)]

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} inside ±{self.delta1:g}, interval included"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Two one-sided tests; fails when the interval lies outside on one side."""
        del others
        return within(sample_of(results[-1], self.array, self.row), self.delta1, alpha)


class EachWithinRule(DecidingRule):
    """Every row's effect lies inside (-delta1, delta1), its interval included; one row clearly outside refutes it.

    A conjunction over rows, so no correction for a pass; Holm's first step over the rows for a failure.
    """

    kind: Literal["each-within"] = "each-within"
    array: str
    quantity: str
    delta1: float
    refutes: bool = True

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return [(-self.delta1, self.delta1)]

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} inside ±{self.delta1:g}, each interval included"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Equivalence of each row; the worst one is shown."""
        del others
        rows = results[-1].labels.get("components", [])
        values = np.atleast_2d(results[-1].arrays[self.array])
        found = [within(inf.as_values(row), self.delta1, alpha / len(values)) for row in values]
        inside = [within(inf.as_values(row), self.delta1, alpha) for row in values]
        worst = max(range(len(values)), key=lambda i: abs(float(values[i].mean())))
        out = [i for i, one in enumerate(found) if one.outcome == "fail"]
        p_plus = max(one.p_plus or 0.0 for one in inside)
        p_minus = min(1.0, len(values) * min(one.p_minus or 0.0 for one in found))
        shown = inside[out[0] if out else worst]
        outcome: Outcome = "fail" if out else "pass" if all(one.outcome == "pass" for one in inside) else "open"
        reason = f"{rows[out[0] if out else worst]}: {shown.reason} ({len(values)} heads)"
        return shown.model_copy(update={"outcome": outcome, "reason": reason, "p_plus": p_plus, "p_minus": p_minus})


class BelowRule(SampleRule):
    """The mean stays below a bound, upper confidence bound included; fails when its lower bound lies above."""

    kind: Literal["below"] = "below"
    most: float
    refutes: bool = True

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return [(None, self.most)]

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} below {self.most:g}, interval included"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """One-sided t bounds against the bound."""
        del others
        sample = sample_of(results[-1], self.array, self.row)
        bounds = inf.t_bounds(sample, alpha)
        outcome: Outcome = "pass" if bounds.high < self.most else "fail" if bounds.low > self.most else "open"
        words = {"pass": "stays below", "fail": "is above", "open": "is not clearly below"}[outcome]
        p_plus, p_minus = inf.p_below(sample, self.most), inf.p_above(sample, self.most)
        reason = f"{self.quantity} {bounds.mean:.3f} {words} {self.most:g}"
        sub = "larger" if outcome == "fail" else ""
        return finding_of(outcome, reason, bounds, sign=1, sub=sub, p_plus=p_plus, p_minus=p_minus)


class EverywhereRule(SampleRule):
    """No prompt at all is affected beyond `bound`: for "leaves every answer unchanged". One prompt refutes it."""

    kind: Literal["everywhere"] = "everywhere"
    bound: float
    delta1: float
    refutes: bool = True

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return beyond(self.delta1, 1)

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} within ±{self.bound:g} on every single prompt"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Pass when no prompt exceeds the bound; fail when one exceeds delta1."""
        del others
        sample = sample_of(results[-1], self.array, self.row)
        worst = float(np.abs(sample).max())
        bounds = inf.t_bounds(sample, alpha)
        exceeding = int((np.abs(sample) > self.bound).sum())
        if exceeding == 0:
            reason = f"no prompt of {sample.size} changes by more than {self.bound:g}"
            return finding_of("pass", reason, bounds, sign=1, sub="", p_plus=0.0, p_minus=1.0)
        reason = f"{exceeding} of {sample.size} prompts change, by up to {worst:.2f}"
        failed = worst > self.delta1
        return finding_of(
            "fail" if failed else "open",
            reason,
            bounds,
            sign=1,
            sub="larger",
            p_plus=1.0,
            p_minus=0.0 if failed else 1.0,
        )


Rule = Annotated[
    EffectRule
    | ChangeRule
    | ReportRule
    | AgreementRule
    | RankRule
    | ControlsRule
    | WithinRule
    | BelowRule
    | EachWithinRule
    | EverywhereRule
    | DifferenceRule
    | NoGainRule
    | ShareRule
    | EitherRule
    | EverRule
    | RangeRule,
    Field(discriminator="kind"),
]
