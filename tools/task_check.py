"""Checks a user's task file against a tokenizer and names everything that is wrong with it, row by row.

A YAML file of templates, or a CSV / JSON Lines table of prompt pairs (text or token ids). Without a tokenizer only what
can be seen in the file is checked. Passing says that the task can be drawn, not that a model can do it: that is the
behaviour gate's to say.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from tools.errors import ExperimentError
from tools.prompts import Split
from tools.task_file import TemplateTask, read_task_file
from tools.task_pairs import Problem, encode_row, read_rows
from tools.task_repeated import RepeatedDrawer
from tools.task_spec import Draw, Task
from tools.task_templates import TemplateDrawer, filler_problems
from tools.vocab import Vocab

TABLES = (".csv", ".jsonl")
TASK_FILES = (*TABLES, ".yaml", ".yml")
SAMPLE = 32


@dataclass(frozen=True)
class TaskCheck:
    """The outcome. `checked`: rows, or prompts drawn per split; `problems` make the task unusable; `notes` do not."""

    path: str
    kind: str
    checked: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the task can be used."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Plain JSON for the command line and the app."""
        return {
            "path": self.path,
            "kind": self.kind,
            "passed": self.passed,
            "checked": self.checked,
            "problems": [{"row": one.row, "problem": one.text} for one in self.problems],
            "notes": list(self.notes),
        }


def check_task(path: Path, vocab: Vocab | None) -> TaskCheck:
    """Check a task file. Raises ExperimentError when it is no task file at all."""
    if not path.is_file():
        raise ExperimentError(f"there is no file {path}; check the path.")
    if path.suffix in TABLES:
        return _check_table(path, vocab)
    if path.suffix in (".yaml", ".yml"):
        return _check_yaml(path, vocab)
    raise ExperimentError(f"{path.name} is no task file; use .yaml (templates), .csv or .jsonl (pairs of prompts).")


def _check_table(path: Path, vocab: Vocab | None) -> TaskCheck:
    rows, problems = read_rows(path)
    seen: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}
    for number, row in rows.items():
        pair, wrong = encode_row(row, vocab)
        problems += [Problem(number, text) for text in wrong]
        if pair is None:
            continue
        first = seen.setdefault((pair.clean, pair.corrupted), number)
        if first != number:
            problems.append(Problem(number, f"repeats row {first}"))
    total = len({*rows, *(one.row for one in problems)})
    notes = [] if total >= 64 else [f"{total} rows make few prompts per split; verdicts want 32 to 128 of each"]
    return TaskCheck(str(path), "pairs", total, tuple(sorted(problems, key=lambda one: one.row)), tuple(notes))


def _check_yaml(path: Path, vocab: Vocab | None) -> TaskCheck:
    try:
        spec = read_task_file(path)
    except ExperimentError as error:
        return TaskCheck(str(path), "yaml", 0, (Problem(0, str(error)),), ())
    if vocab is None:
        return TaskCheck(str(path), spec.kind, 0, (), ("without a tokenizer only the file's form was checked",))
    task: Task = TemplateDrawer(spec) if isinstance(spec, TemplateTask) else RepeatedDrawer(spec)
    notes = filler_problems(spec, vocab) if isinstance(spec, TemplateTask) else []
    problems = []
    for split in get_args(Split):
        for template in task.info.templates:
            for corruption in task.info.corruptions:
                try:
                    task.draw(vocab, Draw(SAMPLE, split, 0, (template,), corruption))
                except ExperimentError as error:
                    problems.append(Problem(0, f"template {template}, corruption {corruption}, {split}: {error}"))
    return TaskCheck(str(path), spec.kind, SAMPLE, tuple(problems), tuple(notes))
