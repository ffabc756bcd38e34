"""The repeated-tokens task on a model's own tokenizer: ordinary words, divided between explore and confirm.

The alphabet is every token that is a space and at least four letters; half of it, by hash of the text, belongs to
each split, so that no token is shared. What is drawn is described in `tools/task_tokens.py`.
"""

import hashlib

import numpy as np

from tools.errors import ExperimentError
from tools.prompts import Ints, Prompts, Split
from tools.task_file import RepeatedTokensTask, task_version
from tools.task_spec import Draw, TaskInfo
from tools.task_tokens import CORRUPTIONS, LABELS, draw_repeated
from tools.vocab import Vocab, ordinary_tokens


class RepeatedDrawer:
    """A `Task` over a checked repeated-tokens file."""

    def __init__(self, spec: RepeatedTokensTask) -> None:
        self.spec = spec

    @property
    def info(self) -> TaskInfo:
        """See `Task.info`."""
        spec = self.spec
        return TaskInfo(
            name=spec.name,
            version=task_version(spec),
            title=spec.title,
            description=spec.description,
            templates=tuple(f"period-{period}" for period in spec.periods),
            corruptions=CORRUPTIONS,
            gate=spec.gate,
            positions=LABELS,
            literature=tuple(spec.literature),
            literature_says=spec.literature_says,
        )

    def draw(self, vocab: Vocab | None, draw: Draw) -> Prompts:
        """See `Task.draw`."""
        if vocab is None:
            raise ExperimentError(
                f"task {self.spec.name!r} takes words from a tokenizer and this model has none; "
                "on a planted model use its own task."
            )
        bos = vocab.bos if self.spec.bos == "always" or (self.spec.bos == "auto" and vocab.adds_bos) else None
        return draw_repeated(self.info, draw, split_words(vocab, draw.split), bos, by_hash=False)


def split_words(vocab: Vocab, split: Split) -> Ints:
    """The ordinary word tokens of one split, by the hash of their text."""
    parity = 0 if split == "explore" else 1
    words = ordinary_tokens(vocab, letters=4)
    return np.array([t for t in words if hashlib.sha256(vocab.text(t).encode()).digest()[0] & 1 == parity], np.int64)
