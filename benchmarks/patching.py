"""Stock TransformerLens patching against ours, side by side in one process, on SmolLM2 and IOI.

Two stock sweeps of `transformer_lens.patching`, both over all heads: `--sweep heads` (the default) patches every head at
all positions at once (`get_act_patch_attn_head_out_all_pos`), `--sweep positions` every head at every position
(`get_act_patch_attn_head_out_by_pos`). Ours computes the same numbers for the same pairs. The stock sweep is timed on three
layers spread evenly (it runs the whole model for each patch, so each layer costs it the same) and scaled to all, unless
`--all-layers`. The last line is one JSON object; `ratio` is stock seconds over ours.

    python benchmarks/patching.py [--pairs 16] [--sweep heads|positions] [--all-layers]
"""

import argparse
import json
import time
from collections.abc import Callable

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


def pairs_of_one_length(model: LoadedModel, n: int) -> Prompts:
    """n IOI pairs of the commonest length: the stock functions take one rectangular batch."""
    prompts = find_task("ioi").draw(TokenizerVocab(model.tokenizer), Draw(6 * n))
    lengths = prompts.lengths
    common = int(np.bincount(lengths).argmax())
    return prompts.subset(np.flatnonzero(lengths == common)[:n])


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


def ours(model: LoadedModel, prompts: Prompts, by_position: bool) -> tuple[np.ndarray, float]:
    """The same patched metric, [layers, (positions,) heads], and the seconds it took."""
    assert model.decoder is not None, model.name
    began = time.perf_counter()
    engine = Engine(prompts=prompts, decoder=model.decoder)
    places = [Where(token=t) for t in range(int(prompts.lengths[0]))] if by_position else [None]
    variants: list[Variant] = [
        (Intervention(layer, "z", head, "clean", place),)
        for layer in range(model.n_layers)
        for place in places
        for head in range(model.n_heads)
    ]
    metric = engine.run(variants, base="corrupted").metric.mean(1)
    shape = (model.n_layers, len(places), model.n_heads) if by_position else (model.n_layers, model.n_heads)
    return metric.reshape(shape), time.perf_counter() - began


def timed(call: Callable[[], object]) -> tuple[object, float]:
    """The value and the seconds."""
    began = time.perf_counter()
    value = call()
    return value, time.perf_counter() - began


def screen(model: LoadedModel, prompts: Prompts) -> tuple[np.ndarray, float]:
    """AtP of all heads and MLPs, [layers, heads], and the seconds it took."""
    assert model.decoder is not None, model.name
    engine = Engine(prompts=prompts, decoder=model.decoder)
    (atp, _), seconds = timed(lambda: node_scores(engine, ig_steps=0))  # pyright: ignore[reportGeneralTypeIssues]  # a pair
    return atp.heads.mean(-1), seconds


def main() -> None:
    """Run both, print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--sweep", choices=("heads", "positions"), default="heads")
    parser.add_argument("--all-layers", action="store_true", help="run the stock sweep on every layer, slowly")
    options = parser.parse_args()
    model = load_model("smollm2", models_dir=load_settings().models_dir)
    prompts = pairs_of_one_length(model, options.pairs)
    by_position = options.sweep == "positions"
    layers = list(range(model.n_layers))
    if not options.all_layers:
        layers = layers[4::10]
    stock = Stock(model, prompts)
    ours(model, prompts.subset([0, 1]), False)  # warm up both
    stock.metric(stock.bridge(stock.clean))
    metric, seconds = ours(model, prompts, by_position)
    atp, screen_seconds = screen(model, prompts)
    stock_metric, measured = stock.sweep(by_position, layers)
    stock_seconds = measured * model.n_layers / len(layers)
    exact, _ = (metric, 0.0) if not by_position else ours(model, prompts, False)
    difference = float(np.abs(metric[layers] - stock_metric).max())
    engine = Engine(prompts=prompts, decoder=model.decoder)  # pyright: ignore[reportArgumentType]  # SmolLM2 has a reader
    variants: list[Variant] = [
        (Intervention(layer, "z", h, "corrupted"),) for layer in range(model.n_layers) for h in range(model.n_heads)
    ]
    harm = (engine.baseline("clean").metric - engine.run(variants).metric).mean(1)
    order, chosen = np.argsort(-np.abs(harm)), np.argsort(-np.abs(atp.ravel()))
    print(
        f"{options.pairs} pairs of {int(prompts.lengths[0])} tokens, {metric.size} patches, {torch.get_num_threads()} threads"
    )
    print(
        f"stock: {stock_seconds:.1f} s"
        + ("" if len(layers) == model.n_layers else f" (from {len(layers)} layers, {measured:.1f} s)")
    )
    print(f"ours: {seconds:.1f} s; AtP screen of all heads and MLPs: {screen_seconds:.2f} s")
    print(f"largest difference {difference:.2e} logits; exact sweep spread {exact.std():.3f}")
    print(
        json.dumps(
            {
                "sweep": options.sweep,
                "ratio": round(stock_seconds / seconds, 2),
                "max_abs_diff": difference,
                "screen_fraction": round(screen_seconds / stock_seconds, 5),
                "spearman": round(float(stats.spearmanr(np.abs(harm), np.abs(atp.ravel()))[0]), 4),
                "top10_recall": float(len(set(order[:10]) & set(chosen[:10])) / 10),
                "stock_seconds": round(stock_seconds, 2),
                "our_seconds": round(seconds, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
