"""Builders of situations, registrations and results with known numbers, for tests of the judge."""

import numpy as np

from agent.claims import Claim
from agent.predictions import Registration, register
from agent.situation import GateFacts, ModelFacts, ScreenFacts, Situation, TaskFacts
from tools.result import Control, Estimate, Provenance, Result


def situation(
    *, layers: int = 30, heads: int = 9, nominated: dict[str, float] | None = None, passed: bool = True
) -> Situation:
    """A model of that size on IOI, its gate passed."""
    return Situation(
        model=ModelFacts(spec="smollm2", name="SmolLM2", sha256="ab" * 32, n_layers=layers, n_heads=heads),
        task=TaskFacts(name="ioi", version="1", templates=["t0", "t1"], corruption="ABC"),
        gate=GateFacts(
            passed=passed,
            accuracy=1.0 if passed else 0.5,
            gap=5.0,
            kept_templates=["t0", "t1"],
            reason="" if passed else "accuracy 0.5, expected at least 0.8",
            result_id="r0",
        ),
        screen=ScreenFacts(nominated=nominated or {}, delta1=0.05, exact=False, n=32, result_id="r1"),
    )


def claim(name: str = "a20.h0", **fields: object) -> Claim:
    """A necessity claim unless told otherwise."""
    given: dict[str, object] = {"type": "necessity", "model": "smollm2", "task": "ioi", "components": (name,)}
    return Claim.model_validate({**given, **fields})


def registration(name: str = "a20.h0", **fields: object) -> Registration:
    """The registered claim in the usual situation."""
    return register(claim(name, **fields), situation())


def sample(mean: float, sd: float = 0.1, n: int = 32, seed: int = 0) -> np.ndarray:
    """n numbers with exactly this mean and standard deviation."""
    raw = np.random.default_rng(seed).normal(size=n)
    if sd == 0:
        return np.full(n, mean)
    return mean + sd * (raw - raw.mean()) / raw.std(ddof=1)


def result(
    experiment: str = "head-ablation",
    *,
    arrays: dict[str, np.ndarray] | None = None,
    controls: list[Control] | None = None,
    labels: dict[str, list[str]] | None = None,
) -> Result:
    """A result with these arrays."""
    return Result(
        experiment=experiment,
        version=1,
        params={},
        summary="made for a test",
        estimates=[Estimate(name="gap", value=5.0, n=32)],
        controls=controls or [],
        labels=labels or {},
        provenance=Provenance(model_name="SmolLM2", model_sha256="ab" * 32, model_dtype="float32"),
        arrays=arrays or {},
    )


def assay(passed: bool = True) -> Result:
    """An assay whose one control passed or not."""
    return result("assay", controls=[Control(name="no-op patch", passed=passed, observed=0.0, expected="below 1e-3")])


def necessity_evidence(
    harm: float, *, mean_harm: float | None = None, direct: float = 0.0, sd: float = 0.1, top_control: float = 0.03
) -> dict[str, list[Result]]:
    """First looks of a necessity claim: resample harm, mean-ablation harm, direct effect, 39 quiet controls."""
    arrays = {"harm_per_prompt": sample(harm, sd), "direct_per_prompt": sample(direct, sd, seed=1)}
    second = sample(harm if mean_harm is None else mean_harm, sd, seed=2)
    quiet = np.linspace(-0.01, top_control, 39)
    return {
        "A1": [assay()],
        "C1": [result(arrays=arrays)],
        "C2": [result(arrays={"harm_per_prompt": second})],
        "C3": [result(arrays={**arrays, "control_harm": quiet})],
        "K1": [result(arrays=arrays)],
    }
