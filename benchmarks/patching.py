"""Stock TransformerLens patching against ours, side by side in one process, on SmolLM2 and IOI.

Two stock sweeps of `transformer_lens.patching` over all heads: `positions` patches every head at every position on its
own (`get_act_patch_attn_head_out_by_pos`), `heads` every head at all positions at once
(`get_act_patch_attn_head_out_all_pos`). Two corruptions: S2 changes only the repeated name, as the pairs of the stock
library's own IOI demonstration do; ABC, this project's default, changes the names from the first one on, so that nearly
every position has to be recomputed and both sides do the same arithmetic there. Ours computes the same numbers for the
same pairs.
A stock sweep runs the whole model once per patch, whatever the patch; it is timed on some layers and scaled to all of
them, unless `--all-layers`. The screen is compared with exact patching on pairs of all templates.

The last line is one JSON object. `ratio` is stock seconds over ours for `positions` and S2; `ratios` has all four.

    python -m benchmarks.patching [--pairs 16] [--all-layers]
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from scipy import stats
from transformer_lens import patching

from tools.engine import Engine
from tools.gradients import node_scores
from tools.interventions import Intervention, Variant, Where
from tools.models import LoadedModel, load_model
from tools.prompts import Prompts
from tools.task_spec import Draw
from tools.tasks import find_task
from tools.vocab import TokenizerVocab
from ui.settings import load as load_settings


def pairs(model: LoadedModel, n: int, corruption: str, *, one_length: bool) -> Prompts:
    """n IOI pairs; of the commonest length if the stock functions are to take them as one rectangular batch."""
    draw = Draw(6 * n if one_length else n, corruption=corruption)
    prompts = find_task("ioi").draw(TokenizerVocab(model.tokenizer), draw)
    if not one_length:
        return prompts
    lengths = prompts.lengths
    return prompts.subset(np.flatnonzero(lengths == np.bincount(lengths).argmax())[:n])


class Stock:
    """The stock sweeps on these pairs."""

    def __init__(self, model: LoadedModel, prompts: Prompts) -> None:
        self.bridge, self.prompts = model.bridge, prompts
        self.clean = torch.as_tensor(np.stack(prompts.clean_tokens))
        self.corrupted = torch.as_tensor(np.stack(prompts.corrupted_tokens))

    def metric(self, logits: torch.Tensor) -> torch.Tensor:
        """Mean logit difference at the last position."""
        rows = torch.arange(logits.shape[0])
        last = logits[:, -1]
        answer, foil = torch.as_tensor(self.prompts.answer), torch.as_tensor(self.prompts.foil)
        return (last[rows, answer] - last[rows, foil]).mean()

    @torch.no_grad()
    def sweep(self, by_position: bool, layers: list[int]) -> tuple[np.ndarray, float]:
        """Patched metric [layers, (positions,) heads] of the layers named, and the seconds it took."""
        began = time.perf_counter()
        names = [f"blocks.{layer}.attn.hook_z" for layer in layers]
        _, cache = self.bridge.run_with_cache(self.clean, names_filter=names)
        columns = ["layer", "pos", "head"] if by_position else ["layer", "head"]
        setter = patching.layer_pos_head_vector_patch_setter if by_position else patching.layer_head_vector_patch_setter
        spans = [layers, range(self.clean.shape[1]), range(self.bridge.cfg.n_heads)]
        sizes = spans if by_position else [spans[0], spans[2]]
        table = patching.make_df_from_ranges([len(span) for span in sizes], columns)
        table["layer"] = [layers[i] for i in table["layer"]]
        found = patching.generic_activation_patch(
            self.bridge, self.corrupted, cache, self.metric, setter, "z", index_df=table
        )
        return found.numpy().reshape([len(span) for span in sizes]), time.perf_counter() - began


def engine_of(model: LoadedModel, prompts: Prompts) -> Engine:
    """A fresh engine: nothing kept from earlier runs."""
    assert model.decoder is not None, model.name
    return Engine(prompts=prompts, decoder=model.decoder)


def ours(model: LoadedModel, prompts: Prompts, by_position: bool) -> tuple[np.ndarray, float]:
    """The same patched metric, [layers, (positions,) heads], and the seconds it took."""
    began = time.perf_counter()
    places = [Where(token=t) for t in range(int(prompts.lengths[0]))] if by_position else [None]
    variants: list[Variant] = [
        (Intervention(layer, "z", head, "clean", place),)
        for layer in range(model.n_layers)
        for place in places
        for head in range(model.n_heads)
    ]
    metric = engine_of(model, prompts).run(variants, base="corrupted").metric.mean(1)
    shape = (model.n_layers, len(places), model.n_heads) if by_position else (model.n_layers, model.n_heads)
    return metric.reshape(shape), time.perf_counter() - began


@dataclass(frozen=True)
class Compared:
    """One sweep both ways."""

    ratio: float
    max_abs_diff: float
    stock_seconds: float
    our_seconds: float


def compare(model: LoadedModel, prompts: Prompts, sweep: str, layers: list[int]) -> Compared:
    """Time both; the largest difference is over the layers that the stock sweep ran, in logits."""
    by_position = sweep == "positions"
    metric, seconds = ours(model, prompts, by_position)
    expected, measured = Stock(model, prompts).sweep(by_position, layers)
    stock_seconds = measured * model.n_layers / len(layers)
    difference = float(np.abs(metric[layers] - expected).max())
    return Compared(round(stock_seconds / seconds, 2), difference, round(stock_seconds, 1), round(seconds, 2))


def screen(model: LoadedModel, prompts: Prompts) -> dict[str, float]:
    """AtP of all heads and MLPs: its seconds, and how its order agrees with exact resample harm of the heads."""
    began = time.perf_counter()
    atp, _ = node_scores(engine_of(model, prompts), ig_steps=0)
    seconds = time.perf_counter() - began
    engine = engine_of(model, prompts)
    variants: list[Variant] = [
        (Intervention(layer, "z", h, "corrupted"),) for layer in range(model.n_layers) for h in range(model.n_heads)
    ]
    harm = np.abs((engine.baseline("clean").metric - engine.run(variants).metric).mean(1))
    score = np.abs(atp.heads.mean(-1).ravel())
    best, order = set(np.argsort(-harm)[:10]), np.argsort(-score)
    found = {f"top10_in_{k}": len(best & set(order[:k])) / 10 for k in (10, 20, 40)}
    return {"seconds": seconds, "spearman": float(np.asarray(stats.spearmanr(harm, score))[0])} | found


def main() -> None:
    """Run both, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--all-layers", action="store_true", help="run the stock sweeps on every layer: an hour")
    options = parser.parse_args()
    model = load_model("smollm2", models_dir=load_settings().models_dir)
    everything = list(range(model.n_layers))
    spread = {"heads": everything[4::10], "positions": everything[14:15]}
    ours(model, pairs(model, 2, "ABC", one_length=True), False)  # warm up
    found: dict[str, Compared] = {}
    for corruption in ("ABC", "S2"):
        prompts = pairs(model, options.pairs, corruption, one_length=True)
        first = [int(np.argmax(a != b)) for a, b in zip(prompts.clean_tokens, prompts.corrupted_tokens, strict=True)]
        print(
            f"{corruption}: {options.pairs} pairs of {int(prompts.lengths[0])} tokens, first difference at {min(first)} "
            f"to {max(first)}; {torch.get_num_threads()} threads"
        )
        for sweep, layers in spread.items():
            one = compare(model, prompts, sweep, everything if options.all_layers else layers)
            found[f"{sweep} {corruption}"] = one
            print(f"  {sweep}: stock {one.stock_seconds} s, ours {one.our_seconds} s, ratio {one.ratio}")
    quick = screen(model, pairs(model, options.pairs, "ABC", one_length=False))
    main_one = found["positions S2"]
    print(
        f"AtP screen of all heads and MLPs: {quick['seconds']:.2f} s; exact top 10 in its top 20: {quick['top10_in_20']}"
    )
    print(
        json.dumps(
            {
                "ratio": main_one.ratio,
                "max_abs_diff": max(one.max_abs_diff for one in found.values()),
                "screen_fraction": round(quick["seconds"] / found["heads ABC"].stock_seconds, 5),
                "spearman": round(quick["spearman"], 4),
                "top10_recall": quick["top10_in_10"],
                "top10_in_20": quick["top10_in_20"],
                "top10_in_40": quick["top10_in_40"],
                "ratios": {name: one.ratio for name, one in found.items()},
                "sweeps": {name: asdict(one) for name, one in found.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
