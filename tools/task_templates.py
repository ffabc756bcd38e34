"""Prompts from templates: fillers that are one token for this tokenizer, aligned corruptions, disjoint splits.

Explore and confirm never share a prompt. With `split: pools`, each split pool is divided once and for all by the hash
of its fillers, so that not even a filler is shared; with `split: prompts` (small pools), a pair belongs to the side its
texts hash to and pairs whose two halves hash to different sides are not used. No pair is drawn twice; a clean text
comes back with another corrupted one only when its clean texts run out. Row i depends on the task, split, seed and i
alone, so a larger draw begins with the smaller one. Templates and orders take turns.

A filler that this tokenizer splits is left out and counted in `Prompts.notes`; whether the model can do the task is
not known here (`tools/gate.py`).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tools.errors import ExperimentError
from tools.prompts import ABSENT, NO_FOIL, Prompts, Readouts, Split
from tools.task_file import PLACEHOLDER, Pool, Row, TemplateTask, task_version
from tools.task_spec import Draw, TaskInfo, chosen
from tools.vocab import Vocab, single_token

_ATTEMPTS = 400


@dataclass(frozen=True)
class _Pair:
    """One row before it is stacked."""

    clean: list[int]
    corrupted: list[int]
    text: str
    corrupted_text: str
    labels: dict[str, int]
    answers: list[int]
    foils: list[int]


@dataclass(frozen=True)
class _Scene:
    """What stays the same over the rows of one draw."""

    vocab: Vocab
    pools: dict[str, list[Row]]
    split: Split
    corruption: str
    bos: int | None


class TemplateDrawer:
    """A `Task` over a checked template file."""

    def __init__(self, spec: TemplateTask) -> None:
        self.spec = spec
        self._info = self._describe()

    @property
    def info(self) -> TaskInfo:
        return self._info

    def _describe(self) -> TaskInfo:
        spec = self.spec
        labels = {label: None for t in spec.templates for o in spec.orders for label, _, _ in spec.occurrences(t, o)}
        return TaskInfo(
            name=spec.name,
            version=task_version(spec),
            title=spec.title,
            description=spec.description,
            templates=tuple(spec.templates),
            corruptions=tuple(spec.corruptions),
            gate=spec.gate,
            positions=(*labels, *spec.extra_labels, "END"),
            literature=tuple(spec.literature),
            literature_says=spec.literature_says,
        )

    def draw(self, vocab: Vocab | None, draw: Draw) -> Prompts:
        """See `Task.draw`."""
        if vocab is None:
            raise ExperimentError(
                f"task {self.spec.name!r} is text and this model has no tokenizer; use a task in ids."
            )
        wanted = (draw.corruption,) if draw.corruption else None
        corruption = chosen(self.spec.name, "corruption", wanted, self.info.corruptions)[0]
        pools, notes = self._pools(vocab, draw.split)
        scene = _Scene(vocab, pools, draw.split, corruption, self._bos(vocab))
        templates = chosen(self.spec.name, "template", draw.templates, self.info.templates)
        plan = [(t, o) for o in self.spec.orders for t in templates]
        pairs: list[_Pair] = []
        seen: set[tuple[str, str]] = set()
        for i in range(draw.n):
            template, order = plan[i % len(plan)]
            pairs.append(self._fresh_pair(scene, template, order, _seeds(self.info, draw, i), seen))
        return self._stack(pairs, [plan[i % len(plan)] for i in range(draw.n)], draw, scene, notes)

    def _bos(self, vocab: Vocab) -> int | None:
        wanted = self.spec.bos == "always" or (self.spec.bos == "auto" and vocab.adds_bos)
        if wanted and vocab.bos is None:
            raise ExperimentError(f"task {self.spec.name!r} wants a BOS and this tokenizer has none; set bos: never.")
        return vocab.bos if wanted else None

    def _pools(self, vocab: Vocab, split: Split) -> tuple[dict[str, list[Row]], list[str]]:
        used = self.used_columns()
        pools: dict[str, list[Row]] = {}
        notes = []
        for name, pool in self.spec.pools.items():
            rows = side(name, pool, split) if self.spec.split == "pools" and pool.split else pool.rows
            kept = [row for row in rows if _fits(vocab, pool, row, used.get(name, set()))]
            if len(kept) < len(rows):
                lost = [str(next(iter(row.values()))) for row in rows if row not in kept]
                notes.append(f"{name}: {len(lost)} of {len(rows)} fillers are several tokens here: {', '.join(lost)}")
            pools[name] = kept
        for name, kept in pools.items():
            need = self._rows_needed(name)
            if len(kept) < need:
                raise ExperimentError(
                    f"task {self.spec.name!r} needs {need} fillers from {name} that are one token for this tokenizer, "
                    f"and {len(kept)} are; add fillers to its file."
                )
        return pools, notes

    def used_columns(self) -> dict[str, set[str]]:
        """Columns that stand in a prompt, per pool: each must be one token."""
        used: dict[str, set[str]] = {}
        for order in self.spec.orders:
            names = [name for text in self.spec.texts(order) for name in PLACEHOLDER.findall(text)]
            names += [
                source for rule in self.spec.corruptions.values() for source in rule.values() if source != "fresh"
            ]
            for name in names:
                variable, column = self.spec.resolve(order, name)
                used.setdefault(self.spec.variables[variable], set()).add(column)
        return used

    def _rows_needed(self, pool: str) -> int:
        drawn = sum(1 for name in self.spec.variables.values() if name == pool)
        fresh = max(
            (
                sum(1 for label, source in rule.items() if source == "fresh" and self._pool_of(label) == pool)
                for rule in self.spec.corruptions.values()
            ),
            default=0,
        )
        return drawn + fresh

    def _pool_of(self, label: str) -> str:
        variable = label if label in self.spec.variables else label.rstrip("0123456789")
        return self.spec.variables[variable]

    def _fresh_pair(
        self, scene: _Scene, template: str, order: str, rng: np.random.Generator, seen: set[tuple[str, str]]
    ) -> _Pair:
        again: _Pair | None = None
        for _ in range(_ATTEMPTS):
            pair = self._pair(scene, template, order, rng)
            if (pair.text, pair.corrupted_text) in seen or pair.clean == pair.corrupted:
                continue
            if set(pair.answers) & set(pair.foils):
                continue
            if self.spec.split == "prompts" and not _on_side(pair, scene.split):
                continue
            if (pair.text, "") in seen:
                again = again or pair
                continue
            break
        else:
            pair = again
        if pair is None:
            raise ExperimentError(
                f"task {self.spec.name!r} has too few different {scene.split} prompts: {len(seen) // 2} were found; "
                "ask for fewer, keep more templates or add fillers."
            )
        seen.update({(pair.text, ""), (pair.text, pair.corrupted_text)})
        return pair

    def _pair(self, scene: _Scene, template: str, order: str, rng: np.random.Generator) -> _Pair:
        rows, spare = self._draw_rows(scene, rng)
        occurrences = self.spec.occurrences(template, order)
        clean = [str(rows[variable][column]) for _, variable, column in occurrences]
        changed = self._corrupt(scene.corruption, order, occurrences, rows, spare)
        text, ends = _fill(self.spec.templates[template], clean)
        corrupted_text, _ = _fill(self.spec.templates[template], changed)
        encoded = scene.vocab.encode(text)
        corrupted = scene.vocab.encode(corrupted_text).ids
        if len(encoded.ids) != len(corrupted):
            raise ExperimentError(
                f"task {self.spec.name!r}: {text!r} is {len(encoded.ids)} tokens and "
                f"{corrupted_text!r} {len(corrupted)}; use fillers of one length."
            )
        start = [] if scene.bos is None else [scene.bos]
        labels = {
            label: _token_ending_at(encoded.ends, end, text) + len(start)
            for (label, _, _), end in zip(occurrences, ends, strict=True)
        }
        return _Pair(
            clean=start + encoded.ids,
            corrupted=start + corrupted,
            text=text,
            corrupted_text=corrupted_text,
            labels=self._with_extras(labels, len(start) + len(encoded.ids)),
            answers=self._tokens(scene.vocab, self.spec.asked(order, self.spec.answer), order, rows),
            foils=self._tokens(scene.vocab, self.spec.asked(order, self.spec.foil), order, rows),
        )

    def _with_extras(self, labels: dict[str, int], length: int) -> dict[str, int]:
        found = dict(labels)
        for extra in self.spec.extra_labels:
            name, _, steps = extra.partition("+")
            if name in labels and labels[name] + int(steps) < length:
                found[extra] = labels[name] + int(steps)
        return {**found, "END": length - 1}

    def _draw_rows(self, scene: _Scene, rng: np.random.Generator) -> tuple[dict[str, Row], dict[str, Iterator[Row]]]:
        shuffled = {
            name: iter([pool[i] for i in rng.permutation(len(pool))]) for name, pool in sorted(scene.pools.items())
        }
        rows = {variable: next(shuffled[pool]) for variable, pool in self.spec.variables.items()}
        return rows, shuffled

    def _corrupt(
        self,
        corruption: str,
        order: str,
        occurrences: list[tuple[str, str, str]],
        rows: dict[str, Row],
        spare: dict[str, Iterator[Row]],
    ) -> list[str]:
        rule = self.spec.corruptions[corruption]
        fresh = {key: next(spare[self._pool_of(key)]) for key, source in rule.items() if source == "fresh"}
        words = []
        for label, variable, column in occurrences:
            key = label if label in rule else variable
            if key not in rule:
                word = rows[variable][column]
            elif key in fresh:
                word = fresh[key][column]
            else:
                other, other_column = self.spec.source(order, rule[key])
                word = rows[other][other_column or column]
            words.append(str(word))
        return words

    def _tokens(self, vocab: Vocab, text: str, order: str, rows: dict[str, Row]) -> list[int]:
        variants = [text]
        for name in PLACEHOLDER.findall(text):
            variable, column = self.spec.resolve(order, name)
            value = rows[variable][column]
            values = value if isinstance(value, list) else [value]
            variants = [variant.replace("{" + name + "}", word) for variant in variants for word in values]
        found = [single_token(vocab, variant) for variant in variants]
        if None in found:
            split = variants[found.index(None)]
            raise ExperimentError(
                f"task {self.spec.name!r}: the answer {split!r} is not one token for this tokenizer; "
                "leave its filler out of the file."
            )
        return [token for token in found if token is not None]

    def _stack(
        self, pairs: list[_Pair], plan: list[tuple[str, str]], draw: Draw, scene: _Scene, notes: list[str]
    ) -> Prompts:
        labels = [label for label in self.info.positions if any(label in pair.labels for pair in pairs)]
        return Prompts(
            task=self.spec.name,
            task_version=self.info.version,
            corruption=scene.corruption,
            split=draw.split,
            seed=draw.seed,
            clean_tokens=tuple(np.array(pair.clean, np.int64) for pair in pairs),
            corrupted_tokens=tuple(np.array(pair.corrupted, np.int64) for pair in pairs),
            template=tuple(template for template, _ in plan),
            order=tuple(order for _, order in plan),
            positions={
                label: np.array([pair.labels.get(label, ABSENT) for pair in pairs], np.int64) for label in labels
            },
            readouts=_readouts(pairs),
            texts=tuple(pair.text for pair in pairs),
            corrupted_texts=tuple(pair.corrupted_text for pair in pairs),
            bos=scene.bos,
            notes=tuple(notes),
        )


def side(name: str, pool: Pool, split: Split) -> list[Row]:
    """The rows of a pool that belong to a split: sorted by hash, every other one."""
    ranked = sorted(pool.rows, key=lambda row: hashlib.sha256(f"{name}:{sorted(row.items())}".encode()).hexdigest())
    return ranked[(0 if split == "explore" else 1) :: 2]


def filler_problems(spec: TemplateTask, vocab: Vocab) -> list[str]:
    """Each filler that is several tokens for this tokenizer and would be left out."""
    used = TemplateDrawer(spec).used_columns()
    return [
        f"{name}, row {i}: {next(iter(row.values()))} is several tokens here and is left out"
        for name, pool in spec.pools.items()
        for i, row in enumerate(pool.rows, 1)
        if not _fits(vocab, pool, row, used.get(name, set()))
    ]


def _on_side(pair: _Pair, split: Split) -> bool:
    sides = {hashlib.sha256(text.encode()).digest()[0] & 1 for text in (pair.text, pair.corrupted_text)}
    return sides == {0 if split == "explore" else 1}


def _fits(vocab: Vocab, pool: Pool, row: Row, columns: set[str]) -> bool:
    for column in columns:
        value = row[column]
        words = [value] if isinstance(value, str) else value
        if any(single_token(vocab, pool.lead + word) is None for word in words):
            return False
    return True


def _seeds(info: TaskInfo, draw: Draw, row: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{info.name}/{info.version}/{draw.split}/{draw.seed}/{row}".encode()).digest()
    return np.random.default_rng(list(digest))


def _fill(template: str, words: list[str]) -> tuple[str, list[int]]:
    """The template with its placeholders replaced in order, and where each replacement ends."""
    pieces = PLACEHOLDER.split(template)[::2]
    text, ends = pieces[0], []
    for word, piece in zip(words, pieces[1:], strict=True):
        text += word
        ends.append(len(text))
        text += piece
    return text, ends


def _token_ending_at(ends: list[int], end: int, text: str) -> int:
    if end not in ends:
        raise ExperimentError(
            f"no token of {text!r} ends after {text[:end]!r}: the filler melts into what follows; put a space there."
        )
    return len(ends) - 1 - ends[::-1].index(end)


def _readouts(pairs: list[_Pair]) -> Readouts:
    """One read-out a row, or the mean logit of the answers minus the mean logit of the foils where there are
    many.
    """
    row, position, answer, foil, weight = [], [], [], [], []
    for i, pair in enumerate(pairs):
        if len(pair.answers) == 1 and len(pair.foils) == 1:
            parts = [(pair.answers[0], pair.foils[0], 1.0)]
        else:
            parts = [(token, NO_FOIL, 1.0 / len(pair.answers)) for token in pair.answers]
            parts += [(token, NO_FOIL, -1.0 / len(pair.foils)) for token in pair.foils]
        for token, other, share in parts:
            row.append(i)
            position.append(pair.labels["END"])
            answer.append(token)
            foil.append(other)
            weight.append(share)
    columns = [np.array(column, np.int64) for column in (row, position, answer, foil)]
    return Readouts(columns[0], columns[1], columns[2], columns[3], np.array(weight))
