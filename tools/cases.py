"""Cases: folders with a small transformer, a task in token ids, its true circuit and claims with truth labels.

A case folder holds `config.json` and `model.safetensors` (a HookedTransformer), `task.json` (inputs with the expected
output at each position), `circuit.json` and `claims.jsonl`; `decoy/` holds a second model for the same task with busy
but irrelevant parts. The spec `case:<folder>` names both the model (`tools/models.py`) and the task.

Answers stand at several positions, so a prompt has one read-out per position where a real token stands in both members
of the pair and their answers differ: logit(clean answer) - logit(corrupted answer), averaged over the positions. A
model that prints numbers is read without a foil, signed so that clean minus corrupted is positive: its harm is the
share of the way from the clean to the corrupted output that an intervention moves it. Inputs are divided between
explore and confirm by their hash; within a split any two whose answers differ can be paired, so there are more pairs
than the file lists (`as_given` returns the listed ones). PAD is a token like any other here and nothing masks it.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tools.errors import ExperimentError
from tools.prompts import NO_FOIL, Ints, Prompts, Readouts, Split
from tools.task_spec import Draw, Gate, TaskInfo, chosen
from tools.task_tokens import row_rng
from tools.vocab import Vocab

ClaimKind = Literal["necessity", "irrelevance", "edge", "circuit", "role"]
Expected = tuple[float | str | None, ...]
_ATTEMPTS = 400


@dataclass(frozen=True)
class Input:
    """Token ids with the expected output at each position (None: not scored)."""

    ids: tuple[int, ...]
    expected: Expected

    @property
    def side(self) -> Split:
        """The split this input belongs to."""
        digest = hashlib.sha256(json.dumps(self.ids).encode()).digest()
        return "confirm" if digest[0] & 1 else "explore"

    def differs(self, other: "Input") -> list[int]:
        """Positions scored in both whose answers differ."""
        pairs = enumerate(zip(self.expected, other.expected, strict=True))
        return [i for i, (a, b) in pairs if a is not None and b is not None and a != b]


@dataclass(frozen=True)
class CaseClaim:
    """A sentence about the case's model and whether it is true."""

    id: str
    text: str
    kind: ClaimKind
    components: tuple[str, ...]
    truth: bool
    why: str


class CaseTask:
    """The `Task` of a case folder."""

    def __init__(self, data: dict[str, Any], name: str) -> None:
        self.name = name
        self.description = str(data["description"])
        self.labels: list[Any] | None = data["output"]["labels"]
        self.n_vocab = len(data["token_ids"])
        self.special_ids = tuple(one["id"] for one in (data["bos"], data.get("pad")) if one)
        words = {one["id"]: one["token"] for one in data["token_ids"] if one["id"] not in self.special_ids}
        numeric = all(isinstance(token, int | float) and not isinstance(token, bool) for token in words.values())
        self.spelled = {k: str(v) for k, v in words.items()}
        self.numbers: dict[int, float] | None = {k: float(v) for k, v in words.items()} if numeric else None
        self._examples = data["examples"]
        self._version = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def info(self) -> TaskInfo:
        """See `Task.info`. The gate asks for a tenth of the gap that these one-hot-like logits have."""
        return TaskInfo(
            name=self.name,
            version=self._version,
            title=self.description,
            description=self.description,
            templates=("all",),
            corruptions=("paired",),
            gate=Gate(gap=0.01 if self.labels is None else 0.05, corrupted_share=None, relative=self.labels is None),
            metric="logit_diff" if self.labels is not None else "signed_value",
            unit="logits" if self.labels is not None else "output units",
            needs_tokenizer=False,
        )

    @cached_property
    def given_pairs(self) -> list[tuple[Input, Input]]:
        """The pairs that the file lists, in its order."""
        pairs = []
        for example in self._examples:
            clean = Input(tuple(example["ids"]), tuple(example["expected"]))
            corrupted = Input(tuple(example["corrupted_ids"]), tuple(example["corrupted_expected"]))
            pairs.append((clean, corrupted))
        return pairs

    @cached_property
    def inputs(self) -> dict[Split, list[Input]]:
        """Every different input, by the split its hash puts it in."""
        different = dict.fromkeys(one for pair in self.given_pairs for one in pair)
        if len({one.ids for one in different}) != len(different):
            raise ExperimentError(f"case {self.name}: one input is listed with two different answers.")
        sides: dict[Split, list[Input]] = {"explore": [], "confirm": []}
        for one in different:
            sides[one.side].append(one)
        return sides

    def draw(self, vocab: Vocab | None, draw: Draw) -> Prompts:
        """See `Task.draw`; token ids only, `vocab` is not used. Each input is clean once before one is twice."""
        chosen(self.name, "template", draw.templates, self.info.templates)
        chosen(self.name, "corruption", (draw.corruption,) if draw.corruption else None, self.info.corruptions)
        pool = self.inputs[draw.split]
        order = row_rng(self.info, draw, -1).permutation(len(pool))
        pairs: list[tuple[Input, Input]] = []
        seen: set[tuple[Input, Input]] = set()
        for i in range(draw.n):
            pair = self._partner(pool[order[i % len(pool)]], pool, row_rng(self.info, draw, i), seen)
            seen.add(pair)
            pairs.append(pair)
        return self._stack(pairs, draw)

    def as_given(self) -> Prompts:
        """The pairs of the file, whatever their split: to reproduce the effects its circuit was verified with."""
        return self._stack(self.given_pairs, Draw(len(self.given_pairs)))

    def _partner(
        self, clean: Input, pool: list[Input], rng: np.random.Generator, seen: set[tuple[Input, Input]]
    ) -> tuple[Input, Input]:
        for _ in range(_ATTEMPTS):
            pair = (clean, pool[int(rng.integers(len(pool)))])
            if pair not in seen and clean.differs(pair[1]):
                return pair
        raise ExperimentError(f"task {self.name!r} has no more different prompts after {len(seen)}; ask for fewer.")

    def _stack(self, pairs: list[tuple[Input, Input]], draw: Draw) -> Prompts:
        n = len(pairs)
        return Prompts(
            task=self.name,
            task_version=self._version,
            corruption="paired",
            split=draw.split,
            seed=draw.seed,
            clean_tokens=tuple(np.array(clean.ids, np.int64) for clean, _ in pairs),
            corrupted_tokens=tuple(np.array(corrupted.ids, np.int64) for _, corrupted in pairs),
            template=("all",) * n,
            order=("only",) * n,
            positions={"END": np.array([_last_scored(clean) for clean, _ in pairs], np.int64)},
            readouts=self._readouts(pairs),
        )

    def _readouts(self, pairs: list[tuple[Input, Input]]) -> Readouts:
        row, position, answer, foil, weight = [], [], [], [], []
        for i, (clean, corrupted) in enumerate(pairs):
            places = clean.differs(corrupted)
            for place in places:
                right, wrong = clean.expected[place], corrupted.expected[place]
                row.append(i)
                position.append(place)
                answer.append(0 if self.labels is None else self.labels.index(right))
                foil.append(NO_FOIL if self.labels is None else self.labels.index(wrong))
                sign = 1.0 if self.labels is not None or float(right or 0) > float(wrong or 0) else -1.0
                weight.append(sign / len(places))
        columns: list[Ints] = [np.array(column, np.int64) for column in (row, position, answer, foil)]
        return Readouts(columns[0], columns[1], columns[2], columns[3], np.array(weight))


def _last_scored(one: Input) -> int:
    return max(i for i, expected in enumerate(one.expected) if expected is not None)


@dataclass(frozen=True)
class Case:
    """A case folder, plain or decoy: the spec of its model, its task, and what is true of it."""

    spec: str
    folder: Path
    decoy: bool
    task: CaseTask
    circuit: dict[str, Any]
    claims: tuple[CaseClaim, ...]

    @property
    def components(self) -> dict[str, dict[str, Any]]:
        """Every head and MLP with its role, status and measured effects."""
        return self.circuit["components"]

    @property
    def members(self) -> tuple[str, ...]:
        """The heads and MLPs of the true circuit."""
        return tuple(name for name, part in self.components.items() if part["in_circuit"])

    @property
    def inert(self) -> tuple[str, ...]:
        """Members whose resampling changes nothing on these inputs although zeroing does."""
        return tuple(self.circuit["in_circuit_but_inert_under_resample"])


def read_case(folder: Path) -> Case:
    """Read a case folder, or the `decoy` folder in one. Raises ExperimentError naming the missing file."""
    decoy = folder.name == "decoy"
    for path in (folder / "circuit.json", folder / "claims.jsonl", folder / "model.safetensors"):
        if not path.is_file():
            raise ExperimentError(f"{folder} is no case: {path.name} is missing.")
    lines = (folder / "claims.jsonl").read_text(encoding="utf-8").splitlines()
    keys = ("id", "text", "kind", "truth", "why")
    claims = [json.loads(line) for line in lines if line.strip()]
    return Case(
        spec=f"case:{folder}",
        folder=folder,
        decoy=decoy,
        task=case_task(folder),
        circuit=json.loads((folder / "circuit.json").read_text(encoding="utf-8")),
        claims=tuple(CaseClaim(components=tuple(one["components"]), **{k: one[k] for k in keys}) for one in claims),
    )


def find_cases(folder: Path) -> list[Case]:
    """Every case under a folder, plain before decoy, in order of name. Raises ExperimentError when there is none."""
    plain = sorted(path.parent for path in folder.glob("*/task.json"))
    if not plain:
        raise ExperimentError(f"{folder} holds no cases; a case is a folder with task.json and circuit.json.")
    return [read_case(path) for one in plain for path in (one, one / "decoy") if (path / "circuit.json").is_file()]


def case_task(folder: Path) -> CaseTask:
    """The task of a case folder or of its decoy (they share one). Raises ExperimentError when there is none."""
    home = folder.parent if folder.name == "decoy" else folder
    if not (home / "task.json").is_file():
        raise ExperimentError(f"{home} is no case: task.json is missing.")
    return _read_task(home)


@cache
def _read_task(home: Path) -> CaseTask:
    data = json.loads((home / "task.json").read_text(encoding="utf-8"))
    return CaseTask(data, f"case:{home.name}")
