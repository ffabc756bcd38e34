"""Controls are matched, exclude what they must, and come from the seed."""

from dataclasses import dataclass

import pytest

from tools.component import Component, parse_component
from tools.errors import ExperimentError
from tools.selection import draw_controls, read_components


@dataclass
class Sizes:
    n_layers: int = 12
    n_heads: int = 6
    d_mlp: int = 64
    name: str = "toy"


def controls(names, n=39, band=4, exclude=(), seed=0):
    claimed, banned = ([parse_component(x) for x in list_] for list_ in (names, exclude))
    return draw_controls(claimed, Sizes(), n=n, band=band, exclude=banned, seed=seed)


def test_controls_lie_in_the_band_and_leave_out_the_nominated():
    drawn = controls(["a6.h2"], exclude=["a6.h3", "a5.h1"])
    assert len(drawn) == 39 and len(set(drawn)) == 39
    assert all(abs(c.layer - 6) <= 4 and c.kind == "head" for (c,) in drawn)
    assert not {c for (c,) in drawn} & {parse_component(x) for x in ("a6.h2", "a6.h3", "a5.h1")}


def test_the_seed_decides():
    assert controls(["a6.h2"]) == controls(["a6.h2"]) != controls(["a6.h2"], seed=1)


def test_a_set_gets_sets_of_its_own_layer_profile():
    for chosen in controls(["a2.h0", "a2.h1", "a9.h5", "m3"], n=20):
        layers = sorted((c.kind, c.layer) for c in chosen if c.kind == "head")
        assert layers == [("head", 2), ("head", 2), ("head", 9)]
        assert [c for c in chosen if c.kind == "mlp"] != [Component("mlp", 3)]


def test_an_mlp_is_compared_with_mlps():
    assert {c.kind for (c,) in controls(["m6"])} == {"mlp"}
    assert len(controls(["m6"])) == 8


def test_nothing_left_to_draw_is_refused():
    everything = [f"a6.h{h}" for h in range(6)]
    with pytest.raises(ExperimentError, match=r"no matched control is left for a6\.h0"):
        controls(["a6.h0"], band=0, exclude=everything)


def test_a_component_named_twice_is_refused():
    with pytest.raises(ExperimentError, match="named twice"):
        read_components(["5.1", "a5.h1"], Sizes())
