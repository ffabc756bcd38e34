"""Pairs in which one clean prompt is the source and another the base: interchange between inputs of one kind.

Row i of the result swaps into prompt i (the base, in the corrupted place) what prompt j (the source, in the clean place)
computed; j has the same template, arrangement, length and positions, and another answer. Read is the source's answer
against the base's own: a component that carries the answer turns the one into the other. For tasks that read one answer
against one foil at one place.
"""

from dataclasses import replace

import numpy as np

from tools.errors import ExperimentError
from tools.prompts import Prompts, single_readouts


def crossed(prompts: Prompts, seed: int) -> Prompts:
    """Each prompt with a partner. Raises ExperimentError for a task with several read-outs or too few partners."""
    if not prompts.single_readout:
        raise ExperimentError(
            f"task {prompts.task!r} reads several logits per prompt, so there is no one answer to interchange; "
            "use source paired."
        )
    kinds = [_kind(prompts, i) for i in range(len(prompts))]
    generator = np.random.default_rng(seed)
    bases: list[int] = []
    sources: list[int] = []
    for i, kind in enumerate(kinds):
        others = [j for j, other in enumerate(kinds) if other == kind and prompts.answer[j] != prompts.answer[i]]
        if others:
            bases.append(i)
            sources.append(others[int(generator.integers(len(others)))])
    if len(bases) < 2:
        raise ExperimentError(
            f"task {prompts.task!r}: no two of {len(prompts)} prompts share their form and differ in the answer; "
            "ask for more prompts or use source paired."
        )
    base, source = prompts.subset(bases), prompts.subset(sources)
    return replace(
        base,
        corruption="another prompt",
        clean_tokens=source.clean_tokens,
        corrupted_tokens=base.clean_tokens,
        readouts=single_readouts(base.readouts.position, source.answer, base.answer),
        texts=source.texts,
        corrupted_texts=base.texts,
    )


def _kind(prompts: Prompts, i: int) -> tuple[object, ...]:
    places = tuple(int(where[i]) for where in prompts.positions.values())
    return (prompts.template[i], prompts.order[i], len(prompts.clean_tokens[i]), *places)
