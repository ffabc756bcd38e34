"""A user's own task from a table of prompt pairs: CSV or JSON Lines, in text or in token ids.

Text columns: `clean, corrupted, answer, foil` (answer and foil with their leading space, as they follow the prompt), and
optionally `template`. Token-id fields (JSON Lines only): `clean_ids, corrupted_ids, answer_id, foil_id`. Every problem
is named with its row, counted from 1 as in the file without its header. Rows that share a prompt go to the same split,
so that explore and confirm stay apart. Read at END only; a task with other read-outs is a YAML file or a case folder.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from tools.errors import ExperimentError
from tools.prompts import Prompts, Split, single_readouts
from tools.result import content_hash
from tools.task_spec import Draw, Gate, TaskInfo, chosen
from tools.vocab import Vocab, single_token


class TextPair(BaseModel):
    """One row in text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clean: str
    corrupted: str
    answer: str
    foil: str
    template: str = "all"


class IdPair(BaseModel):
    """One row in token ids."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clean_ids: list[int]
    corrupted_ids: list[int]
    answer_id: int
    foil_id: int
    template: str = "all"


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row; row 0 is the file as a whole."""

    row: int
    text: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.text}" if self.row else self.text


@dataclass(frozen=True)
class Pair:
    """A row as token ids."""

    clean: tuple[int, ...]
    corrupted: tuple[int, ...]
    answer: int
    foil: int
    template: str
    texts: tuple[str, str] | None


def read_rows(path: Path) -> tuple[dict[int, TextPair | IdPair], list[Problem]]:
    """The well-formed rows by number, and what is wrong with the others. Raises ExperimentError for no table at all."""
    rows: dict[int, TextPair | IdPair] = {}
    problems: list[Problem] = []
    for number, data in _records(path):
        if isinstance(data, str):
            problems.append(Problem(number, data))
            continue
        try:
            rows[number] = IdPair(**data) if "clean_ids" in data else TextPair(**data)
        except (ValidationError, TypeError) as error:
            problems.append(Problem(number, _reason(error)))
    if not rows and not problems:
        raise ExperimentError(f"{path} has no rows; give it columns clean, corrupted, answer, foil and a row per pair.")
    return rows, problems


def _reason(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return "is no object with named fields"
    return "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()[:3])


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """(row number, fields or what is wrong) of each row."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ExperimentError(f"{path} cannot be read as text: {error}") from error
    if path.suffix == ".csv":
        for number, row in enumerate(csv.DictReader(text.splitlines()), 1):
            extra = row.pop(None, None)  # pyright: ignore[reportArgumentType, reportCallIssue]  # csv keys extra cells by None
            yield number, {k: v for k, v in row.items() if v is not None} if extra is None else "has too many cells"
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                yield number, f"is not JSON: {error}"


def encode_row(row: TextPair | IdPair, vocab: Vocab | None) -> tuple[Pair | None, list[str]]:
    """The row as token ids, and what is wrong with it (then no pair)."""
    if isinstance(row, IdPair):
        pair = Pair(tuple(row.clean_ids), tuple(row.corrupted_ids), row.answer_id, row.foil_id, row.template, None)
        wrong = [] if vocab is None else [i for i in (*pair.clean, *pair.corrupted) if not 0 <= i < vocab.size]
        problems = [f"token id {wrong[0]} does not exist; ids go from 0 to {vocab.size - 1}"] if wrong and vocab else []
    else:
        if vocab is None:
            return None, ["is text, and the model has no tokenizer; give token ids"]
        bos = [vocab.bos] if vocab.adds_bos and vocab.bos is not None else []
        tokens = {name: single_token(vocab, getattr(row, name)) for name in ("answer", "foil")}
        problems = [_splits(vocab, name, getattr(row, name)) for name, token in tokens.items() if token is None]
        clean, corrupted = ((*bos, *vocab.encode(text).ids) for text in (row.clean, row.corrupted))
        pair = Pair(
            clean, corrupted, tokens["answer"] or 0, tokens["foil"] or 0, row.template, (row.clean, row.corrupted)
        )
    problems += _wrong_with(pair) if not problems else []
    return (None, problems) if problems else (pair, [])


def _splits(vocab: Vocab, name: str, text: str) -> str:
    pieces = [vocab.text(token) for token in vocab.encode(text).ids]
    hint = f"; {' ' + text!r} with its leading space is one" if single_token(vocab, " " + text) is not None else ""
    return f"{name} {text!r} is {len(pieces)} tokens {pieces} and must be one{hint}"


def _wrong_with(pair: Pair) -> list[str]:
    problems = []
    if not pair.clean or not pair.corrupted:
        problems.append("a prompt is empty")
    elif len(pair.clean) != len(pair.corrupted):
        problems.append(f"clean is {len(pair.clean)} tokens and corrupted {len(pair.corrupted)}; they must be aligned")
    elif pair.clean == pair.corrupted:
        problems.append("clean and corrupted are identical")
    if pair.answer == pair.foil:
        problems.append("answer and foil are the same token")
    return problems


class PairsTask:
    """A `Task` over a user's table. Every row must be in order: see `tools/task_check.py` for the whole list."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows, problems = read_rows(path)
        if problems:
            raise ExperimentError(
                f"{path}: {problems[0]} ({len(problems)} rows are wrong); run tasks check on the file."
            )

    @property
    def info(self) -> TaskInfo:
        """See `Task.info`."""
        rows = list(self.rows.values())
        return TaskInfo(
            name=self.path.stem,
            version=content_hash([row.model_dump() for row in rows])[:12],
            title=f"Prompt pairs of {self.path.name}",
            description=f"{len(rows)} prompt pairs from a file.",
            templates=tuple(dict.fromkeys(row.template for row in rows)),
            corruptions=("paired",),
            gate=Gate(corrupted_share=None),
            needs_tokenizer=any(isinstance(row, TextPair) for row in rows),
        )

    def draw(self, vocab: Vocab | None, draw: Draw) -> Prompts:
        """See `Task.draw`. Raises ExperimentError naming the first wrong row, or how many rows the split has."""
        info = self.info
        templates = chosen(info.name, "template", draw.templates, info.templates)
        chosen(info.name, "corruption", (draw.corruption,) if draw.corruption else None, info.corruptions)
        pairs = []
        for number, row in self.rows.items():
            pair, problems = encode_row(row, vocab)
            if pair is None:
                raise ExperimentError(f"{self.path}: {Problem(number, problems[0])}; run tasks check on the file.")
            pairs.append(pair)
        sides = split_pairs(pairs)
        own = [
            pair for pair, side in zip(pairs, sides, strict=True) if side == draw.split and pair.template in templates
        ]
        if len(own) < draw.n:
            raise ExperimentError(f"task {info.name!r} has {len(own)} {draw.split} pairs; ask for at most that many.")
        order = np.random.default_rng(draw.seed).permutation(len(own))[: draw.n]
        return _stack(info, draw, [own[i] for i in order])


def split_pairs(pairs: list[Pair]) -> list[Split]:
    """The split of each pair: pairs that share a prompt are on one side, chosen by the hash of their smallest prompt."""
    parent: dict[tuple[int, ...], tuple[int, ...]] = {}

    def root(ids: tuple[int, ...]) -> tuple[int, ...]:
        parent.setdefault(ids, ids)
        while parent[ids] != ids:
            parent[ids] = ids = parent[parent[ids]]
        return ids

    for pair in pairs:
        low, high = sorted((root(pair.clean), root(pair.corrupted)))
        parent[high] = low
    digests = [hashlib.sha256(json.dumps(root(pair.clean)).encode()).digest()[0] for pair in pairs]
    return ["confirm" if digest & 1 else "explore" for digest in digests]


def _stack(info: TaskInfo, draw: Draw, pairs: list[Pair]) -> Prompts:
    end = np.array([len(pair.clean) - 1 for pair in pairs], np.int64)
    answers, foils = (np.array([getattr(pair, name) for pair in pairs], np.int64) for name in ("answer", "foil"))
    texts = [pair.texts for pair in pairs if pair.texts is not None]
    whole = len(texts) == len(pairs)
    return Prompts(
        task=info.name,
        task_version=info.version,
        corruption="paired",
        split=draw.split,
        seed=draw.seed,
        clean_tokens=tuple(np.array(pair.clean, np.int64) for pair in pairs),
        corrupted_tokens=tuple(np.array(pair.corrupted, np.int64) for pair in pairs),
        template=tuple(pair.template for pair in pairs),
        order=("only",) * len(pairs),
        positions={"END": end},
        readouts=single_readouts(end, answers, foils),
        texts=tuple(text for text, _ in texts) if whole else (),
        corrupted_texts=tuple(text for _, text in texts) if whole else (),
    )
