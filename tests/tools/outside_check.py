"""An outside check: five numbers recomputed with TransformerLens's own hooks and caches, one prompt at a time.

Nothing of the engine, the decoder, the paths or the attribution is used here: only the loaded TransformerLens object and
the prompts. Compared are per-prompt arrays of the experiments. Prints one line a quantity with the largest difference.

    python -m tests.tools.outside_check [smollm2 | planted:names | planted:induction]
"""

import json
import sys

import numpy as np
import torch

from tools.experiment import Lab, find_experiment
from tools.models import load_model
from tools.task_spec import Draw
from tools.tasks import find_task
from tools.vocab import TokenizerVocab
from ui.settings import load

N = 6
PLAN = {
    "smollm2": {"task": "ioi", "heads": ["a20.h0", "a23.h0"], "path": ("a20.h0", "a23.h0", "q"), "key": "S2"},
    "planted:names": {
        "task": "planted-names",
        "heads": ["a1.h0", "a2.h0"],
        "path": ("a1.h0", "a2.h0", "q"),
        "key": "S2",
    },
    "planted:induction": {
        "task": "planted-induction",
        "heads": ["a0.h0", "a1.h0"],
        "path": ("a0.h0", "a1.h0", "k"),
        "key": "ANSWER",
    },
}


def read(name):
    """(layer, head) of a name like a20.h0."""
    layer, head = name[1:].split(".h")
    return int(layer), int(head)


class Plain:
    """TransformerLens on pairs of token ids; `rows` are (clean, corrupted, answer, foil, positions)."""

    def __init__(self, model, hf, rows):
        self.model, self.hf, self.rows = model, hf, rows
        self.caches = []
        for clean, corrupted, *_ in rows:
            both = [model.run_with_cache(ids, names_filter=self.wanted)[1] for ids in (clean, corrupted)]
            self.caches.append(both)
        self.clean = np.array([self.score(model(row[0]), row) for row in rows])
        self.corrupted = np.array([self.score(model(row[1]), row) for row in rows])
        self.gap = self.clean.mean() - self.corrupted.mean()

    def wanted(self, name):
        ends = ("hook_z", "hook_pattern", "attn.o.hook_in", "hook_attention_weights", "hook_resid_post", "hook_out")
        return name.endswith(ends)

    def score(self, logits, row):
        return float(logits[0, -1, row[2]] - logits[0, -1, row[3]])

    def patched(self, base, layer, head):
        """Per-row metric with one head's z from the other run."""
        found = []
        for row, (clean, corrupted) in zip(self.rows, self.caches, strict=True):
            other = corrupted if base == "clean" else clean
            z = other[f"blocks.{layer}.attn.hook_z"]

            def replace(value, hook, z=z):
                value = value.clone()
                value[:, :, head] = z[:, :, head]
                return value

            hooks = [(f"blocks.{layer}.attn.hook_z", replace)]
            logits = self.model.run_with_hooks(row[0] if base == "clean" else row[1], fwd_hooks=hooks)
            found.append(self.score(logits, row))
        return np.array(found)

    def attention(self, layer, head, key):
        return np.array(
            [
                float(clean[f"blocks.{layer}.attn.hook_pattern"][0, head, -1, row[4][key]])
                for row, (clean, _) in zip(self.rows, self.caches, strict=True)
            ]
        )

    def direct(self, layer, head):
        """What a head writes into the logit difference, the final norm at its scale in the clean run."""
        last = f"blocks.{self.model.cfg.n_layers - 1}.hook_resid_post"
        w_u = self.model.W_U  # [model, vocab]
        found = []
        for row, (clean, _) in zip(self.rows, self.caches, strict=True):
            write = clean[f"blocks.{layer}.attn.hook_z"][0, -1, head] @ self.model.W_O[layer, head]
            direction = w_u[:, row[2]] - w_u[:, row[3]]
            if self.hf is not None:  # RMS norm
                norm, final = self.hf.model.norm, clean[last][0, -1]
                write = write * norm.weight / (final.pow(2).mean() + norm.variance_epsilon).sqrt()
            found.append(float(write @ direction))
        return np.array(found)

    def path(self, sender, receiver, channel):
        """Per-row metric with the sender's corrupted-minus-clean write added to one input of the receiver."""
        (from_layer, from_head), (layer, head) = read(sender), read(receiver)
        self.model.set_use_split_qkv_input(True)
        found = []
        try:
            for row, (clean, corrupted) in zip(self.rows, self.caches, strict=True):
                z = [c[f"blocks.{from_layer}.attn.hook_z"][:, :, from_head] for c in (corrupted, clean)]
                change = (z[0] - z[1]) @ self.model.W_O[from_layer, from_head]

                def add(value, hook, change=change):
                    value = value.clone()
                    value[:, :, head] += change
                    return value

                place = (
                    f"blocks.{layer}.attn" if self.hf is not None else f"blocks.{layer}"
                )  # Bridge, HookedTransformer
                hooks = [(f"{place}.hook_{channel}_input", add)]
                found.append(self.score(self.model.run_with_hooks(row[0], fwd_hooks=hooks), row))
        finally:
            self.model.set_use_split_qkv_input(False)
        return np.array(found)


@torch.no_grad()
def compare(spec):
    """Largest difference of each quantity between plain TransformerLens and the experiments."""
    plan = PLAN[spec]
    model = load_model(spec, models_dir=load().models_dir)
    vocab = None if model.tokenizer is None else TokenizerVocab(model.tokenizer)
    prompts = find_task(plan["task"]).draw(vocab, Draw(N))
    rows = [
        (
            torch.tensor(prompts.clean_tokens[i])[None],
            torch.tensor(prompts.corrupted_tokens[i])[None],
            int(prompts.answer[i]),
            int(prompts.foil[i]),
            {label: int(where[i]) for label, where in prompts.positions.items()},
        )
        for i in range(N)
    ]
    plain = Plain(model.bridge, model.hf, rows)
    lab, common = Lab(model), {"task": plan["task"], "n": N}

    def ours(name, array, **params):
        found = find_experiment(name)
        return found.run(lab, found.params(**common, **params)).arrays[array]

    pairs = {}
    for name in plan["heads"]:
        layer, head = read(name)
        harm, restore = (plain.clean - plain.patched("clean", layer, head)), plain.patched("corrupted", layer, head)
        pairs[f"head-ablation {name}"] = harm / plain.gap, ours("head-ablation", "harm_per_prompt", components=[name])
        restored = (restore - plain.corrupted) / plain.gap
        pairs[f"head-patching {name}"] = restored, ours("head-patching", "restore_per_prompt", components=[name])
        written = ours("direct-logit-attribution", "dla_per_prompt", components=[name])[0]
        pairs[f"direct-logit-attribution {name}"] = plain.direct(layer, head) / plain.gap, written
        looked = ours("attention-pattern", "attention_per_prompt", component=name, key=plan["key"])
        pairs[f"attention-pattern {name}"] = plain.attention(layer, head, plan["key"]), looked
    sender, receiver, channel = plan["path"]
    along = ours("path-patching", "effect_per_prompt", receiver=f"{receiver}<{channel}>", senders=[sender])
    pairs["path-patching"] = (plain.clean - plain.path(sender, receiver, channel)) / plain.gap, along
    largest = {name: float(np.abs(np.asarray(a) - np.asarray(b)).max()) for name, (a, b) in pairs.items()}
    sizes = {name: float(np.abs(np.asarray(a)).max()) for name, (a, _) in pairs.items()}
    return largest, sizes


def main():
    for spec in sys.argv[1:] or list(PLAN):
        largest, sizes = compare(spec)
        for name, difference in largest.items():
            sys.stdout.write(f"{spec} {name}: largest difference {difference:.1e}, largest value {sizes[name]:.3f}\n")
        report = {"model": spec, "max_abs_diff": max(largest.values()), "quantities": len(largest)}
        sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
