"""Prompts: clean/corrupted pairs of token ids with what is read out of each, drawn for one task, split and
seed.

What is measured on a row is a *linear read-out of logits*: row i's metric is

    m_i = sum over the row's read-outs r of  weight_r * (logit[position_r, answer_r] - logit[position_r,
    foil_r])

with the foil term left out where `foil_r == NO_FOIL`. The ordinary logit difference at the last position is
one read-out of weight 1; a task whose answers stand at several positions has one read-out per scored position
(weights 1/k); the mean logit of many right tokens against many wrong ones (greater-than) is several read-outs
at one position; a model that prints numbers has read-outs without a foil, signed so that clean minus
corrupted is positive.

Rows may differ in length and are **never padded**: `groups()` hands out sub-batches of equal length together
with the row numbers they came from. Token ids are final (a BOS, if wanted, is in them, see `bos`): pass them
to the model as they are. This module knows no model and no tokenizer, and does not say whether a model can do
the task.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tools.errors import ExperimentError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Split = Literal["explore", "confirm"]

NO_FOIL = -1
ABSENT = -1


@dataclass(frozen=True)
class Readouts:
    """Where and which logits are read: five arrays of one length, in row order. `foil` may hold NO_FOIL."""

    row: Ints
    position: Ints
    answer: Ints
    foil: Ints
    weight: Floats

    def __post_init__(self) -> None:
        lengths = {len(column) for column in (self.row, self.position, self.answer, self.foil, self.weight)}
        if len(lengths) != 1:
            raise ValueError(f"read-out columns differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.row)

    def reduce(self, answer_logits: Floats, foil_logits: Floats, n_rows: int) -> Floats:
        """Per-row metric from the logits read: `answer_logits`, `foil_logits` [read-outs] -> [n_rows].

        `foil_logits` is ignored where there is no foil.
        """
        margin = answer_logits - np.where(self.foil == NO_FOIL, 0.0, foil_logits)
        return np.bincount(self.row, weights=self.weight * margin, minlength=n_rows).astype(np.float64)

    def of_logits(self, logits: NDArray[Any], n_rows: int) -> Floats:
        """The naive reference: per-row metric from whole logits [n_rows, pos, vocab], as a numpy array."""
        answers = logits[self.row, self.position, self.answer].astype(np.float64)
        foils = logits[self.row, self.position, np.maximum(self.foil, 0)].astype(np.float64)
        return self.reduce(answers, foils, n_rows)

    def take(self, rows: Ints) -> "Readouts":
        """The read-outs of these rows, renumbered 0, 1, ... in the order given."""
        picked = [np.flatnonzero(self.row == row) for row in rows]
        where = np.concatenate(picked) if picked else np.zeros(0, np.int64)
        number = np.repeat(np.arange(len(rows)), [len(p) for p in picked]).astype(np.int64)
        return Readouts(number, self.position[where], self.answer[where], self.foil[where], self.weight[where])


@dataclass(frozen=True)
class PromptGroup:
    """Rows of equal length, ready for one batch. `rows` are their numbers in the Prompts they came from.

    `readouts.row` counts within the group. `positions` maps a label to [g] token indices (ABSENT where a row
    lacks it).
    """

    rows: Ints
    clean: Ints
    corrupted: Ints
    positions: Mapping[str, Ints]
    readouts: Readouts


@dataclass(frozen=True)
class Prompts:
    """n clean/corrupted pairs of one task. Every sequence has one entry per row.

    `clean_tokens[i]` and `corrupted_tokens[i]` are int64 arrays of equal length. `positions[label]` is int64
    [n], with ABSENT (-1) where a row lacks the label; every row has END. `template[i]` names the template
    (the unit the behaviour gate keeps or drops), `order[i]` the arrangement within it (ABBA). `texts` is
    empty for tasks in token ids.
    """

    task: str
    task_version: str
    corruption: str
    split: Split
    seed: int
    clean_tokens: tuple[Ints, ...]
    corrupted_tokens: tuple[Ints, ...]
    template: tuple[str, ...]
    order: tuple[str, ...]
    positions: Mapping[str, Ints]
    readouts: Readouts
    texts: tuple[str, ...] = ()
    corrupted_texts: tuple[str, ...] = ()
    bos: int | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        n = len(self.clean_tokens)
        if n == 0:
            raise ExperimentError(f"task {self.task!r} has no prompts left; keep more templates or rows.")
        for name in ("corrupted_tokens", "template", "order"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries for {n} rows")
        for i, (clean, corrupted) in enumerate(zip(self.clean_tokens, self.corrupted_tokens, strict=True)):
            if clean.shape != corrupted.shape or clean.ndim != 1:
                raise ExperimentError(
                    f"task {self.task!r}, row {i}: clean has {clean.size} tokens and corrupted "
                    f"{corrupted.size}; the two must be aligned token by token."
                )
        self._check_positions()

    def _check_positions(self) -> None:
        lengths = self.lengths
        if "END" not in self.positions:
            raise ValueError(f"positions lack END; they have {sorted(self.positions)}")
        for label, index in self.positions.items():
            if index.shape != lengths.shape or ((index >= lengths) | (index < ABSENT)).any():
                raise ValueError(f"position {label} lies outside its rows: {index!r}")
        if (np.bincount(self.readouts.row, minlength=len(self)) == 0).any():
            raise ValueError("a row has no read-out: nothing would be measured on it")
        if (self.readouts.position >= lengths[self.readouts.row]).any():
            raise ValueError("a read-out lies outside its row")

    def __len__(self) -> int:
        return len(self.clean_tokens)

    @property
    def lengths(self) -> Ints:
        """Tokens per row, [n]."""
        return np.array([tokens.size for tokens in self.clean_tokens], np.int64)

    @property
    def answer(self) -> Ints:
        """The answer token per row, [n]; raises ExperimentError where a row has several read-outs."""
        self._single("answer")
        return self.readouts.answer

    @property
    def foil(self) -> Ints:
        """The foil token per row, [n] (NO_FOIL where there is none); raises as `answer`."""
        self._single("foil")
        return self.readouts.foil

    @property
    def single_readout(self) -> bool:
        """Whether each row is read once, at one position, with one answer and one foil."""
        return len(self.readouts) == len(self)

    def _single(self, what: str) -> None:
        if not self.single_readout:
            raise ExperimentError(f"task {self.task!r} reads several logits per prompt: it has no one {what} token.")

    @property
    def sha256(self) -> str:
        """Hash of everything that is measured: token ids and read-outs, in row order."""
        digest = hashlib.sha256()
        for clean, corrupted in zip(self.clean_tokens, self.corrupted_tokens, strict=True):
            digest.update(json.dumps([clean.tolist(), corrupted.tolist()]).encode())
        r = self.readouts
        columns = [r.row.tolist(), r.position.tolist(), r.answer.tolist(), r.foil.tolist(), r.weight.tolist()]
        digest.update(json.dumps(columns).encode())
        return digest.hexdigest()

    @property
    def row_hashes(self) -> tuple[str, ...]:
        """sha256 of each row's clean tokens: what the guard against double dipping compares."""
        return tuple(hashlib.sha256(json.dumps(t.tolist()).encode()).hexdigest() for t in self.clean_tokens)

    def position(self, label: str) -> Ints:
        """Token index per row of a label, [n]. Raises ExperimentError naming the labels of this task."""
        if label not in self.positions:
            known = ", ".join(self.positions)
            raise ExperimentError(f"task {self.task!r} has no position {label!r}; its positions are {known}.")
        index = self.positions[label]
        if (index == ABSENT).any():
            row = int(np.flatnonzero(index == ABSENT)[0])
            raise ExperimentError(
                f"position {label!r} is missing in template {self.template[row]!r}; leave that template out."
            )
        return index

    def subset(self, rows: Sequence[int] | Ints) -> "Prompts":
        """These rows only, in the order given."""
        index = np.asarray(rows, np.int64)
        if index.size and (index.min() < 0 or index.max() >= len(self)):
            raise ExperimentError(f"rows must lie in 0 to {len(self) - 1}, got {index.min()} to {index.max()}.")

        def pick(column: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(column[i] for i in index) if column else ()

        return replace(
            self,
            clean_tokens=pick(self.clean_tokens),
            corrupted_tokens=pick(self.corrupted_tokens),
            template=pick(self.template),
            order=pick(self.order),
            positions={label: where[index] for label, where in self.positions.items()},
            readouts=self.readouts.take(index),
            texts=pick(self.texts),
            corrupted_texts=pick(self.corrupted_texts),
        )

    def keep_templates(self, templates: Sequence[str]) -> "Prompts":
        """Only the rows of these templates. Raises ExperimentError when one is unknown."""
        unknown = set(templates) - set(self.template)
        if unknown:
            raise ExperimentError(
                f"no prompt has template {sorted(unknown)!r}; there are {sorted(set(self.template))}."
            )
        return self.subset([i for i, name in enumerate(self.template) if name in templates])

    def groups(self, max_rows: int | None = None) -> Iterator[PromptGroup]:
        """Sub-batches of equal length, shortest first, at most `max_rows` rows each; together they cover
        every row.
        """
        lengths = self.lengths
        for length in sorted(set(lengths.tolist())):
            same = np.flatnonzero(lengths == length).astype(np.int64)
            step = max_rows or len(same)
            for start in range(0, len(same), step):
                yield self._group(same[start : start + step])

    def _group(self, rows: Ints) -> PromptGroup:
        return PromptGroup(
            rows=rows,
            clean=np.stack([self.clean_tokens[i] for i in rows]),
            corrupted=np.stack([self.corrupted_tokens[i] for i in rows]),
            positions={label: where[rows] for label, where in self.positions.items()},
            readouts=self.readouts.take(rows),
        )


def single_readouts(position: Ints, answer: Ints, foil: Ints) -> Readouts:
    """One read-out of weight 1 per row: the logit difference at `position` [n]."""
    n = len(position)
    return Readouts(np.arange(n, dtype=np.int64), position, answer, foil, np.ones(n))
