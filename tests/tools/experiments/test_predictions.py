"""Probabilities, ranks, entropy and KL against torch's own numbers on a planted model."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tools.experiments.predictions import Predictions, predictions
from tools.task_spec import Draw
from tools.tasks import find_task

CASES = Path(__file__).parents[2] / "data" / "cases"


def test_numbers_equal_plain_torch(lab):
    the_lab = lab("planted:induction")
    result = predictions(the_lab, Predictions(task="planted-induction", n=6, templates=["period-6"]))
    prompts = find_task("planted-induction").draw(None, Draw(6, templates=("period-6",)))
    for i in range(6):
        clean, corrupted = (
            the_lab.model.bridge(torch.tensor(tokens[i])[None])[0, -1].log_softmax(-1)
            for tokens in (prompts.clean_tokens, prompts.corrupted_tokens)
        )
        expected = {
            "p_answer": clean[prompts.answer[i]].exp(),
            "p_foil": clean[prompts.foil[i]].exp(),
            "rank": (clean > clean[prompts.answer[i]]).sum() + 1,
            "entropy": torch.distributions.Categorical(logits=clean).entropy(),
            "kl": torch.nn.functional.kl_div(corrupted, clean, log_target=True, reduction="sum"),
            "p_answer_corrupted": corrupted[prompts.answer[i]].exp(),
        }
        for name, value in expected.items():
            assert result.arrays[f"{name}_per_prompt"][i] == pytest.approx(float(value), abs=1e-4), name


def test_the_tables_show_the_median_and_the_worst_prompt(lab):
    result = predictions(lab("planted:induction"), Predictions(task="planted-induction", n=9, top=3))
    rows = result.tables["top_tokens"]
    assert [row["prompt"] for row in rows] == ["median"] * 3 + ["worst"] * 3
    assert rows[0]["answer"] and rows[0]["rank"] == 1


def test_several_positions_per_prompt_are_averaged(lab):
    spec = f"case:{CASES / 'case_11'}"
    result = predictions(lab(spec), Predictions(task=spec, n=12))
    assert 0 < result.estimate("p_answer").value <= 1 and result.estimate("p_foil").value < 0.5
    assert np.isfinite(result.arrays["kl_per_prompt"]).all()
