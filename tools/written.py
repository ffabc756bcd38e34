"""Reads what a component writes: is it a given token, a given number, or any single number? Pure numpy.

Fitted on even-numbered prompts and scored on odd ones and the other way round, so no prompt scores itself. This says
that something can be read, not that anybody reads it.
"""

import numpy as np
from numpy.typing import NDArray

from tools.prompts import Floats, Ints


def nearest_centroid(outputs: Floats, labels: Ints, owner: Ints, n: int) -> Floats:
    """Share of outputs [k, model] nearest to the mean output of their own label, per prompt [n].

    Labels that the fitting half lacks are not scored; prompts with nothing to score get the overall share. With fewer
    than two labels nothing can be told apart and every prompt scores 0.
    """
    hits, counts = np.zeros(n), np.zeros(n)
    for half in (0, 1):
        fit = owner % 2 != half
        known = np.unique(labels[fit])
        if known.size < 2:
            return np.zeros(n)
        centres = np.stack([outputs[fit & (labels == label)].mean(0) for label in known])
        scored = np.flatnonzero((owner % 2 == half) & np.isin(labels, known))
        distance = ((outputs[scored][:, None] - centres[None]) ** 2).sum(-1)
        tied = np.isclose(distance, distance.min(1, keepdims=True), rtol=1e-6, atol=1e-9)
        right = known[distance.argmin(1)] == labels[scored]
        np.add.at(hits, owner[scored], right & (tied.sum(1) == 1))
        np.add.at(counts, owner[scored], 1)
    overall = hits.sum() / max(1.0, counts.sum())
    return np.where(counts > 0, hits / np.maximum(counts, 1), overall)


def explained_by(outputs: Floats, known: NDArray[np.float64] | None, owner: Ints, n: int) -> Floats:
    """Share of the variance of outputs [k, model] explained by a line in `known`, or along one direction when None.

    Per prompt [n], relative to the overall mean squared deviation; never below 0. No variance explains nothing.
    """
    spread = float(((outputs - outputs.mean(0)) ** 2).sum(1).mean())
    if spread < 1e-12:
        return np.zeros(n)
    missed, counts = np.zeros(n), np.zeros(n)
    for half in (0, 1):
        fit, scored = owner % 2 != half, np.flatnonzero(owner % 2 == half)
        centre = outputs[fit].mean(0)
        if known is None:
            direction = np.linalg.svd(outputs[fit] - centre, full_matrices=False)[2][:1]
            guess = centre + (outputs[scored] - centre) @ direction.T @ direction
        else:
            x = known[fit] - known[fit].mean()
            slope = x @ (outputs[fit] - centre) / max(float(x @ x), 1e-12)
            guess = centre + (known[scored] - known[fit].mean())[:, None] * slope
        np.add.at(missed, owner[scored], ((outputs[scored] - guess) ** 2).sum(1))
        np.add.at(counts, owner[scored], 1)
    share = 1 - missed / np.maximum(counts, 1) / spread
    return np.where(counts > 0, share.clip(0, 1), float(share[counts > 0].mean() if (counts > 0).any() else 0.0))


def explained_by_label(outputs: Floats, labels: Ints, owner: Ints, n: int) -> Floats:
    """Share of the variance of outputs [k, model] that the mean output of their own label accounts for.

    Per prompt [n], as `explained_by`; labels that the fitting half lacks are not scored.
    """
    spread = float(((outputs - outputs.mean(0)) ** 2).sum(1).mean())
    if spread < 1e-12:
        return np.zeros(n)
    missed, counts = np.zeros(n), np.zeros(n)
    for half in (0, 1):
        fit = owner % 2 != half
        for label in np.unique(labels[fit]):
            scored = np.flatnonzero((owner % 2 == half) & (labels == label))
            centre = outputs[fit & (labels == label)].mean(0)
            np.add.at(missed, owner[scored], ((outputs[scored] - centre) ** 2).sum(1))
            np.add.at(counts, owner[scored], 1)
    share = (1 - missed / np.maximum(counts, 1) / spread).clip(0, 1)
    return np.where(counts > 0, share, float(share[counts > 0].mean() if (counts > 0).any() else 0.0))
