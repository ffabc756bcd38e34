"""What explore prompts show of every component: removal, patching in, direct write, pattern, backups, connections.

On small models everything is measured exactly; on large ones gradients and direct writes nominate, and only nominees
are measured. Nothing here is evidence: it decides what is claimed, and claims are tested on other prompts. MLPs are
surveyed on small models only; on large ones they stay in place (METHOD 5.6). Pure bookkeeping over a laboratory.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from agent.laboratory import Laboratory
from agent.situation import ModelFacts, Situation
from agent.verification import EXPLORE_SEED, SCREEN_PROMPTS
from tools.component import parse_component
from tools.result import Result

NOMINEES, PATCHED = 56, 24
DIRECT_NOMINEES = 8
SMALL_FLOOR = 0.02


class SurveyModel(BaseModel):
    """Strict and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Observation(SurveyModel):
    """What explore prompts showed of one component, in shares of the gap; None where nothing was measured."""

    component: str
    harm: float | None = None
    restore: float | None = None
    direct: float | None = None

    @property
    def strength(self) -> float:
        """The largest of the three effects."""
        return max(abs(value) for value in (self.harm or 0.0, self.restore or 0.0, self.direct or 0.0))

    @property
    def layer(self) -> int:
        """The component's layer."""
        return parse_component(self.component).layer


class Backup(SurveyModel):
    """Removing `backup` too costs `gain` more than removing `main` alone."""

    main: str
    backup: str
    alone: float
    gain: float
    result_id: str


class Survey(SurveyModel):
    """Everything that was looked at before the first prediction was registered."""

    observations: tuple[Observation, ...]
    backups: tuple[Backup, ...] = ()
    floor: float = Field(description="the smallest effect worth a claim in this model (METHOD 5.8)")
    seen: tuple[str, ...] = Field(description="what was looked at, in words, with result ids: the access disclosure")

    def of(self, component: str) -> Observation:
        """What is known of a component; empty when it was not looked at."""
        return next((o for o in self.observations if o.component == component), Observation(component=component))

    def core(self) -> list[Observation]:
        """Components with an effect worth a claim, strongest first."""
        found = [o for o in self.observations if o.strength >= self.floor]
        return sorted(found, key=lambda o: (-o.strength, o.component))

    def parts(self) -> list[str]:
        """Components with an effect and their backups, in the order of the forward pass."""
        return in_order({*(o.component for o in self.core()), *(pair.backup for pair in self.backups)})


@dataclass(frozen=True)
class Explorer:
    """The laboratory on one task's explore prompts."""

    lab: Laboratory
    situation: Situation

    @property
    def small(self) -> bool:
        """Whether everything in this model is measured exactly."""
        return self.situation.screen is not None and self.situation.screen.exact

    def params(self, n: int = SCREEN_PROMPTS) -> dict[str, Any]:
        """Parameters of every explore run on the task's prompts."""
        return {"task": self.situation.task.name, **self.situation.template_params(), "n": n, "seed": EXPLORE_SEED}

    def run(self, experiment: str, n: int = SCREEN_PROMPTS, **params: Any) -> tuple[str, Result]:
        """One explore run."""
        return self.lab.run(experiment, {**self.params(n), **params})


def survey(lab: Laboratory, situation: Situation) -> Survey:
    """Measure effects of all components (small models) or of the nominees (large ones), then look for backups."""
    explorer = Explorer(lab, situation)
    assert situation.screen is not None, "a survey follows a passed gate and a screen"
    direct_id, direct = explorer.run("direct-logit-attribution")
    writes = {str(row["component"]): float(row["direct_effect"]) for row in direct.tables["components"]}
    names = patched = everything(lab.model)
    if not explorer.small:
        ranked = ranked_heads(explorer)
        names, patched = nominees(ranked[:NOMINEES], writes), nominees(ranked[:PATCHED], writes)
    harm_id, harm = explorer.run("head-ablation", components=names, method="resample")
    restore_id, restore = explorer.run("head-patching", components=patched)
    observations = tuple(
        Observation(
            component=name,
            harm=round(harm.estimate(f"harm:{name}").value, 4),
            restore=round(restore.estimate(f"restore:{name}").value, 4) if name in patched else None,
            direct=round(writes[name], 4),
        )
        for name in names
    )
    floor = max(situation.screen.delta1, SMALL_FLOOR)
    backups = find_backups(explorer, observations, floor)
    seen = [
        f"explore: direct effect of every component ({direct_id})",
        f"explore: resample harm of {len(names)} components ({harm_id})",
        f"explore: restore of {len(patched)} components ({restore_id})",
    ]
    if backups:
        seen.append(f"explore: joint removal of pairs ({', '.join(dict.fromkeys(b.result_id for b in backups))})")
    return Survey(observations=observations, backups=tuple(backups), floor=floor, seen=tuple(seen))


def ids_in_words(ids: Sequence[str]) -> str:
    """Result ids, each once; the first two and a count when there are many."""
    unique = list(dict.fromkeys(ids))
    return ", ".join(unique) if len(unique) <= 3 else f"{unique[0]}, {unique[1]} and {len(unique) - 2} more"


def everything(model: ModelFacts) -> list[str]:
    """Every head and MLP."""
    return model.heads() + model.mlps()


def ranked_heads(explorer: Explorer) -> list[str]:
    """Every head by the larger of its two gradient scores, from the screen that has run already."""
    _, screen = explorer.run("screen")
    scores = np.maximum(np.abs(screen.arrays["atp"]), np.abs(screen.arrays["ig"])).ravel()
    heads = explorer.lab.model.heads()
    return [heads[k] for k in np.argsort(-scores, kind="stable")]


def nominees(by_gradient: Sequence[str], writes: dict[str, float]) -> list[str]:
    """Heads that the gradients or the direct writes put forward: a union, in the order of their layers."""
    by_write = sorted((name for name in writes if is_head(name)), key=lambda name: (-abs(writes[name]), name))
    return in_order({*by_gradient, *by_write[:DIRECT_NOMINEES]})


def is_head(name: str) -> bool:
    """Whether a component is an attention head."""
    return parse_component(name).kind == "head"


def in_order(names: Iterable[str]) -> list[str]:
    """Components by layer, heads before the MLP of their layer."""
    return sorted(names, key=depth)


def depth(name: str) -> tuple[int, int, int]:
    """Where a component stands in the forward pass; input first, logits last."""
    part = parse_component(name)
    if part.kind in ("input", "logits"):
        return (-1, 0, 0) if part.kind == "input" else (10**6, 0, 0)
    return (part.layer, int(part.kind == "mlp"), part.index or 0)


def find_backups(explorer: Explorer, observations: Sequence[Observation], floor: float) -> list[Backup]:
    """Later components whose removal costs more once a component that writes the answer is gone (METHOD T11).

    Zero ablation, because resampling leaves the signals in place that keep a backup asleep. On large models only
    components whose own removal is repaired are asked about, and only beside the other nominees.
    """
    writers = [o for o in observations if (o.direct or 0.0) >= floor]
    if not explorer.small:
        writers = [o for o in writers if (o.harm or 0.0) < floor][:1]
    found: list[Backup] = []
    for main in writers:
        later = [o.component for o in observations if depth(o.component) > depth(main.component)]
        found += _beside(explorer, main.component, later, floor)
    return found


def _beside(explorer: Explorer, main: str, others: Sequence[str], floor: float) -> list[Backup]:
    if not others:
        return []
    sets = [f"{main}+{other}" for other in others]
    result_id, together = explorer.run("head-ablation", components=[main], method="zero", controls=sets)
    single_id, single = explorer.run("head-ablation", components=[*others, main], method="zero")
    alone = together.estimate("harm").value
    del single_id
    found = []
    for other, joint in zip(others, together.arrays["control_harm"], strict=True):
        gain = float(joint) - alone - max(single.estimate(f"harm:{other}").value, 0.0)
        if gain >= floor:
            found.append(
                Backup(main=main, backup=other, alone=round(alone, 4), gain=round(gain, 4), result_id=result_id)
            )
    return sorted(found, key=lambda b: -b.gain)
