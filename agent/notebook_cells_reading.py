"""Cells of exported notebooks that read a run: attention, scores on repeated tokens, the logit lens, what a head copies.

Like `agent/notebook_cells.py`, whose `forward`, `batches`, `record` and `metric` these cells use: plain TransformerLens.
A head's own write is found by hooks alone (its z let through, all others zeroed), so no weight layout is assumed.
"""

ATTENTION = """\
LAYER, HEAD, QUERY, KEYS = {layer}, {head}, {query!r}, {keys!r}
PATTERN = f"blocks.{{LAYER}}.attn.hook_pattern"
seen = np.zeros((len(KEYS), len(CLEAN)))
for rows in batches(CLEAN):
    pattern = record(CLEAN, rows, [PATTERN])[PATTERN][:, HEAD].double().numpy()
    for i, row in enumerate(rows):
        for k, key in enumerate(KEYS):
            seen[k, row] = pattern[i, POSITIONS[QUERY][row], POSITIONS[key][row]]
MEASURED = {{"attention": seen[0].mean()}}
if len(KEYS) > 1:
    MEASURED["margin"] = (seen[0] - seen[1]).mean()
"""

SCORES = """\
# Repeated random tokens (CLEAN) and the same with another second half (CORRUPTED), in several repeat lengths.
LAYER, HEAD, START = {layer}, {head}, {start}
PATTERN = f"blocks.{{LAYER}}.attn.hook_pattern"


def mean_attention(prompts, back_of, first_of):
    values = np.zeros(len(prompts))
    for rows in batches(prompts):
        pattern = record(prompts, rows, [PATTERN])[PATTERN][:, HEAD].double().numpy()
        for i, row in enumerate(rows):
            period = int(TEMPLATE[row].removeprefix("period-"))
            queries = np.arange(first_of(period), len(prompts[row]))
            values[row] = pattern[i, queries, queries - back_of(period)].mean()
    return values


PARTS = {{
    "previous": (CLEAN, lambda p: 1, lambda p: START + 1),
    "duplicate": (CLEAN, lambda p: p, lambda p: START + p),
    "induction": (CLEAN, lambda p: p - 1, lambda p: START + p),
    "duplicate_control": (CORRUPTED, lambda p: p, lambda p: START + p),
    "induction_control": (CORRUPTED, lambda p: p - 1, lambda p: START + p),
}}
MEASURED = {{}}
for name, (prompts, back_of, first_of) in PARTS.items():
    values = mean_attention(prompts, back_of, first_of)
    by_period = [values[[t == period for t in TEMPLATE]].mean() for period in sorted(set(TEMPLATE))]
    MEASURED[name] = max(by_period) if "control" in name else min(by_period)
"""

LENS = """\
# The stream entering a layer, put where the last layer's output was: final norm and unembedding read it.
LAST = f"blocks.{{model.cfg.n_layers - 1}}.hook_resid_post"


def lens(layer):
    values = np.zeros(len(CLEAN))
    for rows in batches(CLEAN):
        name = f"blocks.{{layer}}.hook_resid_pre" if layer < model.cfg.n_layers else LAST
        stream = record(CLEAN, rows, [name])[name]
        values[rows] = metric(forward([CLEAN[i] for i in rows], [(LAST, lambda value: stream)]), rows)
    return values


final = lens(model.cfg.n_layers)
MEASURED = {{"final": final.mean(), "lens": lens({layer}).mean() / final.mean()}}
MEASURED["lens_before"] = lens({before}).mean() / final.mean()
"""

COPY = """\
LAYER, HEAD, TOP = {layer}, {head}, {top}
PRE, V, Z = f"blocks.{{LAYER}}.hook_resid_pre", f"blocks.{{LAYER}}.attn.hook_v", f"blocks.{{LAYER}}.attn.hook_z"
OUT, LAST = f"blocks.{{LAYER}}.hook_attn_out", f"blocks.{{model.cfg.n_layers - 1}}.hook_resid_post"


def head_write(streams):
    \"\"\"What the head writes when it attends to a position with this stream, [k, model].\"\"\"
    token = [[CLEAN[0][0]]] * len(streams)
    kept = {{}}

    def keep(name):
        def hook(value):
            kept[name] = value.clone()
            return value

        return hook

    forward(token, [(PRE, lambda value: streams[:, None]), (V, keep("v")), (Z, keep("z"))])
    group = HEAD * kept["v"].shape[2] // kept["z"].shape[2]
    only = torch.zeros_like(kept["z"])
    only[:, :, HEAD] = kept["v"][:, :, group]
    forward(token, [(Z, lambda value: only), (OUT, keep("with"))])
    forward(token, [(Z, lambda value: torch.zeros_like(value)), (OUT, keep("without"))])
    return (kept["with"] - kept["without"])[:, 0]


hits, low, owner = [], [], []
for rows in batches(CLEAN):
    streams = record(CLEAN, rows, ["blocks.1.hook_resid_pre"])["blocks.1.hook_resid_pre"]
    for i, row in enumerate(rows):
        read = {{token for r, _, answer, foil, _ in READ if r == row for token in (answer, foil)}}
        spots = sorted({{places[row] for places in POSITIONS.values()}} - {{-1}})
        spots = [spot for spot in spots if CLEAN[row][spot] in read]
        written = head_write(torch.stack([streams[i, spot] for spot in spots]))
        logits = forward([[CLEAN[0][0]]] * len(spots), [(LAST, lambda value: written[:, None])])[:, 0]
        for spot, line in zip(spots, logits):
            own = line[CLEAN[row][spot]]
            hits.append((line >= own).sum() - 1 < TOP)
            low.append((line <= own).sum() - 1 < TOP)
            owner.append(row)
owner = np.array(owner)
MEASURED = {{
    "copy_score": np.mean([np.array(hits)[owner == row].mean() for row in range(len(CLEAN))]),
    "negative_copy_score": np.mean([np.array(low)[owner == row].mean() for row in range(len(CLEAN))]),
}}
"""
