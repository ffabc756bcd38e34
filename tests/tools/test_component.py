"""Names of components: any common spelling in, one spelling out."""

import pytest

from tools.component import Component, check_component, parse_component, parse_edge
from tools.errors import ExperimentError


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("5.1", "a5.h1"),
        ("L5H1", "a5.h1"),
        ("head 5.1", "a5.h1"),
        ("Head 5.1", "a5.h1"),
        ("layer 5 head 1", "a5.h1"),
        ("head 1 of layer 5", "a5.h1"),
        ("blocks.5.attn.hook_z[1]", "a5.h1"),
        ("레이어 5 헤드 1", "a5.h1"),
        ("5번 층 1번 헤드", "a5.h1"),
        ("a5.h1@end", "a5.h1@END"),
        ("MLP 3", "m3"),
        ("m3", "m3"),
        ("m3.n17", "m3.n17"),
        ("blocks.3.mlp.hook_post[17]", "m3.n17"),
        ("resid7@END", "resid7@END"),
        ("f12:4051", "f12:4051"),
        ("a5", "a5"),
        ("logits", "logits"),
    ],
)
def test_spellings(text: str, printed: str):
    assert str(parse_component(text)) == printed


@pytest.mark.parametrize("printed", ["a5.h1", "a5", "m3", "m3.n17", "resid7@END", "f12:4051", "input", "logits"])
def test_what_is_printed_reads_back_as_itself(printed: str):
    assert str(parse_component(printed)) == printed


@pytest.mark.parametrize("text", ["", "head", "banana", "5", "a5.h", "1.2.3"])
def test_what_is_no_component_says_how_to_write_one(text: str):
    with pytest.raises(ExperimentError, match=r"not a component name. Write a head as a5.h1"):
        parse_component(text)


def test_an_edge_with_its_channel():
    edge = parse_edge("5.1 -> L7H2<q>")
    assert (str(edge), edge.channel) == ("a5.h1->a7.h2<q>", "q")


def test_an_edge_without_an_arrow_is_refused():
    with pytest.raises(ExperimentError, match="is not an edge"):
        parse_edge("a5.h1 a7.h2")


@pytest.mark.parametrize(
    ("component", "valid"),
    [
        (Component("head", 30, 0), "layers 0 to 29"),
        (Component("head", 5, 9), "heads 0 to 8"),
        (Component("mlp", 30), "layers 0 to 29"),
        (Component("resid", 31), "layers 0 to 30"),
    ],
)
def test_out_of_range_names_the_valid_range(component: Component, valid: str):
    with pytest.raises(ExperimentError, match=valid):
        check_component(component, 30, 9)


def test_the_stream_after_the_last_layer_exists():
    check_component(Component("resid", 30), 30, 9)
