"""Which tokens count as answers when a prompt is read by several logits."""

import numpy as np
import torch

from tools.activations import ReadoutPlan
from tools.prompts import NO_FOIL, Readouts


class Bare:
    """An unembedder that takes the stream itself for logits."""

    def answer_logits(self, x, tokens):
        return x[..., torch.arange(len(tokens)), tokens]

    def all_logits(self, x):
        return x


def readings(answers, foils, weights, logits):
    n = len(answers)
    spots = np.zeros(n, np.int64)
    plan = ReadoutPlan(Readouts(spots, spots, np.array(answers), np.array(foils), np.array(weights)), 1, "cpu")
    x = torch.tensor(logits)[None, None]
    return {name: float(value) for name, value in plan.distributions(Bare(), x[None], x).items()}


def test_tokens_with_negative_weight_are_no_answers():
    good = readings([0, 1, 2], [NO_FOIL] * 3, [0.5, 0.5, -1.0], [0.0, 1.0, 5.0])
    assert good["top1"] == 0.0 and good["p_answer"] < 0.05


def test_a_place_read_with_negative_weight_only_keeps_its_answer():
    assert readings([1], [NO_FOIL], [-1.0], [0.0, 1.0])["top1"] == 1.0


def test_an_answer_with_a_foil_counts_whatever_its_weight():
    assert readings([1], [0], [-1.0], [0.0, 1.0])["top1"] == 1.0
