import itertools
import re
from xml.etree import ElementTree

from agent.report import Mechanism
from tests.agent.reports import edge, node, report
from ui.figures_circuit import SIGN, draw_circuit

SVG = "{http://www.w3.org/2000/svg}"


def boxes(svg: str) -> dict[str, float]:
    """The y of each component's name."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}text")
    return {text.text or "": float(text.attrib["y"]) for text in found if text.text}


def test_every_node_and_edge_is_drawn():
    svg = draw_circuit(report().mechanism)
    assert {"input", "a0.h0", "a1.h0", "logits"} <= set(boxes(svg))
    assert svg.count("marker-end") == 2


def test_later_layers_lie_below_earlier_ones():
    at = boxes(draw_circuit(report().mechanism))
    assert at["input"] < at["a0.h0"] < at["a1.h0"] < at["logits"]


def test_a_verdict_is_told_by_sign_and_dash_and_not_by_colour_alone():
    svg = draw_circuit(Mechanism(nodes=[node("a0.h0", 0, "open")], edges=[]))
    assert SIGN["open"] in svg
    assert "stroke-dasharray" in svg


def test_a_connection_against_the_answer_ends_in_a_bar():
    graph = Mechanism(nodes=[node("a0.h0", 0), node("a1.h0", 1)], edges=[edge("a0.h0", "a1.h0", sign=-1)])
    assert "url(#hurts)" in draw_circuit(graph)


def test_boxes_of_one_row_do_not_overlap():
    graph = Mechanism(nodes=[node(f"a0.h{h}", 0) for h in range(5)], edges=[])
    places = sorted(float(x) for x in re.findall(r'<rect x="([\d.]+)"', draw_circuit(graph)))
    assert all(right - left > 148 for left, right in itertools.pairwise(places))


def test_a_connection_swings_around_a_box_that_is_in_its_way():
    nodes = [node("a0.h0", 0), node("a1.h0", 1), node("a2.h0", 2)]
    straight = draw_circuit(Mechanism(nodes=[nodes[0], nodes[2]], edges=[edge("a0.h0", "a2.h0")]))
    around = draw_circuit(Mechanism(nodes=nodes, edges=[edge("a0.h0", "a2.h0")]))

    def reach(svg: str) -> float:
        start, first, second, end = re.findall(r"[MC ](-?[\d.]+),", re.findall(r'<path d="(M\d[^"]+C[^"]+)"', svg)[0])
        return max(abs(float(first) - float(start)), abs(float(second) - float(end)))

    assert reach(straight) == 0
    assert 0.75 * reach(around) > 148 / 2


def test_names_are_escaped():
    graph = Mechanism(nodes=[node("a0.h0", 0, role="<script>")], edges=[])
    assert "<script>" not in draw_circuit(graph)


def test_an_empty_mechanism_draws_nothing():
    assert draw_circuit(Mechanism(nodes=[], edges=[])) == ""
