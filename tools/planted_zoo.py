"""The planted models beside P1, one trap each: names, or, and, repair, decoys, offset.

* `names`: duplicate-token -> S-inhibition -> name mover, with a negative mover and decoys at each stage.
* `or`: two induction heads, either of which is enough (an MLP caps their sum): removing one shows nothing.
* `and`: two induction heads, both needed (an MLP asks for their sum): restoring one shows nothing.
* `repair`: a head and a backup that replaces it exactly: total effect 0, direct effect 1.
* `decoys`: one previous-token and one induction head among seven heads with the same patterns and unread outputs.
* `offset`: a layer-0 head with a fixed offset scores as an induction head on its one period and is none.
"""

from collections.abc import Callable

import torch

from tools.planted_build import Blueprint, Copy, HeadPlan, Match, Threshold
from tools.planted_task import FIRST_NAME, TO, NamesIds, RepeatedIds
from tools.planted_truth import N_CTX, VOCAB, Effect, Planted, Truth, direct_noise, gains, plant, words

INDUCTION = (Match("tok", "prev"),)
PREVIOUS = (Match("pos", "pos", shift=1),)
DUPLICATE = (Match("tok", "tok"), Match("pos", "pos", strength=-80.0))
NAMES = 44


def previous_token(target: str = "prev") -> HeadPlan:
    """A head that attends to the token before and copies it to `target`."""
    return HeadPlan(PREVIOUS, (Copy("tok", target),))


def _token_column(size: int, tokens: list[int]) -> torch.Tensor:
    column = torch.zeros(size, 1)
    column[tokens] = 1.0
    return column


def names() -> Planted:
    """Indirect object identification by the mechanism of Wang et al., three layers."""
    v = NAMES
    to_duplicate = (Match("isto", "isdup"),)
    to_names = (Match("isto", "isname"), Match("inhibit", "tok", -30.0))
    heads = {
        (0, 0): HeadPlan(DUPLICATE, (Copy("tok", "dup", gain=words(v)), Copy("notbos", "isdup"))),
        (0, 1): HeadPlan(DUPLICATE, (Copy("tok", "junk"),)),
        (1, 0): HeadPlan(to_duplicate, (Copy("dup", "inhibit"),)),
        (1, 1): HeadPlan(to_duplicate, (Copy("dup", "junk"),)),
        (2, 0): HeadPlan(to_names, (Copy("tok", "out", 8.0, gains(1, v)),)),
        (2, 1): HeadPlan(to_names, (Copy("tok", "out", -2.4, gains(2, v)),)),
        (2, 2): HeadPlan(to_names, (Copy("tok", "junk"),)),
    }
    spaces = {"dup": v, "isdup": 1, "inhibit": v, "isto": 1, "isname": 1, "notbos": 1, "junk": v}
    embed = {
        "isto": _token_column(v, [TO]),
        "isname": _token_column(v, list(range(FIRST_NAME, v))),
        "notbos": words(v)[:, None],
        "out": direct_noise(4, v),
    }
    truth = Truth(
        circuit=("a0.h0", "a1.h0", "a2.h0", "a2.h1"),
        edges=(
            "a0.h0->a1.h0<k>",
            "a0.h0->a1.h0<v>",
            "a1.h0->a2.h0<q>",
            "a1.h0->a2.h1<q>",
            "a2.h0->logits",
            "a2.h1->logits",
        ),
        roles={
            "a0.h0": "duplicate-token",
            "a1.h0": "S-inhibition",
            "a2.h0": "name mover",
            "a2.h1": "negative name mover",
        },
        effects={
            "a0.h0": Effect(resample=1.33, zero=1.33, restore=0.0),
            "a1.h0": Effect(resample=1.33, zero=1.33, restore=0.0),
            "a2.h0": Effect(resample=1.43, zero=1.43, restore=1.43),
            "a2.h1": Effect(resample=-0.43, zero=-0.43, restore=-0.43),
        },
        irrelevant=("a0.h1", "a0.h2", "a1.h1", "a1.h2", "a2.h2"),
        traps=(
            "a0.h1, a1.h1 and a2.h2 have the patterns of the circuit's heads and write what nobody reads",
            "a0.h0 and a1.h0 are needed, and patching either into corrupted prompts restores nothing",
            "a2.h1 has the name mover's pattern and works against the answer",
        ),
    )
    return plant(
        "names", Blueprint(v, N_CTX, 3, 3, spaces, heads, embed=embed, seed=12), NamesIds("planted-names", v), truth
    )


def _two_heads(name: str, heads: dict[tuple[int, int], HeadPlan], mlp: Threshold, seed: int, truth: Truth) -> Planted:
    """An induction circuit whose second layer is two heads joined by an MLP over `sum`."""
    v = VOCAB
    spaces = {"prev": v, "sum": v, "junk": v}
    all_heads = {(0, 0): previous_token(), (0, 1): previous_token("junk"), **heads}
    blueprint = Blueprint(
        v, N_CTX, 2, 4, spaces, all_heads, mlps={1: mlp}, embed={"out": direct_noise(seed)}, seed=seed
    )
    return plant(name, blueprint, RepeatedIds(f"planted-{name}", v, (6, 8)), truth)


def either() -> Planted:
    """Two heads, one of which is enough: the MLP takes back what is above 1."""
    writes = [(Copy("tok", "out", 5.6, gains(i)), Copy("tok", "sum", gain=words())) for i in (1, 2)]
    heads = {
        (1, 0): HeadPlan(INDUCTION, writes[0]),
        (1, 1): HeadPlan(INDUCTION, writes[1]),
        (1, 2): HeadPlan(INDUCTION, (Copy("tok", "junk"),)),
    }
    truth = Truth(
        circuit=("a0.h0", "a1.h0", "a1.h1", "m1"),
        edges=(
            "a0.h0->a1.h0<k>",
            "a0.h0->a1.h1<k>",
            "a1.h0->m1<in>",
            "a1.h1->m1<in>",
            "a1.h0->logits",
            "a1.h1->logits",
            "m1->logits",
        ),
        roles={"a0.h0": "previous-token", "a1.h0": "induction", "a1.h1": "induction", "m1": "caps the sum"},
        effects={
            "a0.h0": Effect(resample=1.0, zero=1.0, restore=0.0),
            "a1.h0": Effect(resample=0.0, zero=0.0, restore=1.0),
            "a1.h1": Effect(resample=0.0, zero=0.0, restore=1.0),
            "m1": Effect(resample=-1.0, zero=-1.0, restore=-1.0),
        },
        irrelevant=("a0.h1", "a0.h2", "a0.h3", "a1.h2", "a1.h3", "m0"),
        joint={("a1.h0", "a1.h1"): 1.0},
        traps=("removing a1.h0 or a1.h1 alone shows nothing; removing both takes the behaviour away",),
    )
    return _two_heads("or", heads, Threshold(("sum",), "out", 1.0, -5.6), 5, truth)


def both() -> Planted:
    """Two heads, both of which are needed: the MLP writes only what is above 1."""
    heads = {
        (1, 0): HeadPlan(INDUCTION, (Copy("tok", "sum", gain=words()),)),
        (1, 1): HeadPlan(INDUCTION, (Copy("tok", "junk"),)),
        (1, 3): HeadPlan(INDUCTION, (Copy("tok", "sum", gain=words()),)),
    }
    truth = Truth(
        circuit=("a0.h0", "a1.h0", "a1.h3", "m1"),
        edges=("a0.h0->a1.h0<k>", "a0.h0->a1.h3<k>", "a1.h0->m1<in>", "a1.h3->m1<in>", "m1->logits"),
        roles={"a0.h0": "previous-token", "a1.h0": "induction", "a1.h3": "induction", "m1": "asks for both"},
        effects={
            "a0.h0": Effect(resample=1.0, zero=1.0, restore=0.0),
            "a1.h0": Effect(resample=1.0, zero=1.0, restore=0.0),
            "a1.h3": Effect(resample=1.0, zero=1.0, restore=0.0),
            "m1": Effect(resample=1.0, zero=1.0, restore=1.0),
        },
        irrelevant=("a0.h1", "a0.h2", "a0.h3", "a1.h1", "a1.h2", "m0"),
        joint={("a1.h0", "a1.h3"): 1.0},
        traps=("a1.h0 and a1.h3 are each needed, and patching either into corrupted prompts restores nothing",),
    )
    return _two_heads("and", heads, Threshold(("sum",), "out", 1.0, 5.6), 6, truth)


def repair() -> Planted:
    """A head and a backup that replaces it exactly when its output is missing or wrong."""
    v = VOCAB
    heads = {
        (0, 0): previous_token(),
        (1, 0): HeadPlan(INDUCTION, (Copy("tok", "out", 5.6, gains(1)), Copy("tok", "said", gain=words()))),
        (2, 1): HeadPlan(
            (Match("tok", "prev", 18.0), Match("said", "tok", -20.0)), (Copy("tok", "out", 5.6, gains(1)),), sink=9.0
        ),
    }
    blueprint = Blueprint(
        v, N_CTX, 3, 2, {"prev": v, "said": v, "junk": v}, heads, embed={"out": direct_noise(7)}, seed=7
    )
    truth = Truth(
        circuit=("a0.h0", "a1.h0", "a2.h1"),
        edges=(
            "a0.h0->a1.h0<k>",
            "a0.h0->a2.h1<k>",
            "a1.h0->a2.h1<q>",
            "a1.h0->logits",
            "a2.h1->logits",
        ),
        roles={"a0.h0": "previous-token", "a1.h0": "induction", "a2.h1": "backup induction"},
        effects={
            "a0.h0": Effect(resample=1.0, zero=1.0, restore=0.0),
            "a1.h0": Effect(resample=0.0, zero=0.0, restore=1.0),
            "a2.h1": Effect(resample=0.0, zero=0.0, restore=0.0),
        },
        irrelevant=("a0.h1", "a1.h1", "a2.h0"),
        joint={("a1.h0", "a2.h1"): 1.0},
        traps=("a1.h0 carries the whole answer, and removing it costs nothing because a2.h1 takes over",),
    )
    return plant("repair", blueprint, RepeatedIds("planted-repair", v, (6, 8)), truth)


def decoys() -> Planted:
    """One working pair among heads that attend the same way and write what nobody reads."""
    v = VOCAB
    idle = HeadPlan(INDUCTION, (Copy("tok", "junk"),))
    heads = {(0, head): previous_token("junk") for head in (0, 1, 5)}
    heads |= {(0, 2): HeadPlan(DUPLICATE, (Copy("tok", "junk"),)), (0, 3): previous_token()}
    heads |= {(1, head): idle for head in (0, 1, 4, 5)}
    heads |= {(1, 2): HeadPlan(INDUCTION, (Copy("tok", "out", 5.6, gains(1)),))}
    blueprint = Blueprint(v, N_CTX, 2, 6, {"prev": v, "junk": v}, heads, embed={"out": direct_noise(8)}, seed=8)
    truth = Truth(
        circuit=("a0.h3", "a1.h2"),
        edges=("a0.h3->a1.h2<k>", "a1.h2->logits"),
        roles={"a0.h3": "previous-token", "a1.h2": "induction"},
        effects={
            "a0.h3": Effect(resample=1.0, zero=1.0, restore=0.0),
            "a1.h2": Effect(resample=1.0, zero=1.0, restore=1.0),
        },
        irrelevant=(*(f"a0.h{h}" for h in (0, 1, 2, 4, 5)), *(f"a1.h{h}" for h in (0, 1, 3, 4, 5))),
        traps=("by attention pattern there are four previous-token and five induction heads, and one of each works",),
    )
    return plant("decoys", blueprint, RepeatedIds("planted-decoys", v, (6, 8)), truth)


def offset() -> Planted:
    """On one period only, a head that always looks five back predicts as an induction head does."""
    v, period = VOCAB, 6
    back = (Match("pos", "pos", shift=period - 1),)
    heads = {
        (0, 0): HeadPlan(back, (Copy("tok", "out", 5.6, gains(1)),)),
        (0, 1): HeadPlan(back, (Copy("tok", "junk"),)),
        (0, 2): previous_token(),
        (1, 0): HeadPlan(INDUCTION, (Copy("tok", "junk"),)),
    }
    blueprint = Blueprint(v, N_CTX, 2, 4, {"prev": v, "junk": v}, heads, embed={"out": direct_noise(9)}, seed=9)
    truth = Truth(
        circuit=("a0.h0",),
        edges=("a0.h0->logits",),
        roles={"a0.h0": "fixed offset"},
        effects={"a0.h0": Effect(resample=1.0, zero=1.0, restore=1.0)},
        irrelevant=("a0.h1", "a0.h2", "a0.h3", *(f"a1.h{h}" for h in range(4))),
        traps=(
            "a0.h0 has the induction pattern when the repeat period is 6 and loses it at any other period",
            "a1.h0 is an induction head by pattern at every period and writes what nobody reads",
        ),
    )
    return plant("offset", blueprint, RepeatedIds("planted-offset", v, (period,)), truth)


ZOO: dict[str, Callable[[], Planted]] = {
    "names": names,
    "or": either,
    "and": both,
    "repair": repair,
    "decoys": decoys,
    "offset": offset,
}
