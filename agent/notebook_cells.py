"""The code that exported notebooks consist of: plain TransformerLens, torch and numpy, and nothing of this program.

Each constant is the source of one cell. `agent/notebooks.py` fills the braces in the ones that say so.
"""

COVERED = ("behaviour", "head-ablation", "head-patching")

LOAD_HF = """\
import json
import re

import numpy as np
import torch
from transformer_lens.model_bridge import TransformerBridge
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.manual_seed(0)
MODEL = {model!r}  # a folder on this machine, or a name on the model hub
EXTRA = {extra!r}  # how to find the weights in that folder, if they are not safetensors
hf = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager", **EXTRA).eval()
tokenizer = AutoTokenizer.from_pretrained(MODEL, **EXTRA)
model = TransformerBridge.boot_transformers(MODEL, hf_model=hf, tokenizer=tokenizer)
model.eval()
"""

LOAD_HOOKED = '''\
import json
import re

import numpy as np
import torch
from safetensors.torch import load_file
from transformer_lens import HookedTransformer, HookedTransformerConfig

WEIGHTS = {weights!r}  # exported beside this notebook
CONFIG = json.loads(r"""{config}""")
model = HookedTransformer(HookedTransformerConfig.from_dict(CONFIG), move_to_device=False)
missing, unknown = model.load_state_dict(load_file(WEIGHTS), strict=False)
assert not unknown, unknown
model.eval()
'''

PROMPTS = '''\
# Token ids of each clean prompt and its corrupted partner, and which logits are read from each row:
# metric = sum of weight * (logit[position, answer] - logit[position, foil]); a foil of -1 is left out.
DATA = json.loads(r"""{data}""")
CLEAN, CORRUPTED = DATA["clean"], DATA["corrupted"]
READ, POSITIONS, TEMPLATE = DATA["readouts"], DATA["positions"], DATA["template"]
print(len(CLEAN), "prompt pairs")
'''

RUNS = '''\
def batches(prompts):
    """Row numbers of equal length, so that nothing is ever padded."""
    lengths = [len(tokens) for tokens in prompts]
    for length in sorted(set(lengths)):
        rows = [i for i, own in enumerate(lengths) if own == length]
        for start in range(0, len(rows), 32):
            yield rows[start : start + 32]


@torch.no_grad()
def forward(tokens, hooks=()):
    """Logits of token ids [rows, positions] with functions hooked in; every hook must exist and fire."""
    fired = []

    def counted(function):
        def hook(value, hook):
            fired.append(1)
            return function(value)

        return hook

    for name, _ in hooks:
        assert name in model.hook_dict, name
    bound = [(name, counted(function)) for name, function in hooks]
    logits = model.run_with_hooks(torch.tensor(tokens), return_type="logits", fwd_hooks=bound)
    assert len(fired) == len(hooks), (len(fired), len(hooks))
    return logits.double().numpy()


def metric(logits, rows):
    """The number that is measured on each row."""
    place = {row: i for i, row in enumerate(rows)}
    values = np.zeros(len(rows))
    for row, position, answer, foil, weight in READ:
        if row in place:
            read = logits[place[row], position]
            values[place[row]] += weight * (read[answer] - (read[foil] if foil >= 0 else 0.0))
    return values


def measure(prompts, hooks_for=lambda rows: ()):
    """The metric of every row, run plainly or with the hooks that `hooks_for` gives for a batch."""
    values = np.zeros(len(prompts))
    for rows in batches(prompts):
        values[rows] = metric(forward([prompts[i] for i in rows], hooks_for(rows)), rows)
    return values
'''

BEHAVIOUR = """\
clean, corrupted = measure(CLEAN), measure(CORRUPTED)
kept = np.array([name in {kept!r} for name in TEMPLATE])
MEASURED = {{
    "accuracy": (clean > 0)[kept].mean(),
    "gap": (clean - corrupted)[kept].mean(),
    "clean_metric": clean[kept].mean(),
    "corrupted_metric": corrupted[kept].mean(),
}}
"""

PATCHING = '''\
FORMS = [
    (r"a(\\d+)\\.h(\\d+)$", "blocks.{{0}}.attn.hook_z", 2),
    (r"a(\\d+)$", "blocks.{{0}}.hook_attn_out", None),
    (r"m(\\d+)$", "blocks.{{0}}.hook_mlp_out", None),
    (r"m(\\d+)\\.n(\\d+)$", "blocks.{{0}}.mlp.hook_post", 2),
    (r"resid(\\d+)$", "blocks.{{0}}.hook_resid_pre", None),
]


def site(component):
    """Where a component lives: hook name, index on the last axis but one (heads) or on the last (neurons), label."""
    name, _, label = component.partition("@")
    for pattern, hook, _ in FORMS:
        if found := re.match(pattern, name):
            layer = int(found[1])
            if name.startswith("resid") and layer == model.cfg.n_layers:
                return f"blocks.{{layer - 1}}.hook_resid_post", None, label or {position!r}
            index = int(found[2]) if found.lastindex == 2 else None
            return hook.format(layer), index, label or {position!r}
    raise ValueError(component)


def record(prompts, rows, names):
    """The values that pass these hooks in a plain run."""
    kept = {{}}

    def keeper(name):
        def keep(value):
            kept[name] = value.clone()

        return keep

    forward([prompts[i] for i in rows], [(name, keeper(name)) for name in names])
    return kept


def setter(value, index, places, is_neuron):
    """A hook that puts `value` in at one head or neuron (or the whole site), at one position of each row (or all)."""

    def put(current):
        new = current.clone()
        for row in range(len(new)):
            at = slice(None) if places is None else places[row]
            if index is None:
                new[row, at] = value[row, at]
            elif is_neuron:
                new[row, at, index] = value[row, at, index]
            else:
                new[row, at, index, :] = value[row, at, index, :]
        return new

    return put


def patched(base, components, values_for):
    """The metric of every row of `base` with components set to the values that `values_for(rows, names)` gives."""

    def hooks_for(rows):
        sites = [site(component) for component in components]
        values = values_for(rows, sorted({{name for name, _, _ in sites}}))
        hooks = []
        for name, index, label in sites:
            places = [POSITIONS[label][i] for i in rows] if label else None
            hooks.append((name, setter(values[name], index, places, name.endswith("hook_post"))))
        return hooks

    return measure(base, hooks_for)
'''

FROM_RUN = """\
def values_for(rows, names):
    return record({source}, rows, names)
"""

FROM_ZERO = """\
def values_for(rows, names):
    return {name: torch.zeros_like(value) for name, value in record(CLEAN, rows, names).items()}
"""

FROM_MEAN = """\
# The mean over corrupted prompts of the same template and length, position by position.
MEAN_PROMPTS, MEAN_TEMPLATE = DATA["mean_prompts"], DATA["mean_template"]
MEANS = {}


def mean_of(name, template, length):
    if (name, template, length) not in MEANS:
        total, count = 0.0, 0
        for rows in batches(MEAN_PROMPTS):
            own = [i for i in rows if MEAN_TEMPLATE[i] == template and len(MEAN_PROMPTS[i]) == length]
            if own:
                total = total + record(MEAN_PROMPTS, own, [name])[name].double().sum(0)
                count += len(own)
        MEANS[name, template, length] = (total / count).float()
    return MEANS[name, template, length]


def values_for(rows, names):
    return {name: torch.stack([mean_of(name, TEMPLATE[i], len(CLEAN[i])) for i in rows]) for name in names}
"""

HARM = """\
clean, corrupted = measure(CLEAN), measure(CORRUPTED)
gap = clean.mean() - corrupted.mean()
MEASURED = {{"gap": gap}}
for name, components in {targets!r}.items():
    shares = (clean - patched(CLEAN, components, values_for)) / gap
    MEASURED[name] = shares.mean()
"""

RESTORE = """\
clean, corrupted = measure(CLEAN), measure(CORRUPTED)
gap = clean.mean() - corrupted.mean()
MEASURED = {{"gap": gap}}
for name, components in {targets!r}.items():
    shares = (patched(CORRUPTED, components, values_for) - corrupted) / gap
    MEASURED[name] = shares.mean()
"""

COMPARE = """\
STORED = {stored!r}
TOLERANCE = {tolerance!r}
for name, value in STORED.items():
    print(f"{{name:<30}} stored {{value:+.6f}}   measured here {{MEASURED[name]:+.6f}}")
worst = max(abs(MEASURED[name] - value) for name, value in STORED.items())
assert worst < TOLERANCE, f"the numbers differ by {{worst:.2g}}"
print(f"the numbers agree within {{TOLERANCE:g}} (largest difference {{worst:.2g}})")
"""
