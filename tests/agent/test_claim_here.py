"""A paper's claim is carried over by its task, never by head numbers, or the reason why not is told."""

import pytest

from agent.claim_here import carry_over
from agent.claim_parser_task import known_tasks
from kb.records import LiteratureClaim


def claim(said: str, task: str, component: str = "heads", intervention: str = "mean-ablate") -> LiteratureClaim:
    return LiteratureClaim(
        id="a#1",
        document_id="a",
        title="A",
        models=("GPT-2 small",),
        claim=said,
        task=task,
        component=component,
        intervention=intervention,
    )


@pytest.mark.parametrize(
    ("made", "task"),
    [
        (claim("Name movers copy the IO name", "IOI prompts, GPT-2 small", "heads 9.9, 9.6"), "ioi"),
        (claim("Mid heads move the year", "year-span", "heads 5.5, 6.1"), "greater-than"),
        (claim("Induction heads carry copying", "repeated random tokens on Pythia-70M"), "induction"),
        (claim("Ablation hurts counting", "'Monday, Tuesday,' style prompts"), "successor"),
    ],
)
def test_a_claim_about_components_is_an_investigation_of_its_task(made: LiteratureClaim, task: str):
    carried = carry_over(made, known_tasks())
    assert carried.task == task
    assert "GPT-2 small" in carried.english


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (claim("Seed overlap is partial", "two TopK SAEs", "latents"), "sparse autoencoder"),
        (claim("The heads form abruptly", "public checkpoints of Pythia"), "training runs"),
        (claim("EAP ranks edges like true patching", "IOI, GPT-2 small"), "compares methods"),
        (claim("Early site at last subject token", "100+ known facts", "MLP outputs"), "No task here has its data"),
    ],
)
def test_what_cannot_be_tested_says_why(made: LiteratureClaim, reason: str):
    carried = carry_over(made, known_tasks())
    assert carried.task is None
    assert reason in carried.english
    assert any("가" <= letter <= "힣" for letter in carried.korean)
