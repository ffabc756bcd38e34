"""A ledger filled through the product's own procedure, for the tests of what people see.

Registration, ledger, rules and verdicts are the real ones (`agent.verification`); only the numbers of the experiments
are drawn from a table of known effects, so that a test knows what the page must show and needs no model.
"""

import random
from typing import Any

import numpy as np

from agent.claims import Claim
from agent.config import Config
from agent.judge import Verdict
from agent.ledger.evidence import Call
from agent.ledger.store import Ledger
from agent.situation import ModelFacts, TaskFacts
from agent.verification import verify
from tools.component import parse_component
from tools.result import Control, Estimate, Provenance, Result

LAYERS, HEADS = 30, 9
TEMPLATES = ["abba-store", "baba-store", "abba-lunch", "baba-lunch"]
SHA = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

# harm, direct effect and restore in shares of the gap
TRUTH: dict[str, tuple[float, float, float]] = {
    "a20.h0": (0.36, 0.01, 0.02),
    "a17.h4": (0.30, 0.00, 0.01),
    "a19.h2": (0.16, 0.01, 0.02),
    "a16.h0": (0.17, 0.00, 0.03),
    "a23.h0": (0.01, 0.19, 0.34),
    "a23.h1": (-0.04, 0.11, 0.23),
    "a24.h4": (-0.14, -0.09, -0.05),
    "a12.h3": (0.05, 0.00, 0.01),
}


def true_effect(component: str) -> tuple[float, float, float]:
    """The table's effect, or a small one of its own for every other component."""
    if component in TRUTH:
        return TRUTH[component]
    small = random.Random(component).gauss(0.0, 0.008)
    return small, small / 4, small / 3


class TableLaboratory:
    """`agent.laboratory.Laboratory` on the table above."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.model = ModelFacts(
            spec="smollm2", name="SmolLM2-135M-Instruct", sha256=SHA, n_layers=LAYERS, n_heads=HEADS, has_mlps=True
        )

    def task(self, name: str) -> TaskFacts:
        return TaskFacts(name=name, version="1", title="IOI", templates=TEMPLATES, corruption="ABC")

    def run(
        self, experiment: str, params: dict[str, Any], *, prediction_id: str | None = None, look: int = 1
    ) -> tuple[str, Result]:
        result = getattr(self, "_" + experiment.replace("-", "_"))(params)
        call = Call(
            experiment=experiment,
            version=1,
            params=params,
            model="smollm2",
            call_hash=result.call_hash,
            prediction_id=prediction_id,
            look=look,
        )
        attempt_id = self._ledger.evidence.start(call, worker_id="table")
        return self._ledger.evidence.finish(attempt_id, result), result

    def _behaviour(self, params: dict[str, Any]) -> Result:
        estimates = [Estimate(name="accuracy", value=0.98), Estimate(name="gap", value=5.1)]
        controls = [Control(name="accuracy", passed=True, observed=0.98, expected="at least 0.80")]
        return made("behaviour", params, estimates, controls, labels={"kept_templates": TEMPLATES})

    def _screen(self, params: dict[str, Any]) -> Result:
        atp = np.array([[true_effect(f"a{layer}.h{head}")[0] for head in range(HEADS)] for layer in range(LAYERS)])
        nominated = [{"component": name, "atp": harm, "ig": harm} for name, (harm, _, _) in TRUTH.items()]
        return made(
            "screen",
            params,
            [Estimate(name="delta1", value=0.05)],
            [],
            arrays={"atp": atp.astype(np.float32)},
            tables={"nominated": nominated},
        )

    def _assay(self, params: dict[str, Any]) -> Result:
        controls = [
            Control(name="no-op patch", passed=True, observed=0.0, expected="below 0.001"),
            Control(name="full residual patch", passed=True, observed=1.0, expected="1.00 ± 0.02"),
            Control(name="quiet heads", passed=True, observed=0.004, expected="median below 0.02"),
        ]
        return made("assay", params, [], controls)

    def _head_ablation(self, params: dict[str, Any]) -> Result:
        harm, direct, _ = true_effect(params["components"][0])
        names = params.get("controls") or []
        arrays = {
            "harm_per_prompt": drawn(harm, params, "harm"),
            "direct_per_prompt": drawn(direct, params, "direct"),
            "control_harm": np.array([true_effect(name)[0] for name in names], dtype=np.float32),
        }
        labels = {"components": params["components"], "controls": names}
        estimates = [Estimate(name="harm", value=float(arrays["harm_per_prompt"].mean()), n=params["n"])]
        return made("head-ablation", params, estimates, [], arrays=arrays, labels=labels)

    def _head_patching(self, params: dict[str, Any]) -> Result:
        restore = true_effect(params["components"][0])[2]
        names = params.get("controls") or []
        arrays = {
            "restore_per_prompt": drawn(restore, params, "restore"),
            "control_restore": np.array([true_effect(name)[2] for name in names], dtype=np.float32),
        }
        labels = {"components": params["components"], "controls": names}
        return made(
            "head-patching", params, [Estimate(name="restore", value=restore)], [], arrays=arrays, labels=labels
        )


def drawn(mean: float, params: dict[str, Any], what: str) -> np.ndarray:
    """A per-prompt sample around `mean`."""
    source = np.random.default_rng([params["seed"] % 2**32, len(what), params["n"]])
    return source.normal(mean, 0.03, params["n"]).astype(np.float32)


def made(
    experiment: str,
    params: dict[str, Any],
    estimates: list[Estimate],
    controls: list[Control],
    *,
    arrays: dict[str, np.ndarray] | None = None,
    labels: dict[str, list[str]] | None = None,
    tables: dict[str, list[dict[str, Any]]] | None = None,
) -> Result:
    """A result as an experiment returns it."""
    return Result(
        experiment=experiment,
        version=1,
        params=params,
        summary=f"{experiment} on the table of known effects",
        estimates=estimates,
        controls=controls,
        tables=tables or {},
        labels=labels or {},
        arrays=arrays or {},
        provenance=Provenance(
            model_name="SmolLM2-135M-Instruct",
            model_sha256=SHA,
            model_dtype="float32",
            task="ioi",
            task_version="1",
            seed=params.get("seed"),
            forward_passes=64,
            seconds=1.5,
        ),
    )


def try_claims(config: Config, *texts: tuple[str, str]) -> list[Verdict]:
    """Put (type, component) pairs on trial in the ledger of `config`."""
    ledger = Ledger.open(config)
    try:
        laboratory = TableLaboratory(ledger)
        verdicts = []
        for kind, component in texts:
            name = str(parse_component(component))
            claim = Claim(type=kind, model="smollm2", task="ioi", components=(name,))
            verdicts.append(verify(claim, laboratory, ledger))
        return verdicts
    finally:
        ledger.close()
