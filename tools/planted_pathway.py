"""The planted model `pathway`: one number travels along a known direction, and a dormant pathway invites an illusion.

A prompt holds one token of kind A (answer YES), of kind B (answer NO), or, corrupted, of neither. Head a0.h0 brings the
kind to the last position as one number in the direction `sig`, which a1.h0 turns into the answer. Head a0.h1 brings the
same number into `corr`, which nobody reads, and could write into `dorm`, which a1.h0 reads and which never varies. A
direction of a0.h1's output that mixes the two restores the answer when patched although the head takes no part in it
(Makelov et al. 2023). Every other head writes where nobody reads.
"""

from dataclasses import dataclass

import numpy as np
import torch

from tools.planted_build import Blueprint, Copy, HeadPlan, Match
from tools.planted_truth import VOCAB, Effect, Planted, Truth, plant
from tools.prompts import Prompts
from tools.result import content_hash
from tools.task_spec import Draw, Gate, TaskInfo, chosen
from tools.task_tokens import Row, fresh_rows, stack
from tools.vocab import Vocab

BOS, YES, NO, ASK = 0, 1, 2, 3
KIND_A, KIND_B, NEITHER = np.arange(4, 10), np.arange(10, 16), np.arange(16, VOCAB)
LENGTH = 6
STRENGTH = 2.8


@dataclass(frozen=True)
class KindIds:
    """`BOS w w w w ASK` in token ids, one of the words of kind A or B; corrupted, it is of neither kind."""

    name: str

    @property
    def info(self) -> TaskInfo:
        """See `Task.info`."""
        return TaskInfo(
            name=self.name,
            version=content_hash([self.name, VOCAB, LENGTH, 1])[:12],
            title="Kind of a word in token ids",
            description="Four words, one of kind A or B: the answer says which kind.",
            templates=("four-words",),
            corruptions=("neither",),
            gate=Gate(),
            positions=("KIND", "END"),
            literature=("subspace-illusion-makelov-2023",),
            needs_tokenizer=False,
        )

    def draw(self, vocab: Vocab | None, draw: Draw) -> Prompts:
        """See `Task.draw`; the vocabulary is the planted model's own and `vocab` is not used."""
        templates = chosen(self.name, "template", draw.templates, self.info.templates)
        corruption = chosen(
            self.name, "corruption", (draw.corruption,) if draw.corruption else None, self.info.corruptions
        )
        names = [templates[i % len(templates)] for i in range(draw.n)]
        rows = fresh_rows(self.info, draw, names, _row, by_hash=True)
        return stack(self.info, draw, corruption[0], rows, names, BOS)


def _row(template: str, rng: np.random.Generator) -> Row:
    drawn = rng.choice(NEITHER, size=LENGTH - 1, replace=False)
    clean = np.array([BOS, *drawn[:-1], ASK], np.int64)
    corrupted = clean.copy()
    at = int(rng.integers(1, LENGTH - 1))
    is_a = bool(rng.integers(2))
    clean[at] = rng.choice(KIND_A if is_a else KIND_B)
    answer, foil = (YES, NO) if is_a else (NO, YES)
    return Row(clean, corrupted, {"KIND": at, "END": LENGTH - 1}, answer, foil)


def _column(tokens: np.ndarray, values: float | torch.Tensor = 1.0) -> torch.Tensor:
    column = torch.zeros(VOCAB, 1)
    column[torch.as_tensor(tokens), 0] = torch.as_tensor(values, dtype=torch.float32)
    return column


def pathway() -> Planted:
    """See the module docstring."""
    generator = torch.Generator().manual_seed(13)
    strength = [0.9 + 0.2 * torch.rand(len(kind), generator=generator) for kind in (KIND_A, KIND_B)]
    kind = _column(KIND_A, strength[0]) - _column(KIND_B, strength[1])
    kinds = np.concatenate([KIND_A, KIND_B])
    answers = torch.zeros(1, VOCAB)
    answers[0, YES], answers[0, NO] = STRENGTH, -STRENGTH
    to_kind, to_itself = (Match("ask", "iskind"),), (Match("pos", "pos"),)
    heads = {
        (0, 0): HeadPlan(to_kind, (Copy("kind", "sig"),)),
        (0, 1): HeadPlan(to_kind, (Copy("kind", "corr"), Copy("never", "dorm"))),
        (1, 0): HeadPlan(to_itself, (Copy("sig", "out", gain=answers), Copy("dorm", "out", 2.0, answers))),
        (1, 1): HeadPlan(to_kind, (Copy("kind", "junk"),)),
    }
    spaces: dict[str, int] = dict.fromkeys(("kind", "iskind", "ask", "sig", "corr", "dorm", "never", "junk"), 1)
    embed = {"kind": kind, "iskind": _column(kinds), "ask": _column(np.array([ASK]))}
    truth = Truth(
        circuit=("a0.h0", "a1.h0"),
        edges=("a0.h0->a1.h0<v>", "a1.h0->logits"),
        roles={"a0.h0": "brings the kind", "a1.h0": "writes the answer"},
        effects={
            "a0.h0": Effect(resample=1.0, zero=1.0, restore=1.0),
            "a1.h0": Effect(resample=1.0, zero=1.0, restore=1.0),
        },
        irrelevant=("a0.h1", "a1.h1"),
        traps=(
            "a direction in a0.h1's output restores the answer when patched, although the whole head does nothing",
            "the kind can be decoded from a0.h1 and a1.h1, which write what nobody reads",
        ),
    )
    blueprint = Blueprint(VOCAB, LENGTH + 2, 2, 2, spaces, heads, embed=embed, seed=13)
    return plant("pathway", blueprint, KindIds("planted-pathway"), truth)
