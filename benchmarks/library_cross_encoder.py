"""Teaches the library's cross-encoder to tell whether a passage answers a question, and writes kb/cross_encoder.npz.

    python benchmarks/library_cross_encoder.py FOLDER MINILM_FOLDER

Pairs: each question of library_rows.py with the passages that a search would show of its best two documents. A passage answers when
its document is among the question's keys; of an answered question other documents are left out, because some answer, too. The packaged
MiniLM gets low-rank changes (LoRA, Hu et al. 2021) of its matrices and a linear head. FOLDER/read.json keeps each pair's log odds from
a cross-encoder that saw no question of the pair's group: on those `kb.answerable` is fitted. Prints how well they tell the classes apart.
Takes about three quarters of an hour on two cores (bfloat16).
"""

import hashlib
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from library_rows import Row, rows
from tokenizers import Encoding, Tokenizer
from torch import nn
from transformers import BertModel

import kb.cross_encoder
from kb.cross_encoder import CHANGES, LIMIT, QUESTION

RANK = 32
EPOCHS = 2
RATE = 5e-4
BATCH = 16
FOLDS = 2
MADE = 0.4  # weight of a pair whose question a note carries, beside one of the question files
MATRICES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


@dataclass(frozen=True)
class Pair:
    """A question with a passage."""

    asked: str
    passage: str
    answers: bool
    weight: float
    fold: int

    @property
    def key(self) -> str:
        return f"{self.asked}\n{self.passage}"


class Adapted(nn.Module):
    """A frozen linear layer with a low-rank change."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.randn(RANK, base.in_features) / base.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(base.out_features, RANK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(x, self.base.weight + self.up @ self.down, self.base.bias)


class CrossEncoder(nn.Module):
    """`kb.cross_encoder_graph` in torch."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager")
        self.bert.requires_grad_(False)
        self.adapted: dict[str, Adapted] = {}
        for number, layer in enumerate(self.bert.encoder.layer):
            for matrix in MATRICES:
                owner, _, name = matrix.rpartition(".")
                adapted = Adapted(layer.get_submodule(matrix))
                setattr(layer.get_submodule(owner), name, adapted)
                self.adapted[f"encoder.layer.{number}.{matrix}.weight"] = adapted
        self.head = nn.Linear(3 * self.bert.config.hidden_size, 1)
        nn.init.zeros_(self.head.weight)
        self.bert.eval()  # no dropout: it costs a third of the time

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
        x = self.bert(input_ids=ids, attention_mask=mask, token_type_ids=segments).last_hidden_state
        means = [
            (x * part[..., None]).sum(1) / part.sum(1, keepdim=True)
            for part in (mask * (1 - segments), mask * segments)
        ]
        return self.head(torch.cat([x[:, 0], *means], 1))[:, 0]

    def changes(self) -> dict[str, np.ndarray]:
        """What `kb.cross_encoder_graph.changed` reads."""
        found = {"head.weight": self.head.weight, "head.bias": self.head.bias}
        for name, adapted in self.adapted.items():
            found |= {f"{name}.down": adapted.down, f"{name}.up": adapted.up}
        return {name: value.detach().numpy().astype(np.float16) for name, value in found.items()}


def pairs_of(asked: Sequence[Row]) -> list[Pair]:
    """All pairs, each once; the made unanswerable questions only of the notes that carry no questions."""
    found: dict[tuple[str, bool], Pair] = {}
    for row in asked:
        made = row.setting.endswith("made")
        if row.setting not in ("full", "bare made") and not (made and row.answerable):
            continue
        for document, passage in row.passages:
            answers = document in row.keys
            if answers or not row.answerable:
                pair = Pair(row.asked, passage, answers, MADE if made else 1.0, fold_of(row))
                found.setdefault((pair.key, answers), pair)
    return list(found.values())


def fold_of(row: Row) -> int:
    return int(hashlib.md5(row.group.encode(), usedforsecurity=False).hexdigest(), 16) % FOLDS


def tokenizer_of(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LIMIT, strategy="longest_first")
    return tokenizer


def batches(encoded: Sequence[Encoding], order: list[int], size: int) -> Iterator[tuple[list[int], list[torch.Tensor]]]:
    """Pairs of similar length together."""
    pools = [
        sorted(order[i : i + 20 * size], key=lambda n: len(encoded[n].ids)) for i in range(0, len(order), 20 * size)
    ]
    chosen = [pool[i : i + size] for pool in pools for i in range(0, len(pool), size)]
    random.Random(len(chosen)).shuffle(chosen)
    for numbers in chosen:
        length = max(len(encoded[n].ids) for n in numbers)
        fields = ("ids", "attention_mask", "type_ids")
        yield (
            numbers,
            [
                torch.tensor([[*getattr(encoded[n], f), *[0] * (length - len(encoded[n].ids))] for n in numbers])
                for f in fields
            ],
        )


def train(pairs: Sequence[Pair], folder: Path) -> CrossEncoder:
    """A cross-encoder taught on some pairs; both classes weigh the same."""
    torch.manual_seed(0)
    model = CrossEncoder(folder)
    encoded = tokenizer_of(folder).encode_batch([(pair.asked[:QUESTION], pair.passage) for pair in pairs])
    right = torch.tensor([float(pair.answers) for pair in pairs])
    weight = torch.tensor([pair.weight for pair in pairs])
    weight[right > 0] *= weight[right == 0].sum() / weight[right > 0].sum()
    weight /= weight.mean()
    changed = [value for adapted in model.adapted.values() for value in (adapted.down, adapted.up)]
    groups = [{"params": changed, "lr": RATE}, {"params": model.head.parameters(), "lr": 1e-3}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = EPOCHS * (len(pairs) // BATCH + 2)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, [RATE, 1e-3], total_steps=steps, pct_start=0.1)
    started, losses = time.perf_counter(), []
    for epoch in range(EPOCHS):
        order = list(range(len(pairs)))
        random.Random(epoch).shuffle(order)
        for numbers, given in batches(encoded, order, BATCH):
            optimiser.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                odds = model(*given)
            loss = nn.functional.binary_cross_entropy_with_logits(odds.float(), right[numbers], weight=weight[numbers])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(changed, 1.0)
            optimiser.step()
            pace.step()
            losses.append(loss.item())
            if len(losses) % 200 == 0:
                spent = time.perf_counter() - started
                print(f"step {len(losses)} of {steps}, loss {np.mean(losses[-200:]):.3f}, {spent:.0f} s", flush=True)
    return model


def log_odds(model: CrossEncoder, asked: Sequence[tuple[str, str]], folder: Path, kept: Path) -> list[float]:
    """What the model holds of pairs, as the library runs it: in eight bits."""
    kept.mkdir(exist_ok=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        if not (kept / name).is_file():
            (kept / name).symlink_to((folder / name).resolve())
    np.savez(kept / "changes.npz", **model.changes())
    quantised = kb.cross_encoder.CrossEncoder(kept, kept / "changes.npz")
    return [round(float(quantised.log_odds(question, [passage])[0]), 3) for question, passage in asked]


def apart(right: np.ndarray, scores: np.ndarray) -> float:
    """Area under the curve: how often an answering pair scores above one that does not answer."""
    order = np.argsort(np.argsort(scores)) + 1
    n = right.sum()
    return float((order[right].sum() - n * (n + 1) / 2) / (n * (~right).sum()))


def main() -> None:
    kept, folder = Path(sys.argv[1]), Path(sys.argv[2])
    asked = rows(kept, folder)
    pairs = pairs_of(asked)
    cut = sum(
        len(entry.overflowing) > 0 for entry in tokenizer_of(folder).encode_batch([(p.asked, p.passage) for p in pairs])
    )
    print(
        f"{len(pairs)} pairs, {sum(pair.answers for pair in pairs)} answer, {cut} are cut at {LIMIT} tokens", flush=True
    )
    read: dict[str, float] = {}
    for fold in range(FOLDS):
        model = train([pair for pair in pairs if pair.fold != fold], folder)
        out = {
            f"{row.asked}\n{told}": (row.asked, told)
            for row in asked
            if fold_of(row) == fold
            for _, told in row.passages
        }
        read |= dict(zip(out, log_odds(model, list(out.values()), folder, kept / f"fold {fold}"), strict=True))
        held = [pair for pair in pairs if pair.fold == fold]
        right, scores = np.array([pair.answers for pair in held]), np.array([read[pair.key] for pair in held])
        print(f"fold {fold}: {len(held)} pairs held out, area under the curve {apart(right, scores):.3f}", flush=True)
    (kept / "read.json").write_text(json.dumps(read, ensure_ascii=False), encoding="utf-8")
    np.savez_compressed(CHANGES, **train(pairs, folder).changes())


if __name__ == "__main__":
    main()
