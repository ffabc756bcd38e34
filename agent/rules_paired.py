"""Rules that look at more than one sample, or at an estimate that its experiment computed: differences, shares,
alternatives, ranges. Pure functions of numbers, like those of `agent/rules.py`, which joins them all.
"""

import math
from collections.abc import Sequence
from typing import Literal

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
from tools.result import Result


class PairedRule(SampleRule):
    """A rule about this sample minus another row, or another prediction's sample, paired by prompt."""

    minus_row: str | None = None
    minus_key: str | None = None
    minus_array: str | None = None
    refutes: bool = True


class DifferenceRule(PairedRule):
    """The three-way rule on a per-prompt difference: this sample minus another row, or another prediction's sample."""

    kind: Literal["difference"] = "difference"
    sign: Literal[1, -1] = 1
    delta0: float
    delta1: float

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return beyond(self.delta1, self.sign)

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} at least {self.delta1:g}, its lower bound above {self.delta0:g} (paired by prompt)"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Judge the paired difference; open until the other sample has the same prompts."""
        sample, other = paired(self, results, others)
        if other is None:
            return Finding(outcome="open", reason=f"the sample of {self.minus_key} on the same prompts is missing")
        difference = self.sign * (sample - other)
        return three_way(difference, self.delta0, self.delta1, alpha, sign=self.sign, quantity=self.quantity)


class NoGainRule(PairedRule):
    """Equivalence of two samples, paired by prompt: removing this one on top of another changes nothing more.

    Catches backups, which are silent until what they back up is gone (METHOD T11).
    """

    kind: Literal["no-gain"] = "no-gain"
    delta1: float

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return [(-self.delta1, self.delta1)]

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} inside ±{self.delta1:g}, interval included (paired by prompt)"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Two one-sided tests on the paired difference."""
        sample, other = paired(self, results, others)
        if other is None:
            return Finding(outcome="open", reason=f"the sample of {self.minus_key} on the same prompts is missing")
        return within(sample - other, self.delta1, alpha)


def paired(rule: PairedRule, results: Sequence[Result], others: Others) -> tuple[inf.Values, inf.Values | None]:
    """The rule's sample and the one to subtract, from the newest result of the other with as many prompts."""
    sample = sample_of(results[-1], rule.array, rule.row)
    array = rule.minus_array or rule.array
    if rule.minus_key is None:
        return sample, sample_of(results[-1], array, rule.minus_row)
    return sample, _same_size(others.get(rule.minus_key, []), array, sample.size, rule.minus_row)


class ShareRule(SampleRule):
    """This effect is at most `share` of another prediction's (METHOD N3 and T3, copy suppression): a ratio test.

    The sample is share times the other effect minus this one, prompt by prompt in order; when `minus_key` is given, this
    effect is what it adds to that prediction's. Passes with its lower bound above 0, fails with its upper bound below.
    """

    kind: Literal["share"] = "share"
    of_key: str
    of_array: str | None = None
    minus_key: str | None = None
    share: float = 0.5
    sign: Literal[1, -1] = 1
    refutes: bool = True

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} at most {self.share:g} of the effect in {self.of_key} (difference above 0, interval included)"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Student's t on share * other - own; the shorter sample's prompts, since a larger draw begins with a smaller."""
        small = sample_of(results[-1], self.array)
        if self.minus_key is not None:
            base = _same_size(others.get(self.minus_key, []), self.array, small.size)
            if base is None:
                return Finding(outcome="open", reason=f"the sample of {self.minus_key} on the same prompts is missing")
            small = small - base
        if not others.get(self.of_key):
            return Finding(outcome="open", reason=f"the effect in {self.of_key} is missing")
        large = sample_of(others[self.of_key][-1], self.of_array or self.array)
        n = min(small.size, large.size)
        small, large = self.sign * small[:n], self.sign * large[:n]
        sample = self.share * large - small
        bounds = inf.t_bounds(sample, alpha)
        p_plus, p_minus = inf.p_above(sample, 0.0), inf.p_below(sample, 0.0)
        outcome: Outcome = "pass" if bounds.low > 0 else "fail" if bounds.high < 0 else "open"
        words = {"pass": "at most", "fail": "more than", "open": "not clearly below"}[outcome]
        shown = (self.sign * small.mean(), self.sign * large.mean())
        reason = f"{self.quantity} {shown[0]:.3f}, {words} {self.share:g} of the {shown[1]:.3f} in {self.of_key}"
        sub = "larger" if outcome == "fail" else ""
        return finding_of(outcome, reason, bounds, sign=1, sub=sub, p_plus=p_plus, p_minus=p_minus)


def _same_size(results: Sequence[Result], array: str, size: int, row: str | None = None) -> inf.Values | None:
    """The newest sample with as many prompts."""
    samples = (sample_of(result, array, row) for result in reversed(results))
    return next((sample for sample in samples if sample.size == size), None)


class EitherRule(SampleRule):
    """One of two interventions shows the effect (this prediction's, or that of `or_key`), each at half of alpha.

    For claims of existence, where a component may be constant under one intervention; refuted only when both fail.
    """

    kind: Literal["either"] = "either"
    or_key: str
    sign: Literal[1, -1] = 1
    delta0: float
    delta1: float
    refutes: bool = True

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return beyond(self.delta1, self.sign)

    def says(self) -> str:
        """The rule in words."""
        return (
            f"{self.quantity} at least {self.delta1:g}, its lower bound above {self.delta0:g}, here or in {self.or_key}"
        )

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """The better of the two findings; open until the other one is there, unless this one passes."""
        own = self._finding(results, alpha)
        other = self._finding(others[self.or_key], alpha) if others.get(self.or_key) else None
        if own.outcome == "pass" or other is None:
            missing = other is None and own.outcome != "pass"
            return own.model_copy(update={"outcome": "open"}) if missing else own
        if other.outcome == "pass":
            return other.model_copy(update={"reason": f"{self.or_key}: {other.reason}"})
        both_fail = own.outcome == other.outcome == "fail"
        larger = max(own.p_minus or 0.0, other.p_minus or 0.0)
        said = own.reason if both_fail else f"{own.reason}; {self.or_key}: {other.reason}"
        return own.model_copy(update={"outcome": "fail" if both_fail else "open", "p_minus": larger, "reason": said})

    def _finding(self, results: Sequence[Result], alpha: float) -> Finding:
        sample = self.sign * sample_of(results[-1], self.array, self.row)
        return three_way(sample, self.delta0, self.delta1, alpha / 2, sign=self.sign, quantity=self.quantity)


class RangeRule(DecidingRule):
    """A reported estimate lies in a range, its interval in a range wider by `slack`; it fails when the interval is outside.

    For quantities whose interval only the experiment can compute (ratios of means, shares of random circuits). With a
    slack its p is that of the wider range, from the interval by the normal tail; without one it is a gate and has none.
    """

    kind: Literal["range"] = "range"
    quantity: str
    estimate: str
    least: float | None = None
    most: float | None = None
    slack: float = Field(default=0.0, ge=0)
    refutes: bool = True

    def passes_in(self) -> list[Range]:
        """See DecidingRule."""
        return [(self.least, self.most)]

    def says(self) -> str:
        """The rule in words."""
        bounds = [f"at least {self.least:g}"] if self.least is not None else []
        bounds += [f"at most {self.most:g}"] if self.most is not None else []
        return f"{self.quantity} {' and '.join(bounds)}" + (f", interval within {self.slack:g}" if self.slack else "")

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Judge the reported estimate and its own interval; what the experiment could not report stays open."""
        del alpha, others
        found = next((one for one in results[-1].estimates if one.name == self.estimate), None)
        if found is None:
            reason = f"{self.quantity} could not be measured here (no {self.estimate} in {results[-1].experiment})"
            return Finding(outcome="open", reason=reason)
        low = found.value if found.low is None else found.low
        high = found.value if found.high is None else found.high
        least = -math.inf if self.least is None else self.least
        most = math.inf if self.most is None else self.most
        inside = not self.slack or (low >= least - self.slack and high <= most + self.slack)
        failed = high < least - self.slack or low > most + self.slack
        outcome: Outcome = "pass" if least <= found.value <= most and inside else "fail" if failed else "open"
        edges = [edge for edge in (least - self.slack, most + self.slack) if math.isfinite(edge)]
        tail = max(inf.p_of_interval(found.value, low, high, found.level, edge) for edge in edges)
        return Finding(
            outcome=outcome,
            reason=f"{self.quantity} {found.value:.2f} [{low:.2f}, {high:.2f}]",
            estimate=found.value,
            low=low,
            high=high,
            level=found.level,
            n=found.n,
            p_plus=None if not self.slack else tail if outcome == "pass" else 1.0,
            p_minus=0.0 if outcome == "fail" else 1.0,
        )


class EverRule(SampleRule):
    """The mean absolute effect over prompts is at least `least`: something is read there, in whatever direction."""

    kind: Literal["ever"] = "ever"
    least: float
    refutes: bool = False

    def says(self) -> str:
        """The rule in words."""
        return f"{self.quantity} at least {self.least:g} on average, in either direction"

    def decide(self, results: Sequence[Result], alpha: float, others: Others) -> Finding:
        """Compare the mean absolute effect with the floor."""
        del others
        sample = sample_of(results[-1], self.array, self.row)
        bounds = inf.t_bounds(np.abs(sample), alpha)
        passed = bounds.mean >= self.least
        reason = f"{self.quantity} {bounds.mean:.3f} on average" + ("" if passed else ": nothing is read there")
        return finding_of(
            "pass" if passed else "open",
            reason,
            bounds,
            sign=1,
            sub="",
            p_plus=inf.p_above(np.abs(sample), self.least / 2),
            p_minus=1.0,
        )
