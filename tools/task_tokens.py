"""Prompts in token ids: repeated random tokens, drawn from an alphabet, so that only induction predicts the answer.

    [BOS]  x1 x2 ... xp  x1 x2 ... xr      ->  x(r+1), against another token of the first copy

One template per period p, so that a head with a fixed offset cannot pass for an induction head on all of them; the cut
r varies. Corruptions: `other` replaces every token (the corrupted prompt repeats too, other tokens), `first-copy`
replaces the first copy only (nothing repeats any more). Labels: END is x_r's second place, FIRST its first, ANSWER the
place after FIRST, FOIL the place of the foil. Knows no model.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tools.errors import ExperimentError
from tools.prompts import Ints, Prompts, Split, single_readouts
from tools.task_spec import Draw, TaskInfo, chosen

CORRUPTIONS = ("other", "first-copy")
LABELS = ("FIRST", "ANSWER", "FOIL", "END")
_ATTEMPTS = 400


@dataclass(frozen=True)
class Row:
    """One pair of the task in token ids, with where and what is read."""

    clean: Ints
    corrupted: Ints
    labels: dict[str, int]
    answer: int
    foil: int


def repeated_row(alphabet: Ints, period: int, corruption: str, bos: int | None, rng: np.random.Generator) -> Row:
    """Draw one pair. Raises ExperimentError when the alphabet is too small for two disjoint copies."""
    if len(alphabet) < 2 * period:
        raise ExperimentError(f"{len(alphabet)} tokens are too few for a period of {period}; {2 * period} are needed.")
    tokens = rng.choice(alphabet, size=2 * period, replace=False)
    first, fresh = tokens[:period], tokens[period:]
    cut = int(rng.integers(2, period))  # tokens of the second copy; the answer is first[cut]
    others = [i for i in range(period) if i not in (cut, cut - 1)]
    foil = int(rng.choice(others))
    start = [] if bos is None else [bos]
    clean = np.array([*start, *first, *first[:cut]], np.int64)
    second = fresh[:cut] if corruption == "other" else first[:cut]
    corrupted = np.array([*start, *fresh, *second], np.int64)
    at = len(start)
    labels = {"FIRST": at + cut - 1, "ANSWER": at + cut, "FOIL": at + foil, "END": len(clean) - 1}
    return Row(clean, corrupted, labels, int(first[cut]), int(first[foil]))


def on_side(clean: Ints, corrupted: Ints, split: Split) -> bool:
    """Whether both halves of a pair hash to this split, so that no prompt of one split appears in the other."""
    sides = {hashlib.sha256(ids.tobytes()).digest()[0] & 1 for ids in (clean, corrupted)}
    return sides == {0 if split == "explore" else 1}


def row_rng(info: TaskInfo, draw: Draw, row: int) -> np.random.Generator:
    """The random numbers of one row: they depend on the task, split, seed and row alone."""
    digest = hashlib.sha256(f"{info.name}/{info.version}/{draw.split}/{draw.seed}/{row}".encode()).digest()
    return np.random.default_rng(list(digest))


def draw_repeated(info: TaskInfo, draw: Draw, alphabet: Ints, bos: int | None, *, by_hash: bool) -> Prompts:
    """Prompts of a repeated-tokens task whose templates are named `period-<p>`.

    `by_hash` divides pairs between the splits by their hash; otherwise the alphabet given is the split's own.
    """
    templates = chosen(info.name, "template", draw.templates, info.templates)
    wanted = (draw.corruption,) if draw.corruption else None
    corruption = chosen(info.name, "corruption", wanted, info.corruptions)[0]
    names = [templates[i % len(templates)] for i in range(draw.n)]

    def make(name: str, rng: np.random.Generator) -> Row:
        return repeated_row(alphabet, int(name.removeprefix("period-")), corruption, bos, rng)

    return stack(info, draw, corruption, fresh_rows(info, draw, names, make, by_hash=by_hash), names, bos)


def fresh_rows(
    info: TaskInfo, draw: Draw, names: list[str], make: Callable[[str, np.random.Generator], Row], *, by_hash: bool
) -> list[Row]:
    """One row per template name, all different. Raises ExperimentError when no more can be found."""
    rows: list[Row] = []
    seen: set[bytes] = set()
    for i, name in enumerate(names):
        rng = row_rng(info, draw, i)
        for _ in range(_ATTEMPTS):
            row = make(name, rng)
            new = row.clean.tobytes() not in seen
            if new and (not by_hash or on_side(row.clean, row.corrupted, draw.split)):
                break
        else:
            raise ExperimentError(f"task {info.name!r} has no more different {draw.split} prompts after {len(rows)}.")
        seen.add(row.clean.tobytes())
        rows.append(row)
    return rows


def stack(info: TaskInfo, draw: Draw, corruption: str, rows: list[Row], names: list[str], bos: int | None) -> Prompts:
    """Prompts from rows that are read once each, at END."""
    labels = {label: np.array([row.labels[label] for row in rows], np.int64) for label in rows[0].labels}
    return Prompts(
        task=info.name,
        task_version=info.version,
        corruption=corruption,
        split=draw.split,
        seed=draw.seed,
        clean_tokens=tuple(row.clean for row in rows),
        corrupted_tokens=tuple(row.corrupted for row in rows),
        template=tuple(names),
        order=("only",) * len(rows),
        positions=labels,
        readouts=single_readouts(
            labels["END"],
            np.array([row.answer for row in rows], np.int64),
            np.array([row.foil for row in rows], np.int64),
        ),
        bos=bos,
    )
