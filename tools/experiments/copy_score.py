"""Does a head's OV circuit copy what it attends to, or suppress it (METHOD T3, C2; Wang et al. 2022)?

The stream after the first layer at a token that is an answer or foil goes through the head's OV circuit and the
unembedding; copied means the token is among the `top` highest logits, suppressed among the `top` lowest.

Reports, for one head: estimates `copy_score`, `negative_copy_score`, `other_token` (the same for a token of another
prompt: the control), each with `<name>_per_prompt` [n]. For a sweep: arrays `copy_score`, `negative_copy_score`
[layers, heads] over distinct tokens; table `heads`.
"""

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from tools.component import check_component, parse_component
from tools.costs import Cost, Sizes, whole
from tools.decoder import Site
from tools.errors import ExperimentError
from tools.experiment import Lab, TaskParams, experiment
from tools.measurement import Measurement, measure
from tools.prompts import Ints
from tools.result import Control, Result


class CopyScore(TaskParams):
    """Which head and how strict."""

    component: str | None = Field(default=None, description="the head, e.g. a23.h0; all heads when absent")
    top: int = Field(default=5, ge=1, le=100, description="how near the end of the ranking counts as copied")


def _cost(params: CopyScore, model: Sizes) -> Cost:
    return whole(3 * params.n)


@experiment("copy-score", version=1, kind="observational", cost=_cost)
def copy_score(lab: Lab, params: CopyScore) -> Result:
    """How often what a head's OV circuit makes of a token ranks that very token among the highest, or lowest, logits.

    Applied to the tokens that are answers or foils (names, in IOI), as they stand after the first layer. A high score
    is what a name mover's weights look like, a high negative score a copy-suppression head's. It says what the head
    would write if it attended there, not that it does: a head with a high score may look elsewhere (METHOD: L24H5).
    """
    head = None
    if params.component is not None:
        head = parse_component(params.component)
        check_component(head, lab.model.n_layers, lab.model.n_heads)
        if head.kind != "head":
            raise ExperimentError(f"{params.component} is no attention head; name one as a5.h1.")
    if lab.model.n_layers < 2:
        raise ExperimentError(f"{lab.model.name} has one layer; the copy score reads the stream after the first.")
    m = measure(lab, params)
    streams, tokens, owners = _streams(m)
    if head is None:
        return _sweep(m, params, streams, tokens)
    ranks = _ranks(m, streams, tokens, head.layer, head.index or 0)
    others = np.roll(tokens, len(tokens) // 2)
    strange = _ranks(m, streams, others, head.layer, head.index or 0)[:, 0] < params.top
    values = {
        "copy_score": _per_prompt(m, ranks[:, 0] < params.top, owners),
        "negative_copy_score": _per_prompt(m, ranks[:, 1] < params.top, owners),
        "other_token": _per_prompt(m, strange & (others != tokens), owners),
    }
    return m.result(
        "copy-score",
        1,
        f"{head} copies {values['copy_score'].mean():.2f} of the tokens and suppresses "
        f"{values['negative_copy_score'].mean():.2f} (top {params.top} of {lab.model.d_vocab}).",
        m.behaviour_estimates() + [m.estimate(name, array, "share of tokens") for name, array in values.items()],
        controls=[
            Control(
                name="other token",
                observed=float(values["other_token"].mean()),
                expected="near 0: a token that is not the one put in does not rank as high",
                array="other_token_per_prompt",
            )
        ],
        labels={"components": [str(head)]},
        arrays={f"{name}_per_prompt": array for name, array in values.items()},
    )


def _sweep(m: Measurement, params: CopyScore, streams: Tensor, tokens: Ints) -> Result:
    model = m.lab.model
    _, first = np.unique(tokens, return_index=True)
    score = np.zeros((2, model.n_layers, model.n_heads))
    for layer in range(model.n_layers):
        m.lab.step(layer / model.n_layers, f"copy scores: layer {layer} of {model.n_layers}")
        for index in range(model.n_heads):
            ranks = _ranks(m, streams[torch.as_tensor(first)], tokens[first], layer, index)
            score[:, layer, index] = (ranks < params.top).mean(0)
    order = np.argsort(-score.max(0).ravel())[:20]
    table = [
        {
            "component": f"a{i // model.n_heads}.h{i % model.n_heads}",
            "copy_score": round(float(score[0].ravel()[i]), 4),
            "negative_copy_score": round(float(score[1].ravel()[i]), 4),
        }
        for i in order
    ]
    return m.result(
        "copy-score",
        1,
        f"{int((score[0] >= 0.8).sum())} heads copy at least 0.8 of {len(first)} tokens, "
        f"{int((score[1] >= 0.8).sum())} suppress them.",
        m.behaviour_estimates(),
        controls=[
            Control(name="median head", observed=float(np.median(score[0])), expected="near 0: most heads do not copy")
        ],
        tables={"heads": table},
        arrays={"copy_score": score[0], "negative_copy_score": score[1]},
    )


def _streams(m: Measurement) -> tuple[Tensor, Ints, Ints]:
    """The stream entering layer 1 at each answer or foil token: [k, model], its token [k], its prompt [k].

    Raises ExperimentError for a task whose answers do not stand in its prompts.
    """
    places: tuple[list[Tensor], list[int], list[int]] = ([], [], [])
    wanted: set[tuple[int, Site]] = {(1, "resid_pre")}
    for group in m.engine.groups():
        stream = m.engine.record(m.engine.tokens(group, "clean"), wanted)[1, "resid_pre"]
        for k, row in enumerate(group.rows):
            own = group.readouts.row == k
            read = {*group.readouts.answer[own].tolist(), *group.readouts.foil[own].tolist()}
            spots = {int(group.positions[label][k]) for label in group.positions} - {-1}
            for spot in sorted(spots):
                if int(group.clean[k, spot]) in read:
                    places[0].append(stream[k, spot])
                    places[1].append(int(group.clean[k, spot]))
                    places[2].append(int(row))
    if len(set(places[2])) < len(m.prompts):
        raise ExperimentError(
            f"task {m.params.task!r} has prompts in which neither answer nor foil stands at a labelled position; "
            "a copy score needs something to copy."
        )
    return torch.stack(places[0]), np.array(places[1], np.int64), np.array(places[2], np.int64)


@torch.no_grad()
def _ranks(m: Measurement, streams: Tensor, tokens: Ints, layer: int, head: int) -> Ints:
    """How many tokens rank above, and below, each token after the head's OV circuit: [k, 2]. Ties count against it."""
    decoder = m.engine.decoder
    block = decoder.blocks[layer]
    group = head * block.attn.n_groups // block.attn.n_heads
    value = block.attn.values(block.ln1(streams)[None])[0, :, group]
    logits = decoder.logits(block.attn.head_out(value, head))
    own = logits.gather(1, torch.as_tensor(tokens, device=logits.device)[:, None])
    above, below = (logits >= own).sum(1) - 1, (logits <= own).sum(1) - 1
    return torch.stack([above, below], dim=1).cpu().numpy()


def _per_prompt(m: Measurement, hits: np.ndarray, owners: Ints) -> np.ndarray:
    counts = np.bincount(owners, minlength=len(m.prompts))
    return np.bincount(owners, weights=hits.astype(np.float64), minlength=len(m.prompts)) / counts
