"""Fits what tells the library whether it says anything on a question, and writes kb/answerable.json.

    python benchmarks/library_answerable.py FOLDER MINILM_FOLDER

On the questions of library_rows.py, with the log odds of library_cross_encoder.py (run that first, with the same FOLDER): each row's come
from a cross-encoder that did not see it. Every fourth row of the question files is used once more as if there were no cross-encoder. The
threshold is the highest at which no more than `WRONG` of the answered questions of the question files would be declined by networks
that saw nothing of them; what else it would decline is printed. Takes about three minutes on two cores.
"""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from library_rows import FEWER, UNEMBEDDED, Row, rows

from kb.answerable import FILE, Answerable, Net, to_json
from kb.coverage import UnitSignals, WholeSignals
from kb.evidence import with_odds

UNITS, WHOLE = len(UnitSignals._fields), len(WholeSignals._fields)
WRONG = 0.03


def with_reading(found: list[Row], read: dict[str, float]) -> list[Row]:
    """The rows with the cross-encoder's log odds among their signals, and some without."""
    result: list[Row] = []
    for number, row in enumerate(found):
        result.append(replace(row, whole=list(_read(row, read))))
        if row.setting == "full" and number % FEWER == 0:
            result.append(replace(row, setting="no cross-encoder", weight=UNEMBEDDED))
    return result


def _read(row: Row, read: dict[str, float]) -> WholeSignals:
    whole = WholeSignals(*row.whole)
    unread = row.setting == "no embedder" or not row.asked
    return with_odds(whole, [] if unread else [read[f"{row.asked}\n{told}"] for _, told in row.passages])


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
    """Declines of held-out questions at some thresholds, by setting, language and, of the unanswerable, by sort."""
    korean = np.array([entry.whole[-1] > 0 for entry in rows])
    kinds = np.array(["answered" if entry.answerable else entry.sort or "unanswerable" for entry in rows])
    settings = np.array([entry.setting for entry in rows])
    for setting in dict.fromkeys(settings):
        for kind in dict.fromkeys(kinds[settings == setting]):
            for name, among in (("en", ~korean), ("ko", korean)):
                mine = chances[among & (settings == setting) & (kinds == kind)]
                if len(mine):
                    shares = [f"{t:.2f}: {np.mean(mine < t):.3f}" for t in np.arange(0.05, 0.6, 0.05)]
                    print(f"{setting}, {name}, {len(mine)} {kind}: declined", *shares)


def threshold(rows: list[Row], chances: np.ndarray) -> float:
    """The highest, in hundredths, at which no more than `WRONG` of the answered questions are declined."""
    answered = [
        chance for entry, chance in zip(rows, chances, strict=True) if entry.answerable and entry.setting == "full"
    ]
    return max(t / 100 for t in range(1, 60) if np.mean(np.array(answered) < t / 100) <= WRONG)


def main() -> None:
    folder, embedder = Path(sys.argv[1]), Path(sys.argv[2])
    read = json.loads((folder / "read.json").read_text(encoding="utf-8"))
    asked = with_reading(rows(folder, embedder), read)
    data = table(asked)
    chances = held_out(data, asked)
    tell(asked, chances)
    nets = tuple(train(data, np.arange(len(asked)), seed).net() for seed in range(5))
    rule = Answerable(data.unit_scale, data.whole_scale, nets, threshold(asked, chances))
    FILE.write_text(json.dumps(to_json(rule), separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"threshold {rule.threshold:.2f}")


if __name__ == "__main__":
    main()
