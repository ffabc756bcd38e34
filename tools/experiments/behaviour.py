"""Does the model do the task at all (METHOD 1.5)? Nothing is claimed about a mechanism before this passes.

Reports: estimates `accuracy` (answer above foil), `top1`, `gap`, `clean_metric`, `corrupted_metric`, all over the kept
templates; table `templates` (template, n, accuracy, top1, clean_metric, corrupted_metric, kept); label `kept_templates`;
arrays `clean_metric`, `corrupted_metric` [n]; control `behaviour gate`.
"""

import numpy as np

from tools.experiment import Lab, TaskParams, experiment
from tools.gate import check_gate
from tools.measurement import measure
from tools.prompts import Floats
from tools.result import Control, Estimate, Result
from tools.statistics import LEVEL, bootstrap


class Behaviour(TaskParams):
    """The gate's thresholds are the task's own (METHOD 1.5: accuracy 0.80, per template 0.70, gap above 1 logit)."""


@experiment("behaviour", version=1, kind="assay")
def behaviour(lab: Lab, params: Behaviour) -> Result:
    """Whether the model does the task: accuracy, top-1 and the clean-corrupted gap, per template.

    Templates in which the answer beats the foil too rarely are dropped; the gate passes when what remains is accurate,
    the gap is clearly above its floor and the corruption takes the behaviour away. No mechanism is tested on a task
    that fails here.
    """
    m = measure(lab, params)
    clean = m.runner.baseline("clean", distributions=True)
    top1 = clean.top1 if clean.top1 is not None else np.zeros((1, len(m.prompts)))
    report = check_gate(m.task.info.gate, m.prompts.template, m.clean, m.corrupted)
    of = np.array(m.prompts.template)
    rows = np.isin(of, report.kept) if report.kept else np.ones(len(of), bool)
    names = [name for name, keep in zip(m.prompts.template, rows, strict=True) if keep]

    def estimate(name: str, values: Floats, unit: str) -> Estimate:
        mean, low, high = (float(x[0]) for x in bootstrap(values[rows], names))
        return Estimate(name=name, value=mean, low=low, high=high, level=LEVEL, n=int(rows.sum()), unit=unit)

    unit = m.task.info.unit
    table = [
        {
            "template": name,
            "n": int((of == name).sum()),
            "accuracy": round(float((m.clean[of == name] > 0).mean()), 4),
            "top1": round(float(top1[0][of == name].mean()), 4),
            "clean_metric": round(float(m.clean[of == name].mean()), 4),
            "corrupted_metric": round(float(m.corrupted[of == name].mean()), 4),
            "kept": name in report.kept,
        }
        for name in dict.fromkeys(m.prompts.template)
    ]
    expected = f"accuracy >= {m.task.info.gate.accuracy:g}, gap above {m.task.info.gate.gap:g} {unit}"
    if report.reasons:
        expected += f"; failed: {'; '.join(report.reasons)}"
    return m.result(
        "behaviour",
        1,
        f"{lab.model.name} {'does' if report.passed else 'does not do'} {params.task}: accuracy {report.accuracy:.2f}, "
        f"gap {report.gap:.2f} {unit}, {len(report.kept)} of {len(table)} templates kept.",
        [
            estimate("accuracy", (m.clean > 0).astype(np.float64), "share of prompts"),
            estimate("top1", top1[0], "share of prompts"),
            estimate("gap", m.clean - m.corrupted, unit),
            estimate("clean_metric", m.clean, unit),
            estimate("corrupted_metric", m.corrupted, unit),
        ],
        controls=[
            Control(name="behaviour gate", passed=report.passed, observed=round(report.accuracy, 4), expected=expected)
        ],
        tables={"templates": table},
        labels={"kept_templates": list(report.kept)},
        arrays={"clean_metric": m.clean, "corrupted_metric": m.corrupted},
    )
