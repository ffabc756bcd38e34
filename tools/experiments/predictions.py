"""What the model predicts at the read-outs: probability, rank, entropy, and how far the corrupted run is (KL).

Reports: estimates `p_answer`, `p_foil`, `rank` (of the answer, from 1), `entropy` (nats), `kl` (clean || corrupted,
nats), `p_answer_corrupted`, `entropy_corrupted`, each with `<name>_per_prompt` [n], besides `gap` and `accuracy`;
tables `top_tokens` (of the median prompt and the worst one, METHOD G15).
"""

from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from tools.costs import Cost, Sizes, whole
from tools.decoder import Site
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import Measurement, measure
from tools.prompts import NO_FOIL, Floats, PromptGroup
from tools.result import Result

UNITS = {"rank": "rank", "entropy": "nats", "entropy_corrupted": "nats", "kl": "nats"}
NAMES = ("p_answer", "p_foil", "rank", "entropy", "kl", "p_answer_corrupted", "entropy_corrupted")


class Predictions(TaskParams):
    """How many of the likeliest tokens to list."""

    top: int = Field(default=5, ge=1, le=50, description="likeliest tokens listed for the median and the worst prompt")


def _cost(params: Predictions, model: Sizes) -> Cost:
    return whole(4 * params.n)


@experiment("predictions", version=1, kind="observational", cost=_cost)
def predictions(lab: Lab, params: Predictions) -> Result:
    """The model's whole distribution where the task reads it, and what the corruption does to it.

    A metric is two logits; this is the rest: whether the answer is likely at all, what comes before it, how sure the
    model is. Lists the likeliest tokens for the prompt with the median metric and for the worst one, never for a chosen
    one. Where a prompt is read at several positions, numbers are means over them.
    """
    m = measure(lab, params)
    values = {name: np.zeros(len(m.prompts)) for name in NAMES}
    chosen = {"median": int(np.argsort(m.clean)[len(m.clean) // 2]), "worst": int(m.clean.argmin())}
    rows: dict[str, list[dict[str, Any]]] = {}
    done = 0
    for group in m.engine.groups():
        clean, corrupted = (
            _log_p(m, group, run) for run in (m.engine.tokens(group, "clean"), m.engine.tokens(group, "corrupted"))
        )
        for name, array in _numbers(group, clean, corrupted).items():
            values[name][group.rows] = array
        for which, row in chosen.items():
            if row in group.rows:
                rows[which] = _top(m, group, int(np.flatnonzero(group.rows == row)[0]), clean, params.top)
        done += len(group.rows)
        m.lab.step(done / len(m.prompts), f"predictions: {done} of {len(m.prompts)} prompts")
    table = [{"prompt": which, **row} for which in ("median", "worst") for row in rows[which]]
    units = {name: UNITS.get(name, "probability") for name in NAMES}
    return m.result(
        "predictions",
        1,
        f"The answer has probability {values['p_answer'].mean():.2f} (foil {values['p_foil'].mean():.2f}) and median rank "
        f"{np.median(values['rank']):.0f}; on corrupted prompts {values['p_answer_corrupted'].mean():.2f}.",
        [*m.behaviour_estimates(), *(m.estimate(name, values[name], units[name]) for name in NAMES)],
        tables={"top_tokens": table},
        arrays={f"{name}_per_prompt": array for name, array in values.items()},
    )


@torch.no_grad()
def _log_p(m: Measurement, group: PromptGroup, tokens: Tensor) -> Tensor:
    """Log-probabilities at every read-out of the batch, [read-outs, vocab]."""
    last: tuple[int, Site] = (m.lab.model.n_layers - 1, "resid_post")
    stream = m.engine.record(tokens, {last})[last]
    r = group.readouts
    return m.engine.decoder.logits(stream[torch.as_tensor(r.row), torch.as_tensor(r.position)]).float().log_softmax(-1)


def _numbers(group: PromptGroup, clean: Tensor, corrupted: Tensor) -> dict[str, Floats]:
    """Each number per row of the batch: answers' probabilities added up, the rest averaged over read-outs."""
    r, n = group.readouts, len(group.rows)
    at, answer = torch.arange(len(r)), torch.as_tensor(r.answer)
    answers = (r.weight > 0) if (r.foil == NO_FOIL).any() and (r.weight > 0).any() else np.ones(len(r), bool)
    foil = torch.as_tensor(np.where(r.foil == NO_FOIL, r.answer, r.foil))
    foils = answers if not (r.foil == NO_FOIL).any() else ~answers
    spots = np.maximum([len(np.unique(r.position[(r.row == k)])) for k in range(n)], 1)

    def mean(values: Tensor, keep: np.ndarray) -> Floats:
        counts = np.maximum(np.bincount(r.row, weights=keep.astype(np.float64), minlength=n), 1)
        return np.bincount(r.row, weights=values.double().cpu().numpy() * keep, minlength=n) / counts

    def total(values: Tensor, keep: np.ndarray) -> Floats:
        return np.bincount(r.row, weights=values.double().cpu().numpy() * keep, minlength=n) / spots

    everyone = np.ones(len(r), bool)
    own = clean[at, answer]
    return {
        "p_answer": total(own.exp(), answers),
        "p_foil": total(clean[at, foil].exp(), foils),
        "rank": mean((clean > own[:, None]).sum(-1) + 1.0, answers),
        "entropy": mean(-(clean.exp() * clean).sum(-1), everyone),
        "kl": mean((clean.exp() * (clean - corrupted)).sum(-1), everyone),
        "p_answer_corrupted": total(corrupted[at, answer].exp(), answers),
        "entropy_corrupted": mean(-(corrupted.exp() * corrupted).sum(-1), everyone),
    }


def _top(m: Measurement, group: PromptGroup, k: int, log_p: Tensor, top: int) -> list[dict[str, Any]]:
    """The likeliest tokens at the last read-out of one row."""
    places = np.flatnonzero(group.readouts.row == k)
    last = int(places[group.readouts.position[places].argmax()])
    values, tokens = log_p[last].topk(min(top, log_p.shape[-1]))
    tokenizer = m.lab.model.tokenizer
    return [
        {
            "rank": i + 1,
            "token": int(token) if tokenizer is None else tokenizer.decode([int(token)]),
            "probability": round(float(value.exp()), 4),
            "answer": int(token) in group.readouts.answer[places].tolist(),
        }
        for i, (value, token) in enumerate(zip(values, tokens, strict=True))
    ]
