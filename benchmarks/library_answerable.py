"""Fits what tells the library whether it says anything on a question, and writes kb/answerable.json.

    python benchmarks/library_answerable.py FOLDER MINILM_FOLDER

Questions: the `fit` half of questions.jsonl and questions_fit.jsonl, asked of the starter notes with and without the questions
they carry, and without an embedder; and the questions that notes carry, asked of libraries whose notes carry the other half of
them or none. The latter are asked once more after their note and all that it names as related are removed: then they count as
unanswerable, which makes many questions in the field's own words that nothing answers. A question whose answer is not among
the first five documents is left out. The threshold is the highest at which no more than `WRONG` of the answered questions of the
question files would be declined by networks that saw nothing of them; what else it would decline is printed. FOLDER keeps what
was collected. Takes about ten minutes on two cores.
"""

import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import yaml

from kb.answerable import FILE, Answerable, Net, to_json
from kb.coverage import UnitSignals, WholeSignals
from kb.evaluate import Question, ask, read_questions
from kb.fusion import Weights, rank_documents
from kb.incoming import Incoming
from kb.library import Library
from kb.records import ItemReport
from kb.search import Searcher

HERE = Path(__file__).parent
STARTER = HERE.parent / "kb" / "starter"
UNITS, WHOLE = len(UnitSignals._fields), len(WholeSignals._fields)
SAMPLE = 6  # questions of a note that are asked in one setting
WRONG = 0.03
REAL, MADE, UNEMBEDDED = (
    4.0,
    1.0,
    0.5,
)  # weights of a question: of the question files, of the notes, asked without an embedder


@dataclass(frozen=True)
class Row:
    """One asked question. Rows of one `group` are held out together."""

    group: str
    setting: str
    answerable: bool
    weight: float
    units: list[tuple[float, ...]]
    whole: tuple[float, ...]
    question: str


def carrying(folder: Path, embedder: Path | None, keep: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Library:
    """The starter notes in a folder, each with some of the questions that it carries."""
    library = Library.open(folder, embedder_folder=embedder)
    put = library.ingest.put

    def put_some(document: Incoming) -> ItemReport:
        kept = keep(document.questions)
        return put(replace(document, questions=kept, front={**document.front, "questions": list(kept)}))

    library.ingest.put = put_some
    library.build_starter()
    return library


def row(searcher: Searcher, question: Question, group: str, setting: str, weight: float) -> Row | None:
    """What the library gathers for a question; None where it does not find the answer."""
    gathered, keys, evidence = ask(searcher, question)
    with searcher.store.read() as connection:
        canonical = searcher.names(connection).canonical
    first = {document for document, _, _ in rank_documents(gathered, searcher.weights, canonical)[:5]}
    if not evidence.units or (keys and not keys & first):
        return None
    units = [tuple(signals) for _, signals in evidence.units]
    return Row(group, setting, bool(keys), weight, units, tuple(evidence.whole), question.q)


def relations() -> dict[str, set[str]]:
    """For each note the notes that it names as related, and that name it."""
    facts = yaml.load((STARTER / "facts.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    found: dict[str, set[str]] = {entry["key"]: set() for entry in facts}
    for entry in facts:
        for other in entry.get("related", ()):
            if other in found:
                found[entry["key"]].add(other)
                found[other].add(entry["key"])
    return found


def collect(folder: Path, embedder: Path) -> Iterator[Row | None]:
    """All rows."""
    asked: dict[str, list[str]] = yaml.load(
        (STARTER / "asked.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    questions = [q for q in read_questions(HERE / "questions.jsonl") if q.half == "fit"]
    questions += read_questions(HERE / "questions_fit.jsonl")
    settings = {
        "full": (embedder, lambda carried: carried),
        "bare": (embedder, lambda carried: ()),
        "no embedder": (None, lambda carried: carried),
        "even": (embedder, lambda carried: carried[::2]),
        "odd": (embedder, lambda carried: carried[1::2]),
    }
    rest = {"even": lambda own: _some(own[1::2]), "odd": lambda own: _some(own[::2]), "bare": _some}
    for setting, (folder_of_embedder, keep) in settings.items():
        with carrying(folder / setting, folder_of_embedder, keep) as library:
            searcher = library.searcher(Weights())
            if setting in ("full", "bare", "no embedder"):
                weight = UNEMBEDDED if setting == "no embedder" else REAL
                for question in questions:
                    yield row(searcher, question, question.q, setting, weight)
            if setting in rest:
                for key, own in asked.items():
                    for text in rest[setting](own):
                        yield row(searcher, Question(q=text, keys=(key,)), key, f"{setting} made", MADE)
        print(f"{setting} asked", flush=True)
        if setting in rest:
            yield from bereft(folder / setting, embedder, {key: rest[setting](own) for key, own in asked.items()})
            print(f"{setting} asked without the answer", flush=True)


def bereft(folder: Path, embedder: Path, asked: dict[str, list[str]]) -> Iterator[Row | None]:
    """Each note's questions, asked of the library without the note and those related to it."""
    related = relations()
    for key, own in asked.items():
        copy = folder.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        with Library.open(copy, embedder_folder=embedder) as library:
            for gone in {key, *related.get(key, ())}:
                library.store.remove(gone)
            searcher = library.searcher(Weights())
            for text in own:
                yield row(searcher, Question(q=text), key, f"{folder.name} made", MADE)


def _some(own: list[str]) -> list[str]:
    return random.Random(own[0]).sample(own, min(SAMPLE, len(own)))


def _arrays(layer: torch.nn.Linear) -> tuple[np.ndarray, np.ndarray]:
    return layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()


class Module(torch.nn.Module):
    """`kb.answerable.Net` in torch."""

    def __init__(self) -> None:
        super().__init__()
        width, read, hidden = 10, 4, 8
        self.inner, self.outer = torch.nn.Linear(UNITS, width), torch.nn.Linear(width, read)
        self.hidden, self.last = torch.nn.Linear(2 * read + WHOLE, hidden), torch.nn.Linear(hidden, 1)
        self.straight = torch.nn.Linear(2 * read + WHOLE, 1)

    def forward(self, units: torch.Tensor, there: torch.Tensor, whole: torch.Tensor) -> torch.Tensor:
        read = self.outer(torch.tanh(self.inner(units)))
        mean = (read * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        largest = (read - 1e3 * (1 - there[..., None])).max(1).values
        joined = torch.cat([mean, largest, whole], 1)
        return (self.straight(joined) + self.last(torch.tanh(self.hidden(joined))))[:, 0]

    def net(self) -> Net:
        layers = {name: getattr(self, name) for name in ("inner", "outer", "hidden", "last", "straight")}
        return Net(**{name: _arrays(layer) for name, layer in layers.items()})


@dataclass(frozen=True)
class Table:
    """Rows as tensors, scaled."""

    units: torch.Tensor
    there: torch.Tensor
    whole: torch.Tensor
    answerable: torch.Tensor
    weight: torch.Tensor
    unit_scale: tuple[np.ndarray, np.ndarray]
    whole_scale: tuple[np.ndarray, np.ndarray]


def table(rows: list[Row]) -> Table:
    longest = max(len(entry.units) for entry in rows)
    units, there = torch.zeros(len(rows), longest, UNITS), torch.zeros(len(rows), longest)
    for place, entry in enumerate(rows):
        units[place, : len(entry.units)] = torch.tensor(entry.units)
        there[place, : len(entry.units)] = 1
    whole = torch.tensor([entry.whole for entry in rows])
    flat = units[there > 0]
    unit_scale = flat.mean(0), flat.std(0) + 0.02
    whole_scale = whole.mean(0), whole.std(0) + 0.02
    return Table(
        (units - unit_scale[0]) / unit_scale[1],
        there,
        (whole - whole_scale[0]) / whole_scale[1],
        torch.tensor([float(entry.answerable) for entry in rows]),
        torch.tensor([entry.weight for entry in rows]),
        (unit_scale[0].numpy(), unit_scale[1].numpy()),
        (whole_scale[0].numpy(), whole_scale[1].numpy()),
    )


def train(data: Table, used: np.ndarray, seed: int, *, steps: int = 300) -> Module:
    """One network on some of the rows; both classes weigh the same."""
    torch.manual_seed(seed)
    module = Module()
    optimiser = torch.optim.AdamW(module.parameters(), lr=1e-2, weight_decay=3e-2)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=steps)
    index = torch.tensor(used)
    given = data.units[index], data.there[index], data.whole[index]
    y, weight = data.answerable[index], data.weight[index].clone()
    weight[y > 0] *= weight[y == 0].sum() / weight[y > 0].sum()
    for _ in range(steps):
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(module(*given), y, weight=weight / weight.mean())
        loss.backward()
        optimiser.step()
        pace.step()
    return module


def held_out(data: Table, rows: list[Row], *, folds: int = 5, seeds: int = 2) -> np.ndarray:
    """Each row's chance from networks that saw nothing of its group."""
    groups = {group: number for number, group in enumerate(dict.fromkeys(entry.group for entry in rows))}
    fold_of = np.random.default_rng(0).permutation(len(groups)) % folds
    fold = np.array([fold_of[groups[entry.group]] for entry in rows])
    chances = np.zeros(len(rows))
    for number in range(folds):
        used, out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        for seed in range(seeds):
            module = train(data, used, seed)
            with torch.no_grad():
                logits = module(data.units[out], data.there[out], data.whole[out])
            chances[out] += torch.sigmoid(logits).numpy() / seeds
    return chances


def tell(rows: list[Row], chances: np.ndarray) -> None:
    """Declines of held-out questions, by setting and language, at each threshold."""
    settings = np.array([entry.setting for entry in rows])
    korean = np.array([entry.whole[-1] > 0 for entry in rows])
    right = np.array([entry.answerable for entry in rows])
    for setting in dict.fromkeys(settings):
        for name, among in (("en", ~korean), ("ko", korean)):
            mine = among & (settings == setting)
            shares = [
                f"{t:.2f}: {np.mean(chances[mine & ~right] < t):.2f}/{np.mean(chances[mine & right] < t):.3f}"
                for t in np.arange(0.05, 0.45, 0.05)
            ]
            print(f"{setting} {name} {sum(mine & ~right)} unanswerable/{sum(mine & right)} answered, declined", *shares)


def threshold(rows: list[Row], chances: np.ndarray) -> float:
    """The highest, in hundredths, at which no more than `WRONG` of the answered questions are declined."""
    answered = [
        chance for entry, chance in zip(rows, chances, strict=True) if entry.answerable and entry.setting == "full"
    ]
    return max(t / 100 for t in range(1, 60) if np.mean(np.array(answered) < t / 100) <= WRONG)


def load(path: Path) -> list[Row]:
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    folder, embedder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "rows.jsonl"
    if not kept.is_file():
        rows = [entry for entry in collect(folder, embedder) if entry]
        kept.write_text("".join(json.dumps(vars(entry)) + "\n" for entry in rows), encoding="utf-8")
    rows = load(kept)
    data = table(rows)
    chances = held_out(data, rows)
    tell(rows, chances)
    nets = tuple(train(data, np.arange(len(rows)), seed).net() for seed in range(5))
    rule = Answerable(data.unit_scale, data.whole_scale, nets, threshold(rows, chances))
    FILE.write_text(json.dumps(to_json(rule), separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"threshold {rule.threshold:.2f}")


if __name__ == "__main__":
    main()
