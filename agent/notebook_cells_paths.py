"""Cells of exported notebooks that let one write into one input (path patching), or keep a circuit alone.

Like `agent/notebook_cells.py`, whose functions these cells use: plain TransformerLens, and by hooks alone. The change
that a sender makes is added to the stream in one run only to see what the receiver's input becomes; a second run, clean
otherwise, gets that input.
"""

PATH = """\
SENDERS, KIND, LAYER, HEAD, CHANNELS, ZERO = {senders!r}, {kind!r}, {layer}, {head}, {channels!r}, {zero}
STREAM = {{
    "head": f"blocks.{{LAYER}}.hook_resid_pre",
    "mlp": f"blocks.{{LAYER}}.hook_resid_mid",
    "logits": f"blocks.{{model.cfg.n_layers - 1}}.hook_resid_post",
}}[KIND]
INPUTS = [f"blocks.{{LAYER}}.attn.hook_{{c}}" for c in CHANNELS] if KIND == "head" else [f"blocks.{{LAYER}}.hook_mlp_out"]


def written_change(rows, sender):
    \"\"\"How the sender's write differs between the run with its corrupted (or no) output and the clean run.\"\"\"
    name, index, _ = site(sender)
    if index is None:
        clean, other = record(CLEAN, rows, [name])[name], record(CORRUPTED, rows, [name])[name]
        return -clean if ZERO else other - clean
    out = name.replace("attn.hook_z", "hook_attn_out")
    source = record(CORRUPTED, rows, [name])[name]
    put = setter(torch.zeros_like(source) if ZERO else source, index, None, False)
    kept = {{}}

    def keep(value):
        kept["out"] = value.clone()

    forward([CLEAN[i] for i in rows], [(name, put), (out, keep)])
    return kept["out"] - record(CLEAN, rows, [out])[out]


def hooks_for(rows):
    added = sum(written_change(rows, sender) for sender in SENDERS)
    if KIND == "logits":
        return [(STREAM, lambda value: value + added)]
    received = {{}}

    def keeper(name):
        def keep(value):
            received[name] = value.clone()

        return keep

    forward([CLEAN[i] for i in rows], [(STREAM, lambda value: value + added), *((name, keeper(name)) for name in INPUTS)])
    index = HEAD if KIND == "head" else None
    return [(name, setter(received[name], index, None, False)) for name in INPUTS]


clean, corrupted = measure(CLEAN), measure(CORRUPTED)
gap = clean.mean() - corrupted.mean()
MEASURED = {{"gap": gap, "effect": ((clean - measure(CLEAN, hooks_for)) / gap).mean()}}
"""

CIRCUIT = """\
CIRCUIT, REST = {circuit!r}, {rest!r}
full = measure(CLEAN)
alone = patched(CLEAN, REST, values_for) if REST else full
without = patched(CLEAN, CIRCUIT, values_for)
empty = patched(CLEAN, CIRCUIT + REST, values_for)
gap = full.mean() - measure(CORRUPTED).mean()
MEASURED = {{
    "gap": gap,
    "faithfulness": (alone - empty).mean() / (full - empty).mean(),
    "complement": (without - empty).mean() / (full - empty).mean(),
    "deviation": np.abs(alone - full).mean() / abs(gap),
}}
"""
