"""Error rates of the shipped verdict rule on simulated claims, beside rules that others use (METHOD section 4.1).

A simulated claim has three critical predictions; each prompt's effect is Student-t noise (4 d.f.) around a true mean.
Truths: every prediction true, a near miss (some true and strong, the rest exactly at the floor), or none. The verdict
comes from `agent.judge.judge` itself, with its two looks; the rivals get the same numbers of the first look.
What this cannot say: whether real near misses are as discriminating as the simulated ones.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from agent.claims import Claim
from agent.inference import p_above
from agent.judge import judge, needs_look
from agent.predictions import TWO_LOOKS, Prediction, Registration, register
from agent.rules import ControlsRule, EffectRule
from agent.situation import GateFacts, ModelFacts, Situation, TaskFacts
from tools.result import Control, Provenance, Result

DELTA0, DELTA1, SD = 0.02, 0.05, 0.10


class Rates(NamedTuple):
    """Shares of simulated claims that each rule supports, and that the court refutes."""

    truth: str
    runs: int
    court_supported: float
    court_refuted: float
    popper_product: float
    fisher: float
    two_of_three: float
    mean_prompts: float


TRUTHS: dict[str, tuple[float, ...]] = {
    "all true, strong": (DELTA0 + 1.5 * SD,) * 3,
    "all true, d = 0.8 sd": (DELTA0 + 0.8 * SD,) * 3,
    "near miss: 2 strong, 1 at the floor": (DELTA0 + 1.5 * SD, DELTA0 + 1.5 * SD, DELTA0),
    "near miss: 1 strong, 2 at the floor": (DELTA0 + 2 * SD, DELTA0, DELTA0),
    "all at the floor": (DELTA0,) * 3,
    "all exactly as claimed": (DELTA1,) * 3,
}


def simulate(truth: str, runs: int, seed: int = 0) -> Rates:
    """Judge `runs` simulated claims of one truth."""
    registration = _registration()
    rng = np.random.default_rng([seed, list(TRUTHS).index(truth)])
    counts = np.zeros(5)
    prompts = 0
    for _ in range(runs):
        word, used, first = _one_claim(registration, TRUTHS[truth], rng)
        p_values = [p_above(sample, DELTA0) for sample in first]
        counts += [word == "supported", word == "refuted", *_rivals(p_values, 0.01)]
        prompts += used
    shares = counts / runs
    return Rates(truth, runs, *(float(s) for s in shares), mean_prompts=prompts / runs)


def _one_claim(
    registration: Registration, means: Sequence[float], rng: np.random.Generator
) -> tuple[str, int, list[NDArray[np.float64]]]:
    data = [mean + SD / math.sqrt(2) * rng.standard_t(4, TWO_LOOKS[-1].n) for mean in means]
    evidence: dict[str, list[Result]] = {}
    while wanted := needs_look(registration, evidence):
        for one, look in wanted:
            sample = data[int(one.key[1:]) - 1][: one.looks[look - 1].n] if one.role == "critical" else data[0][:2]
            evidence.setdefault(one.key, []).append(_result(sample))
    used = max(one.looks[len(evidence[one.key]) - 1].n for one in registration.critical())
    return judge(registration, evidence).verdict, used, [sample[: TWO_LOOKS[0].n] for sample in data]


def _rivals(p_values: list[float], alpha: float) -> list[bool]:
    """POPPER's product of calibrated e-values, Fisher's combination, and two of three votes, at the same alpha."""
    safe = [max(p, 1e-300) for p in p_values]
    product = math.prod(0.5 * p**-0.5 for p in safe) > 1 / alpha
    fisher = float(gammaincc(len(safe), -sum(math.log(p) for p in safe))) <= alpha
    return [product, fisher, sum(p <= alpha for p in p_values) >= 2]


def _registration() -> Registration:
    """A claim about nothing, with three critical effect predictions."""
    situation = Situation(
        model=ModelFacts(spec="simulated", name="simulated", sha256="0" * 64, n_layers=1, n_heads=1),
        task=TaskFacts(name="simulated", version="1"),
        gate=GateFacts(passed=True, accuracy=1.0, gap=1.0, kept_templates=[], result_id="simulated"),
    )
    claim = Claim(type="necessity", model="simulated", task="simulated", components=("a0.h0",))
    return register(claim, situation).model_copy(update={"predictions": _three_predictions()})


def _three_predictions() -> tuple[Prediction, ...]:
    rule = EffectRule(array="effect", quantity="effect", delta0=DELTA0, delta1=DELTA1)
    critical = [
        Prediction(key=f"C{k}", role="critical", experiment="simulated", params={}, rule=rule) for k in (1, 2, 3)
    ]
    sound = Prediction(key="A1", role="assay", experiment="simulated", params={}, rule=ControlsRule())
    return (sound, *critical)


def _result(sample: NDArray[np.float64]) -> Result:
    return Result(
        experiment="simulated",
        version=1,
        params={},
        summary="simulated",
        estimates=[],
        controls=[Control(name="simulated", passed=True)],
        provenance=Provenance(model_name="simulated", model_sha256="0" * 64, model_dtype="float32"),
        arrays={"effect": sample},
    )
