"""The behaviour gate: does the model do the task at all, and in which templates (METHOD 1.4, 1.5).

A template in which the answer is above the foil too rarely is dropped; what remains must be accurate overall, its gap
(mean clean minus mean corrupted metric) clearly above the floor, and the corruption must take the behaviour away.
Takes per-prompt metrics as measured; runs no model. The gap's bound is a one-sided t bound over prompts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tools.errors import ExperimentError
from tools.prompts import Floats
from tools.task_spec import Gate

ALPHA = 0.01


@dataclass(frozen=True)
class GateReport:
    """The outcome of the gate. Numbers other than `template_accuracy` are over the kept templates."""

    passed: bool
    kept: tuple[str, ...]
    dropped: tuple[str, ...]
    template_accuracy: dict[str, float]
    accuracy: float
    clean: float
    corrupted: float
    gap: float
    gap_low: float
    reasons: tuple[str, ...]

    def require(self, task: str) -> "GateReport":
        """This report if it passed. Raises ExperimentError that says what failed."""
        if not self.passed:
            raise ExperimentError(
                f"the model does not do task {task!r} well enough to ask how: {'; '.join(self.reasons)}. "
                "Choose another task or model."
            )
        return self


def check_gate(gate: Gate, templates: Sequence[str], clean: Floats, corrupted: Floats) -> GateReport:
    """Judge per-prompt metrics, `clean` and `corrupted` [n], with the template of each prompt."""
    names = list(dict.fromkeys(templates))
    of = np.array(templates)
    right = clean > (corrupted if gate.relative else 0.0)
    accuracy = {name: float(right[of == name].mean()) for name in names}
    kept = tuple(name for name in names if accuracy[name] >= gate.template_accuracy)
    dropped = tuple(name for name in names if name not in kept)
    rows = np.isin(of, kept)
    if rows.sum() < 2:
        why = f"no template reaches accuracy {gate.template_accuracy:.2f} (best {max(accuracy.values()):.2f})"
        return GateReport(False, (), dropped, accuracy, 0.0, 0.0, 0.0, 0.0, 0.0, (why,))
    difference = clean[rows] - corrupted[rows]
    gap = float(difference.mean())
    error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
    low = gap - float(stats.t.ppf(1 - ALPHA, len(difference) - 1)) * error
    overall = float(right[rows].mean())
    mean_corrupted = float(corrupted[rows].mean())
    reasons = _reasons(gate, overall, low, mean_corrupted, gap)
    return GateReport(
        passed=not reasons,
        kept=kept,
        dropped=dropped,
        template_accuracy=accuracy,
        accuracy=overall,
        clean=float(clean[rows].mean()),
        corrupted=mean_corrupted,
        gap=gap,
        gap_low=low,
        reasons=tuple(reasons),
    )


def _reasons(gate: Gate, accuracy: float, gap_low: float, corrupted: float, gap: float) -> list[str]:
    reasons = []
    if accuracy < gate.accuracy:
        reasons.append(f"accuracy {accuracy:.2f} is below {gate.accuracy:.2f}")
    if gap_low <= gate.gap:
        reasons.append(f"the gap's lower bound {gap_low:.2f} is not above {gate.gap:.2f}")
    if gate.corrupted_share is not None and abs(corrupted) > gate.corrupted_share * gap:
        reasons.append(
            f"the corrupted prompts still score {corrupted:.2f}, "
            f"more than {gate.corrupted_share:.2f} of the gap {gap:.2f}"
        )
    return reasons
