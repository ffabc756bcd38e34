"""Which set of components to put on trial as the circuit: grown by effect on explore prompts until it does the task.

On small models the set is everything with an effect, and its backups. On large models heads are taken by the size of
their removal's effect, either sign (METHOD 5.6: a set of helpers only is over-faithful and deceives), until faithfulness,
deviation per prompt and agreement with the model hold on explore prompts; when no set holds, the one with the smallest
deviation is put on trial all the same, and the verdict says what fails. Nothing here is evidence.
"""

from collections.abc import Sequence

from agent.investigation_survey import Explorer, Survey, SurveyModel, in_order, is_head
from tools.experiment import experiments
from tools.result import Result

EXPERIMENT = "circuit-evaluation"
SIZES = (12, 20, 30, 40, 50, 60)
PROMPTS = 32
FAITHFUL = (0.80, 1.20)
DEVIATION, AGREEMENT = 0.35, 0.60


class CircuitSeen(SurveyModel):
    """One set on explore prompts."""

    components: tuple[str, ...]
    faithfulness: float
    deviation: float
    agreement: float
    complement: float
    result_id: str

    @property
    def holds(self) -> bool:
        """Whether the set does the task as METHOD T5 asks, prompt by prompt."""
        low, high = FAITHFUL
        return low <= self.faithfulness <= high and self.deviation <= DEVIATION and self.agreement >= AGREEMENT

    def says(self) -> str:
        """The numbers in words."""
        return (
            f"faithfulness {self.faithfulness:.2f}, deviation {self.deviation:.2f}, agreement {self.agreement:.2f}, "
            f"the rest without it {self.complement:.2f}"
        )


class Circuits(SurveyModel):
    """The chosen set, every set that was tried, and what was looked at."""

    chosen: CircuitSeen | None = None
    tried: tuple[CircuitSeen, ...] = ()
    seen: tuple[str, ...] = ()


def nominate_circuit(explorer: Explorer, surveyed: Survey) -> Circuits:
    """Try sets in growing size; the first that holds is chosen, else the one that deviates least."""
    if EXPERIMENT not in experiments() or not surveyed.parts():
        return Circuits()
    sets = [surveyed.parts()] if explorer.small else growing(surveyed)
    tried: list[CircuitSeen] = []
    for components in sets:
        tried.append(_evaluate(explorer, components))
        if tried[-1].holds:
            break
    chosen = tried[-1] if tried[-1].holds else min(tried, key=lambda one: one.deviation)
    ids = ", ".join(one.result_id for one in tried)
    return Circuits(chosen=chosen, tried=tuple(tried), seen=(f"explore: {len(tried)} sets as circuits ({ids})",))


def growing(surveyed: Survey) -> list[list[str]]:
    """Heads by the size of their removal's effect, in growing sets."""
    heads = [o for o in surveyed.observations if is_head(o.component)]
    ordered = [o.component for o in sorted(heads, key=lambda o: (-abs(o.harm or 0.0), o.component))]
    sizes = sorted({min(size, len(ordered)) for size in SIZES})
    return [in_order(ordered[:size]) for size in sizes if size]


def _evaluate(explorer: Explorer, components: Sequence[str]) -> CircuitSeen:
    quick = {"mean": False, "n_random": 0, "n_random_any": 0, "n_subsets": 0, "minimal": False}
    universe = "heads+mlps" if explorer.small and explorer.lab.model.has_mlps else "heads"
    result_id, result = explorer.run(EXPERIMENT, PROMPTS, components=list(components), universe=universe, **quick)
    return CircuitSeen(
        components=tuple(components),
        **{name: _value(result, name) for name in ("faithfulness", "deviation", "agreement", "complement")},
        result_id=result_id,
    )


def _value(result: Result, name: str) -> float:
    return round(result.estimate(name).value, 4)
