"""Where every head looks and what it would write, on explore prompts: the readings from which roles are guessed.

Two sweeps (and a third where names are copied) read all heads at once. METHOD T3's patterns pick candidates for a role;
about seven in ten such picks have no effect (METHOD 5.3), so a reading is never more than a reason to test a claim.
An experiment that this model or task does not allow is left out, and the survey says so.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from agent.investigation_survey import Explorer, Observation, SurveyModel, ids_in_words
from tools.errors import ExperimentError
from tools.experiment import experiments
from tools.result import Result

SEQUENCES = 12
SCORES = ("previous", "duplicate", "induction", "duplicate_control", "induction_control")
TARGETS_EXPERIMENT = "attention-targets"
ASKED_TARGETS = ("previous", *(f"offset:-{back}" for back in range(4, 9)))
COPIES = ("copy_score", "negative_copy_score")


class Reading(SurveyModel):
    """One head: attention scores on repeated tokens, attention from END to labelled positions, copying of names."""

    component: str
    scores: dict[str, float] = Field(default_factory=dict)

    def get(self, name: str) -> float:
        """A score; 0 when it was not measured."""
        return self.scores.get(name, 0.0)


class Readings(SurveyModel):
    """All heads' readings, what was looked at, and what could not be."""

    heads: tuple[Reading, ...]
    seen: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def of(self, component: str) -> Reading:
        """A head's reading; empty for anything else."""
        return next((r for r in self.heads if r.component == component), Reading(component=component))


def role_spoken(role: str) -> str:
    """A role's name as it is said: name mover, S-inhibition."""
    return "S-inhibition" if role == "s-inhibition" else role.replace("-", " ")


class RolePattern(SurveyModel):
    """What METHOD T3 asks of a head before a role is worth claiming, and what the role would do to the answer."""

    role: str
    needs: dict[str, float]
    below: dict[str, float] = Field(default_factory=dict)
    margin: tuple[str, str, float] | None = None
    writes: str = ""


ROLES: tuple[RolePattern, ...] = (
    RolePattern(role="previous-token", needs={"previous": 0.4}),
    RolePattern(role="induction", needs={"induction": 0.4}, below={"induction_control": 0.05}),
    RolePattern(role="duplicate-token", needs={"duplicate": 0.3}, below={"duplicate_control": 0.05}),
    RolePattern(role="name-mover", needs={"END->IO": 0.3}, margin=("END->IO", "END->S1", 0.15), writes="for"),
    RolePattern(role="negative-name-mover", needs={"END->IO": 0.3}, writes="against"),
    RolePattern(role="s-inhibition", needs={"END->S2": 0.3}, writes="little"),
)


def read_patterns(explorer: Explorer) -> Readings:
    """Sweep all heads; what this model or task does not allow becomes a remark."""
    found: dict[str, dict[str, float]] = {name: {} for name in explorer.lab.model.heads()}
    seen: list[str] = []
    remarks: list[str] = []
    known = experiments()

    def sweep(name: str, params: dict[str, Any], take: Callable[[Result], dict[str, np.ndarray]], what: str) -> None:
        if name not in known:
            return
        try:
            result_id, result = explorer.lab.run(name, params)
        except ExperimentError as error:
            remarks.append(f"{what} could not be read here: {error}")
            return
        for score, values in take(result).items():
            for component, value in zip(found, values.ravel(), strict=True):
                found[component][score] = round(float(value), 4)
        seen.append(f"explore: {what} ({result_id})")

    sweep("head-scores", {"n": SEQUENCES}, _arrays(SCORES), "head scores on repeated random tokens")
    if "END" in explorer.situation.task.positions:
        sweep("attention-pattern", {**explorer.params(), "query": "END"}, _attention, "attention from END")
    if {"IO", "S2"} <= set(explorer.situation.task.positions):
        sweep("copy-score", explorer.params(), _arrays(COPIES), "what heads copy")
    heads = tuple(Reading(component=name, scores=scores) for name, scores in found.items())
    return Readings(heads=heads, seen=tuple(seen), remarks=tuple(remarks))


def read_targets(explorer: Explorer, readings: Readings, heads: Sequence[str]) -> Readings:
    """How well the attention of each of these heads matches each target that can be said in words, as `at <target>`."""
    if TARGETS_EXPERIMENT not in experiments():
        return readings
    found = {reading.component: dict(reading.scores) for reading in readings.heads}
    ids: list[str] = []
    for head in heads:
        for target in ASKED_TARGETS:
            result_id, result = explorer.run(TARGETS_EXPERIMENT, component=head, target=target)
            found[head][f"at {target}"] = round(result.estimate("match").value, 4)
            for row in result.tables["rivals"]:
                found[head][f"at {row['target']}"] = round(float(row["match"]), 4)
            ids.append(result_id)
    read = tuple(Reading(component=name, scores=scores) for name, scores in found.items())
    seen = f"explore: attention of {len(heads)} heads against targets ({ids_in_words(ids)})"
    return readings.model_copy(update={"heads": read, "seen": (*readings.seen, seen)}) if ids else readings


def _arrays(names: Sequence[str]) -> Callable[[Result], dict[str, np.ndarray]]:
    return lambda result: {name: result.arrays[name] for name in names if name in result.arrays}


def _attention(result: Result) -> dict[str, np.ndarray]:
    values = result.arrays["attention"]
    return {f"END->{key}": values[:, :, k] for k, key in enumerate(result.labels["keys"])}


def fits(pattern: RolePattern, reading: Reading, observed: Observation, floor: float) -> bool:
    """Whether a head looks and writes as METHOD T3 asks of the role; what its removal does is left to the test."""
    if any(reading.get(name) < least for name, least in pattern.needs.items()):
        return False
    if any(reading.get(name) > most for name, most in pattern.below.items()):
        return False
    if pattern.margin is not None:
        first, second, least = pattern.margin
        if reading.get(first) - reading.get(second) < least:
            return False
    direct = observed.direct or 0.0
    match pattern.writes:
        case "for":
            return direct >= -floor
        case "against":
            return direct <= -floor
        case "little":
            return abs(direct) < floor
        case _:
            return True


def candidates(
    pattern: RolePattern, readings: Readings, observed: Callable[[str], Observation], floor: float
) -> list[str]:
    """Heads that fit a role's pattern: those with an effect first, then by how strongly they show the pattern."""
    chosen = [r for r in readings.heads if fits(pattern, r, observed(r.component), floor)]

    def order(reading: Reading) -> tuple[bool, float, str]:
        effect = observed(reading.component).strength
        shown = min(reading.get(name) for name in pattern.needs)
        return (effect < floor, -(effect if effect >= floor else shown), reading.component)

    return [reading.component for reading in sorted(chosen, key=order)]
