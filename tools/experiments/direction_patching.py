"""Direction patching (DAS) with the dormant-pathway control (METHOD T2; Geiger et al. 2023; Makelov et al. 2023).

Reports: estimates `restore` (the trained directions alone, fresh prompts), `iia`, `restore_whole` (the whole component),
`excess` (restore minus restore_whole), `restore_read` and `restore_unread` (the directions' parts inside and outside
what any later weight matrix reads; absent part: 0), `unread_share`, `over_permuted` (restore minus the best of the
directions trained on permuted sources), `rank_p` among random directions, `gap`, `accuracy`; arrays `restore_per_prompt`,
`whole_per_prompt`, `excess_per_prompt`, `over_permuted_per_prompt` [n], `random_restore` [J], `permuted_restore` [P],
`directions` [d, k], `loss` [steps]; controls `dormant pathway`, `random directions`, `permuted sources`, `fit`.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field

from tools.costs import Cost, Sizes, named, whole
from tools.crossed import crossed
from tools.engine import Engine
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.experiments.interchange import SourceRun, measured
from tools.interventions import Intervention, Where, intervene
from tools.measurement import Measurement, measure, runner_for
from tools.prompts import Floats
from tools.result import Control, Estimate, Result
from tools.selection import read_components
from tools.statistics import rank_p
from tools.subspaces import ROWS, Basis, Search, Split, random_basis, read_part, readers, swap, width_of
from tools.training_prompts import training_prompts

TRAINING_MEMORY = 200_000_000


class DirectionPatching(TaskParams):
    """Where directions are searched, how many, and how hard."""

    component: str = Field(description="where: resid7@END, a head (a5.h1), an attention layer (a5) or an MLP (m3)")
    position: str | None = Field(default=None, description="position label of the swap, e.g. END; all when absent")
    inside: Literal["output", "neurons"] = Field(
        default="output", description="for an MLP: directions of what it writes, or of its neurons"
    )
    source: SourceRun = Field(
        default="paired", description="paired: clean into corrupted; other: another clean prompt of the same form"
    )
    dimensions: int = Field(default=1, ge=1, le=64, description="how many orthonormal directions")
    n_train: int = Field(default=64, ge=4, le=1024, description="explore prompts to train on; none is tested on")
    steps: int = Field(default=120, ge=1, le=2000, description="gradient steps, up to 16 prompts each")
    rate: float = Field(default=0.1, gt=0, le=1, description="step size of Adam")
    n_random: int = Field(default=39, ge=0, le=999, description="random directions, as many dimensions")
    n_permuted: int = Field(default=3, ge=0, le=39, description="trainings on permuted sources")


def _cost(params: DirectionPatching, model: Sizes) -> Cost:
    """Training runs and swaps enter at the component's layer; at one position they are cheaper than counted here."""
    ends = named([params.component])
    share = 1 - min(ends[0].layer if ends else 0, model.n_layers - 1) / model.n_layers
    rows = min(ROWS, params.n_train) * params.steps * (1 + params.n_permuted)
    swaps = params.n * (4 + params.n_random + params.n_permuted)
    return whole(2 * params.n + 2 * params.n_train) + Cost(2 * rows + swaps, share * (3 * rows + swaps))


@experiment("direction-patching", version=1, kind="causal", cost=_cost)
def direction_patching(lab: Lab, params: DirectionPatching) -> Result:
    """Whether a few trained directions of a component carry the answer, or only seem to through a dormant pathway.

    Directions are trained on explore prompts so that swapping only the part of the activation along them gives the
    source run's metric, and tested on fresh prompts, beside random directions, directions trained on permuted sources,
    the whole component, and the directions' part that no later weight reads. A direction that does more than its whole
    component, or that works only with a part nobody reads, is an illusion: it is flagged, and no claim should rest on it.
    """
    plain = measure(lab, params)
    m = measured(lab, params, params.source)
    one = _site(m, params)
    search = _search(plain, m, params, one)
    trained = search.train(params.dimensions, params.seed)
    permuted = [
        search.train(params.dimensions, params.seed + 1 + i, permuted=True).basis for i in range(params.n_permuted)
    ]
    generator = torch.Generator().manual_seed(params.seed + 10_007)
    random = [
        random_basis(search.width, params.dimensions, generator).to(m.engine.device) for _ in range(params.n_random)
    ]
    split = read_part(trained.basis, readers(m.engine.decoder, one))
    restored = _restored(m, one, [trained.basis, None, split.read, split.null], [*permuted, *random])
    m.runner.forward_passes += search.engine.forward_passes
    estimates, arrays = _numbers(m, params, restored, split)
    name = _name(params, one)
    own, whole, flagged = estimates[0].value, estimates[2].value, _illusion(estimates)
    return m.result(
        "direction-patching",
        1,
        f"{params.dimensions} trained direction(s) of {name} restore {own:+.2f} of the gap on fresh prompts, the whole "
        f"component {whole:+.2f}" + (f": an illusion ({flagged})." if flagged else "."),
        m.behaviour_estimates() + estimates,
        controls=_controls(restored, arrays, flagged, trained.loss, params),
        labels={"components": [name]},
        arrays=arrays | {"directions": trained.basis.cpu().numpy(), "loss": trained.loss},
    )


def _site(m: Measurement, params: DirectionPatching) -> Intervention:
    component = read_components([params.component], m.lab.model)[0]
    if params.inside == "neurons" and component.kind != "mlp":
        raise ExperimentError(f"{component} has no neurons; name an MLP, e.g. m3, or leave `inside` out.")
    where = Where(params.position) if params.position else None
    one = intervene(component, "clean", where=where, n_layers=m.lab.model.n_layers)
    if one.where is not None and one.where.label is not None:
        m.prompts.position(one.where.label)
    if params.inside == "neurons":
        one = Intervention(one.layer, "neurons", None, "clean", one.where)
    width = width_of(m.engine.decoder, one)
    if params.dimensions >= width:
        raise ExperimentError(f"{component} has {width} dimensions; ask for 1 to {width - 1}.")
    return one


def _search(plain: Measurement, m: Measurement, params: DirectionPatching, one: Intervention) -> Search:
    """The search on training prompts, none of which is tested on."""
    prompts = training_prompts(plain, params, params.n_train)
    if params.source == "other":
        prompts = crossed(prompts, params.seed)
    runner = runner_for(m.lab, prompts)
    assert isinstance(runner, Engine), runner.how
    runner.memory_budget = TRAINING_MEMORY  # the search records what it needs by itself
    return Search(runner, one, params.steps, params.rate)


def _restored(m: Measurement, one: Intervention, main: list[Basis | None], controls: list[Basis]) -> list[Floats]:
    """Per-prompt restore of each basis [n]: the directions, the whole component, their parts (0 where absent), controls."""
    parts = [i for i, basis in enumerate(main) if basis is not None or i == 1]
    variants = [(swap(one, main[i]),) for i in parts] + [(swap(one, basis),) for basis in controls]
    shares = m.restored(m.runner.run(variants, base="corrupted", text=f"{len(variants)} swaps").metric)
    found = [np.zeros(shares.shape[1]) for _ in main]
    for row, i in enumerate(parts):
        found[i] = shares[row]
    return [*found, *shares[len(parts) :]]


def _numbers(
    m: Measurement, params: DirectionPatching, restored: list[Floats], split: Split
) -> tuple[list[Estimate], dict[str, np.ndarray]]:
    own, whole, read, unread = restored[:4]
    permuted, random = restored[4 : 4 + params.n_permuted], restored[4 + params.n_permuted :]
    right = (m.corrupted + own * m.gap > 0).astype(np.float64)
    arrays = {"restore_per_prompt": own, "whole_per_prompt": whole, "excess_per_prompt": own - whole}
    estimates = [
        m.estimate("restore", own),
        m.estimate("iia", right, "share of prompts"),
        m.estimate("restore_whole", whole),
        m.estimate("excess", own - whole),
        m.estimate("restore_read", read),
        m.estimate("restore_unread", unread),
        Estimate(name="unread_share", value=split.unread, unit="share of squared length"),
    ]
    if permuted:
        best = max(permuted, key=lambda values: float(values.mean()))
        arrays |= {"permuted_restore": np.array([v.mean() for v in permuted]), "over_permuted_per_prompt": own - best}
        estimates.append(m.estimate("over_permuted", own - best))
    if random:
        arrays["random_restore"] = np.array([v.mean() for v in random])
        p = rank_p(float(own.mean()), arrays["random_restore"])
        estimates.append(Estimate(name="rank_p", value=p, n=len(random), unit="probability"))
    return estimates, arrays


def _illusion(estimates: list[Estimate]) -> str:
    """Why the directions are an illusion; empty when nothing says so."""
    by = {e.name: e for e in estimates}
    excess, own = by["excess"], by["restore"]
    if excess.low is not None and excess.low > 0.02 and excess.value >= 0.05:
        return "the directions do more than the whole component"
    if own.value >= 0.05 and by["restore_read"].value < 0.5 * own.value:
        return "without the part that nobody reads they do less than half"
    return ""


def _controls(
    restored: list[Floats], arrays: dict[str, np.ndarray], flagged: str, loss: Floats, params: DirectionPatching
) -> list[Control]:
    own = float(restored[0].mean())
    found = [
        Control(
            name="dormant pathway",
            passed=not flagged,
            observed=own - float(restored[1].mean()),
            expected=flagged or "not above the whole component, and carried by the part that is read",
        ),
        Control(
            name="fit", observed=float(loss[-min(4, len(loss)) :].mean()), expected="squared error over squared gap"
        ),
    ]
    if params.n_random:
        p = rank_p(own, arrays["random_restore"])
        found.append(
            Control(name="random directions", observed=p, expected="rank p among them", array="random_restore")
        )
    if params.n_permuted:
        best = float(arrays["permuted_restore"].max())
        found.append(
            Control(
                name="permuted sources",
                observed=best,
                expected="best training without a signal",
                array="permuted_restore",
            )
        )
    return found


def _name(params: DirectionPatching, one: Intervention) -> str:
    place = f"@{params.position}" if params.position and "@" not in params.component else ""
    return params.component + place + (" (neurons)" if one.site == "neurons" else "")
