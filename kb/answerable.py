"""Whether the library says anything on a question: a small network over how its words are met (`kb.coverage`).

Each unit's signals go through one hidden layer to a few numbers; their mean and maximum over the units (deep sets, Zaheer
et al. 2017) join the signals of the whole question in a logistic layer and one hidden layer; the chance is the mean over
networks of several seeds. `benchmarks/library_answerable.py` fits them and writes `answerable.json`. They were fitted with the packaged
embedder and without any; another embedder's cosines may mean something else. The network reads only
through the cross-encoder's log odds: without them a question about a detail that a paper on the subject does not give looks
answerable to it.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from kb.coverage import UnitSignals, WholeSignals
from kb.errors import KbError
from kb.evidence import Evidence

FILE = Path(__file__).parent / "answerable.json"
_Array = Float[np.ndarray, "..."]


@dataclass(frozen=True)
class Net:
    """One network: unit signals -> `inner` -> `outer`; pooled and whole signals -> `hidden` -> `last`, and `straight` to the result.
    Each is a matrix (out, in) with its bias."""

    inner: tuple[_Array, _Array]
    outer: tuple[_Array, _Array]
    hidden: tuple[_Array, _Array]
    last: tuple[_Array, _Array]
    straight: tuple[_Array, _Array]

    def log_odds(self, units: Float[np.ndarray, "unit signal"], whole: Float[np.ndarray, " signal"]) -> float:
        """The log odds that the library says something."""
        read = _linear(np.tanh(_linear(units, self.inner)), self.outer)
        joined = np.concatenate([read.mean(axis=0), read.max(axis=0), whole])
        return float((_linear(np.tanh(_linear(joined, self.hidden)), self.last) + _linear(joined, self.straight))[0])


@dataclass(frozen=True)
class Answerable:
    """The fitted networks with the scale of the signals; below `threshold` the library declines."""

    unit_scale: tuple[_Array, _Array]
    whole_scale: tuple[_Array, _Array]
    nets: tuple[Net, ...]
    threshold: float

    def chance(self, evidence: Evidence) -> float:
        """How likely the library says something on the question, between 0 and 1; 0 where it asks nothing."""
        if not evidence.units:
            return 0.0
        units = _scaled(np.array([signals for _, signals in evidence.units]), self.unit_scale)
        whole = _scaled(np.array(evidence.whole), self.whole_scale)
        return float(np.mean([1 / (1 + np.exp(-net.log_odds(units, whole))) for net in self.nets]))


@cache
def fitted() -> Answerable:
    """The networks that ship. Raises KbError when their file was made for other signals than these."""
    return from_json(json.loads(FILE.read_text(encoding="utf-8")))


def from_json(stored: dict[str, Any]) -> Answerable:
    """The rule as `to_json` wrote it."""
    signals = {"unit": list(UnitSignals._fields), "whole": list(WholeSignals._fields)}
    if stored["signals"] != signals:
        raise KbError(
            f"{FILE.name} was fitted for other signals. Make it again: python benchmarks/library_answerable.py"
        )
    nets = tuple(Net(**{name: _pair(values) for name, values in net.items()}) for net in stored["nets"])
    return Answerable(_pair(stored["unit_scale"]), _pair(stored["whole_scale"]), nets, float(stored["threshold"]))


def to_json(rule: Answerable) -> dict[str, Any]:
    """The rule as JSON, numbers to four digits."""

    def rounded(pair: tuple[_Array, _Array]) -> list[Any]:
        return [np.round(array, 4).tolist() for array in pair]

    return {
        "signals": {"unit": list(UnitSignals._fields), "whole": list(WholeSignals._fields)},
        "threshold": rule.threshold,
        "unit_scale": rounded(rule.unit_scale),
        "whole_scale": rounded(rule.whole_scale),
        "nets": [{name: rounded(pair) for name, pair in vars(net).items()} for net in rule.nets],
    }


def _pair(values: list[Any]) -> tuple[_Array, _Array]:
    first, second = (np.array(value, dtype=np.float64) for value in values)
    return first, second


def _linear(x: _Array, layer: tuple[_Array, _Array]) -> _Array:
    return x @ layer[0].T + layer[1]


def _scaled(x: _Array, scale: tuple[_Array, _Array]) -> _Array:
    return (x - scale[0]) / scale[1]
