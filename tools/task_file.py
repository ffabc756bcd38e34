"""The format of a task file: YAML with fillers, templates and rules for corrupting, read and checked.

    variables: {IO: name, S: name}           each prompt draws a row of the pool for each variable, all
    different orders:                                   arrangements; an alias stands for a variable (or
    variable.column) ABBA: {A: IO, B: S, C: S} templates: went: "When {A} and {B} went to the shop, {C} gave a
    ring to" answer: " {IO}"                           one token each; a column may also hold a list of tokens
    foil: " {S}" corruptions: ABC: {IO: fresh, S1: fresh, S2: fresh}  occurrence -> `fresh` row, another
    variable, or variable.column

An occurrence is named after its variable, and numbered when the variable stands more than once: IO, S1, S2.
These are also the position labels; `extra_labels: [S1+1]` adds the token after. This module knows the format
only; it asks no tokenizer whether a filler is one token (`tools/task_templates.py` does).
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tools.errors import ExperimentError
from tools.result import content_hash
from tools.task_spec import Gate

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*(?:\.\w+)?)\}")
FORMAT = 1

Row = dict[str, str | list[str]]
SplitRule = Literal["pools", "prompts"]


class Pool(BaseModel):
    """Fillers of one kind: rows of named columns (plain words become the column `word`).

    `lead` is what stands before a filler in the text: a space, or nothing for digits inside a number. A split
    pool is divided between explore and confirm, so that no filler appears in both.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: list[Row] = Field(min_length=2)
    lead: str = " "
    split: bool = True

    @model_validator(mode="before")
    @classmethod
    def _plain_words(cls, data: Any) -> Any:
        """`[a, b]` and `{rows: [a, b]}` mean rows with the one column `word`."""
        if isinstance(data, list):
            data = {"rows": data}
        if isinstance(data, dict) and isinstance(data.get("rows"), list):
            data = {**data, "rows": [row if isinstance(row, dict) else {"word": row} for row in data["rows"]]}
        return data

    @model_validator(mode="after")
    def _same_columns(self) -> "Pool":
        for i, row in enumerate(self.rows):
            if row.keys() != self.rows[0].keys():
                raise ValueError(f"row {i + 1} has columns {sorted(row)}, the first row {sorted(self.rows[0])}")
        return self


class TaskHead(BaseModel):
    """What every task file begins with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    description: str
    literature: list[str] = Field(default_factory=list, description="keys of library entries")
    literature_says: str = ""
    gate: Gate = Field(default_factory=Gate)
    bos: Literal["auto", "always", "never"] = Field(
        default="auto", description="auto: a BOS in front if the tokenizer puts one there itself"
    )


class TemplateTask(TaskHead):
    """A task drawn from templates."""

    kind: Literal["templates"]
    pools: dict[str, Pool]
    variables: dict[str, str] = Field(min_length=1)
    orders: dict[str, dict[str, str]] = Field(default_factory=lambda: {"only": {}})
    templates: dict[str, str] = Field(min_length=1)
    answer: str | dict[str, str] = Field(description="text of the answer token, or one text per order")
    foil: str | dict[str, str]
    corruptions: dict[str, dict[str, str]] = Field(min_length=1, description="the first one is the default")
    extra_labels: list[str] = Field(default_factory=list)
    split: SplitRule = "pools"

    @model_validator(mode="after")
    def _names_resolve(self) -> "TemplateTask":
        for variable, pool in self.variables.items():
            if pool not in self.pools:
                raise ValueError(f"variable {variable} names the pool {pool!r}; there are {sorted(self.pools)}")
        for order in self.orders:
            for text in self.texts(order):
                for name in PLACEHOLDER.findall(text):
                    self.resolve(order, name)
            for rule in self.corruptions.values():
                for source in rule.values():
                    if source != "fresh":
                        self.resolve(order, source)
            for template in self.templates:
                self._check_corruptions(template, order)
                self._check_split(template, order)
        return self

    def _check_split(self, template: str, order: str) -> None:
        used = {self.variables[variable] for _, variable, _ in self.occurrences(template, order)}
        if self.split == "pools" and not any(self.pools[pool].split for pool in used):
            raise ValueError(f"template {template} uses no split pool, so explore and confirm could share prompts")

    def _check_corruptions(self, template: str, order: str) -> None:
        labels = [label for label, _, _ in self.occurrences(template, order)]
        variables = {variable for _, variable, _ in self.occurrences(template, order)}
        for corruption, rule in self.corruptions.items():
            if unknown := set(rule) - set(labels) - variables:
                raise ValueError(
                    f"corruption {corruption} changes {sorted(unknown)}, but template {template} has {labels}"
                )

    def texts(self, order: str) -> list[str]:
        """Every text of an order in which placeholders stand: templates, answer, foil."""
        return [*self.templates.values(), self.asked(order, self.answer), self.asked(order, self.foil)]

    def asked(self, order: str, text: str | dict[str, str]) -> str:
        """The answer or foil text of an order. Raises ValueError when the order has none."""
        if isinstance(text, str):
            return text
        if order not in text:
            raise ValueError(f"order {order} has no answer or foil; there are {sorted(text)}")
        return text[order]

    def resolve(self, order: str, name: str) -> tuple[str, str]:
        """(variable, column) of a placeholder, aliases of the order followed. Raises ValueError if unknown."""
        name = self.orders[order].get(name, name)
        variable, _, column = name.partition(".")
        if variable not in self.variables:
            raise ValueError(f"{{{name}}} is no variable; there are {sorted(self.variables)}")
        columns = list(self.pools[self.variables[variable]].rows[0])
        column = column or columns[0]
        if column not in columns:
            raise ValueError(f"{{{name}}}: pool {self.variables[variable]} has the columns {columns}")
        return variable, column

    def source(self, order: str, name: str) -> tuple[str, str | None]:
        """(variable, column) a corruption takes its filler from; no column means that of the place it fills."""
        variable, column = self.resolve(order, name)
        return variable, column if "." in self.orders[order].get(name, name) else None

    def occurrences(self, template: str, order: str) -> list[tuple[str, str, str]]:
        """(label, variable, column) of each slot of a template, in the order they stand in the text."""
        slots = [self.resolve(order, name) for name in PLACEHOLDER.findall(self.templates[template])]
        variables = [variable for variable, _ in slots]
        seen: dict[str, int] = {}
        found = []
        for variable, column in slots:
            seen[variable] = seen.get(variable, 0) + 1
            label = f"{variable}{seen[variable]}" if variables.count(variable) > 1 else variable
            found.append((label, variable, column))
        return found


class RepeatedTokensTask(TaskHead):
    """A task on repeated random tokens, cut before the answer; see `tools/task_tokens.py`."""

    kind: Literal["repeated-tokens"]
    periods: list[int] = Field(min_length=1, description="tokens per repeat; each is a template")


AnyTaskFile = Annotated[TemplateTask | RepeatedTokensTask, Field(discriminator="kind")]


class _Holder(BaseModel):
    task: AnyTaskFile


def read_task_file(path: Path) -> TemplateTask | RepeatedTokensTask:
    """Parse and check a YAML task file. Raises ExperimentError with the place and the reason."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ExperimentError(f"{path} cannot be read as YAML: {error}") from error
    return parse_task(data, str(path))


def parse_task(data: Any, source: str) -> TemplateTask | RepeatedTokensTask:
    """Check the content of a task file. Raises ExperimentError with each field that is wrong."""
    try:
        return _Holder.model_validate({"task": data}).task
    except ValidationError as error:
        reasons = "; ".join(
            ".".join(str(part) for part in problem["loc"][2:]) + ": " + problem["msg"] for problem in error.errors()[:5]
        )
        raise ExperimentError(f"{source} is not a valid task file: {reasons}") from error


def task_version(task: TaskHead) -> str:
    """Hash of everything in the file and of the format's version: verdicts go stale when it changes."""
    return content_hash({"format": FORMAT, "task": task.model_dump(mode="json")})[:12]
