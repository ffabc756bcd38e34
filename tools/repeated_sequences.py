"""Repeated random sequences for head scores: two periods, and the same sequences with the second copy replaced.

    [BOS]  x1 ... xp  x1 ... xp-1      control:  [BOS]  x1 ... xp  y1 ... yp-1

As a Task, so that seeds, splits and provenance work as everywhere: clean is the repeated sequence, corrupted its
control. On a model with a tokenizer the tokens are ordinary words of the split's half of the vocabulary; on a planted
model every token but BOS. The only label is END; scores use all positions.
"""

from dataclasses import dataclass

import numpy as np

from tools.errors import ExperimentError
from tools.experiment import Lab
from tools.prompts import Ints, Prompts
from tools.result import content_hash
from tools.task_repeated import split_words
from tools.task_spec import Draw, Gate, Split, TaskInfo, chosen
from tools.task_tokens import Row, fresh_rows, stack
from tools.vocab import TokenizerVocab, Vocab

DEFAULT_PERIODS = (16, 25)


@dataclass(frozen=True)
class RepeatedSequences:
    """A `Task` of repeated sequences over an alphabet. `by_hash`: splits divide sequences, not the alphabet."""

    alphabet: Ints
    periods: tuple[int, ...]
    bos: int | None
    by_hash: bool

    @property
    def info(self) -> TaskInfo:
        """See `Task.info`."""
        return TaskInfo(
            name="repeated-sequences",
            version=content_hash([self.alphabet.tolist(), list(self.periods), self.bos, 1])[:12],
            title="Repeated random sequences",
            description="Random tokens, then the same again; the control has other tokens in the second place.",
            templates=tuple(f"period-{period}" for period in self.periods),
            corruptions=("second-copy",),
            gate=Gate(),
            needs_tokenizer=False,
        )

    def draw(self, vocab: Vocab | None, draw: Draw) -> Prompts:
        """See `Task.draw`; the alphabet is given, `vocab` is not used."""
        info = self.info
        templates = chosen(info.name, "period", draw.templates, info.templates)
        names = [templates[i % len(templates)] for i in range(draw.n)]
        rows = fresh_rows(info, draw, names, self._row, by_hash=self.by_hash)
        return stack(info, draw, "second-copy", rows, names, self.bos)

    def _row(self, name: str, rng: np.random.Generator) -> Row:
        period = int(name.removeprefix("period-"))
        tokens = rng.choice(self.alphabet, size=2 * period, replace=False)
        first, fresh = tokens[:period], tokens[period:]
        start = [] if self.bos is None else [self.bos]
        clean = np.array([*start, *first, *first[:-1]], np.int64)
        control = np.array([*start, *first, *fresh[:-1]], np.int64)
        return Row(clean, control, {"END": len(clean) - 1}, int(first[-1]), int(first[0]))


def sequences_for(lab: Lab, periods: tuple[int, ...] | None, split: Split) -> RepeatedSequences:
    """The sequences that fit this model. Raises ExperimentError when context or vocabulary is too small for them."""
    model = lab.model
    context = int(model.bridge.cfg.n_ctx)
    if model.tokenizer is not None:
        vocab = TokenizerVocab(model.tokenizer)
        alphabet, by_hash = split_words(vocab, split), False
        bos = vocab.bos if vocab.adds_bos else None
    elif model.spec.startswith("planted:"):
        alphabet, by_hash, bos = np.arange(1, model.d_vocab), True, 0
    else:
        raise ExperimentError(
            f"{model.name} has no tokenizer and its tokens have meanings of their own, so random sequences prove nothing."
        )
    room = min((context + 1 - (bos is not None)) // 2, len(alphabet) // 2)
    wanted = periods or tuple(min(p, room - 3 * (i == 0)) for i, p in enumerate(DEFAULT_PERIODS))
    if len(set(wanted)) < 2 or min(wanted) < 4 or max(wanted) > room:
        raise ExperimentError(
            f"head scores need two different repeat periods from 4 to {room} on this model, got {list(wanted)}."
        )
    return RepeatedSequences(alphabet, wanted, bos, by_hash)
