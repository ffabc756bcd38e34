"""The tasks of the planted models: token ids only, token 0 is BOS.

`RepeatedIds` is the repeated-tokens task over a planted model's own vocabulary. `NamesIds` is indirect object
identification in four kinds of token: BOS, names, and the three words `and`, `gave`, `to`. No tokenizer is needed.
"""

from dataclasses import dataclass

import numpy as np

from tools.prompts import Prompts
from tools.result import content_hash
from tools.task_spec import Draw, Gate, TaskInfo, chosen
from tools.task_tokens import CORRUPTIONS, LABELS, Row, draw_repeated, fresh_rows, stack
from tools.vocab import Vocab

BOS = 0
AND, GAVE, TO = 1, 2, 3
FIRST_NAME = 4


@dataclass(frozen=True)
class RepeatedIds:
    """Repeated random tokens 1 .. n_vocab - 1 with BOS in front."""

    name: str
    n_vocab: int
    periods: tuple[int, ...]

    @property
    def info(self) -> TaskInfo:
        """See `Task.info`."""
        return TaskInfo(
            name=self.name,
            version=content_hash([self.name, self.n_vocab, list(self.periods), 1])[:12],
            title="Repeated tokens",
            description="Random tokens, then the same again, cut short: the next token of the first copy is the answer.",
            templates=tuple(f"period-{period}" for period in self.periods),
            corruptions=CORRUPTIONS,
            gate=Gate(),
            positions=LABELS,
            literature=("induction-heads-olsson-2022",),
            needs_tokenizer=False,
        )

    def draw(self, vocab: Vocab | None, draw: Draw) -> Prompts:
        """See `Task.draw`; the vocabulary is the planted model's own and `vocab` is not used."""
        return draw_repeated(self.info, draw, np.arange(1, self.n_vocab), BOS, by_hash=True)


@dataclass(frozen=True)
class NamesIds:
    """`BOS A and B gave S to` in token ids, where S repeats A or B and the other one is the answer."""

    name: str
    n_vocab: int

    @property
    def info(self) -> TaskInfo:
        """See `Task.info`."""
        return TaskInfo(
            name=self.name,
            version=content_hash([self.name, self.n_vocab, 1])[:12],
            title="Indirect object in token ids",
            description="Two names, one of them again: the other one is the answer.",
            templates=("ABBA", "BABA"),
            corruptions=("ABC", "S2"),
            gate=Gate(),
            positions=("IO", "S1", "S2", "END"),
            literature=("ioi-wang-2022",),
            needs_tokenizer=False,
        )

    def draw(self, vocab: Vocab | None, draw: Draw) -> Prompts:
        """See `Task.draw`; the vocabulary is the planted model's own and `vocab` is not used."""
        info = self.info
        templates = chosen(self.name, "template", draw.templates, info.templates)
        wanted = (draw.corruption,) if draw.corruption else None
        corruption = chosen(self.name, "corruption", wanted, info.corruptions)[0]
        names = [templates[i % len(templates)] for i in range(draw.n)]

        def make(template: str, rng: np.random.Generator) -> Row:
            return self._row(template, corruption, rng)

        return stack(info, draw, corruption, fresh_rows(info, draw, names, make, by_hash=True), names, BOS)

    def _row(self, template: str, corruption: str, rng: np.random.Generator) -> Row:
        where = {"IO": 1, "S1": 3, "S2": 5, "END": 6} if template == "ABBA" else {"IO": 3, "S1": 1, "S2": 5, "END": 6}
        io, s, *fresh = rng.choice(np.arange(FIRST_NAME, self.n_vocab), size=5, replace=False)
        clean = np.array([BOS, 0, AND, 0, GAVE, s, TO], np.int64)
        clean[where["IO"]], clean[where["S1"]] = io, s
        corrupted = clean.copy()
        for label, token in zip(("S2", "S1", "IO"), fresh, strict=True):
            if corruption == "ABC" or label == "S2":
                corrupted[where[label]] = token
        return Row(clean, corrupted, where, int(io), int(s))
