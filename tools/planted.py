"""Planted models: small transformers whose circuits are known because they were written into the weights (METHOD 6.1).

`build_planted("induction")` gives config, weights, task and truth: what each component does, which matter for the
model's own task, and the harm and restore that follow from the construction. Spec `planted:induction` loads one
(`tools/models.py`); `planted-induction` is its task. Each model sets traps for a careless experimenter; the truth names
them. This file holds the reference model P1 and the list; the others are in `tools/planted_zoo.py` and `tools/planted_pathway.py`. Nothing is claimed
about pretrained models.
"""

import difflib
from collections.abc import Callable

from tools.errors import ExperimentError
from tools.planted_build import Blueprint, Copy, HeadPlan, Match
from tools.planted_pathway import pathway
from tools.planted_task import RepeatedIds
from tools.planted_truth import N_CTX, VOCAB, Effect, Planted, Truth, direct_noise, gains, plant, words
from tools.planted_zoo import INDUCTION, ZOO, previous_token

P1 = Truth(
    circuit=("a0.h0", "a1.h0", "a1.h2", "a2.h0"),
    edges=(
        "a0.h0->a1.h0<k>",
        "a0.h0->a1.h2<k>",
        "a0.h0->a2.h0<k>",
        "a1.h0->a2.h0<q>",
        "a1.h0->logits",
        "a1.h2->logits",
        "a2.h0->logits",
    ),
    roles={
        "a0.h0": "previous-token",
        "a1.h0": "induction",
        "a1.h2": "negative induction",
        "a2.h0": "backup induction",
    },
    effects={
        "a0.h0": Effect(resample=1.0, zero=1.0, restore=0.0),
        "a1.h0": Effect(resample=1.04, zero=0.43, restore=1.43),
        "a1.h2": Effect(resample=-0.43, zero=-0.43, restore=-0.43),
        "a2.h0": Effect(resample=0.0, zero=0.0, restore=0.0),
    },
    irrelevant=("a0.h1", "a0.h2", "a0.h3", "a1.h1", "a1.h3", "a2.h1", "a2.h2", "a2.h3"),
    joint={("a1.h0", "a2.h0"): 1.43},
    traps=(
        "a0.h1 and a1.h1 have the patterns of a0.h0 and a1.h0 and write what nobody reads",
        "a0.h2 writes a flag for repeated tokens that can be decoded and is never used",
        "zeroing a1.h0 understates it, because a2.h0 steps in; a2.h0 alone shows nothing",
        "a1.h2 has the induction pattern and works against the answer",
    ),
)


def induction() -> Planted:
    """P1 of METHOD 6.1: see the table there."""
    v = VOCAB
    duplicate = HeadPlan(
        (Match("tok", "tok"), Match("pos", "pos", strength=-2 * 40.0)),
        (Copy("notbos", "flag"),),
        sink=40.0,
    )
    main = HeadPlan(
        INDUCTION, (Copy("tok", "out", 8.0, gains(1)), Copy("tok", "said", gain=words()), Copy("notbos", "spoke"))
    )
    negative = HeadPlan(INDUCTION, (Copy("tok", "out", -2.4, gains(2)),))
    backup = HeadPlan(
        (Match("tok", "prev", 18.0), Match("said", "tok", -10.0), Match("spoke", "bos", 9.447)),
        (Copy("tok", "out", 5.6, gains(3)),),
        sink=9.0,
    )
    heads = {
        (0, 0): previous_token(),
        (0, 1): previous_token("junk"),
        (0, 2): duplicate,
        (1, 0): main,
        (1, 1): HeadPlan(INDUCTION, (Copy("tok", "junk"),)),
        (1, 2): negative,
        (2, 0): backup,
    }
    blueprint = Blueprint(
        v,
        N_CTX,
        3,
        4,
        {"prev": v, "said": v, "spoke": 1, "flag": 1, "notbos": 1, "junk": v},
        heads,
        embed={"notbos": words()[:, None], "out": direct_noise(0)},
        seed=11,
    )
    return plant("induction", blueprint, RepeatedIds("planted-induction", v, (6, 8)), P1)


_BUILDERS: dict[str, Callable[[], Planted]] = {"induction": induction, **ZOO, "pathway": pathway}


def planted_models() -> list[str]:
    """The names of the planted models."""
    return list(_BUILDERS)


def build_planted(name: str) -> Planted:
    """Config, weights, task and truth of a planted model. Raises ExperimentError listing the names."""
    if name not in _BUILDERS:
        near = difflib.get_close_matches(name, _BUILDERS, n=5, cutoff=0.0)
        raise ExperimentError(f"no planted model is called {name!r}; there are {', '.join(near)}.")
    return _BUILDERS[name]()
