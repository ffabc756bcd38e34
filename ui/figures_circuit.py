"""The mechanism of an investigation drawn as a graph: one SVG, from the first layer (top) to the logits (bottom).

A node's frame and sign tell its verdict, never its colour alone: solid with a tick is supported, dashed with a question
mark is open, dotted with a cross is refuted. A connection that works against the answer ends in a bar instead of an
arrow head. Rows are layers; inside a row nodes are placed under the mean of what they read (the barycentre method).
This module draws what `agent/report.py` holds and computes nothing else.
"""

from dataclasses import dataclass
from html import escape

from agent.report import EdgeCard, Mechanism, NodeCard, NodeStatus
from ui.palette import LIGHT, Palette

WIDTH, HEIGHT = 148.0, 46.0
GAP_X, GAP_Y, MARGIN = 26.0, 58.0, 18.0
BOW = 122.0
DASH: dict[NodeStatus, str] = {"supported": "", "open": "6 4", "refuted": "1.5 4"}
SIGN: dict[NodeStatus, str] = {"supported": "✓", "open": "?", "refuted": "✗"}
ENDS = ("input", "logits")


@dataclass(frozen=True)
class Placed:
    """Where a node lies: the middle of its box."""

    node: NodeCard
    x: float
    y: float


def draw_circuit(graph: Mechanism, palette: Palette = LIGHT, *, title: str = "Mechanism") -> str:
    """The graph as an SVG element, without script and without anything loaded from elsewhere."""
    placed = _place(graph)
    if not placed:
        return ""
    width = max(p.x for p in placed.values()) + WIDTH / 2 + MARGIN + BOW / 2
    height = max(p.y for p in placed.values()) + HEIGHT / 2 + MARGIN
    edges = [_edge(edge, placed, palette) for edge in graph.edges if {edge.source, edge.target} <= set(placed)]
    boxes = [_box(p, palette) for p in placed.values()]
    heading = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'style="width:100%;max-width:{width:.0f}px;height:auto" role="img" aria-label="{heading}" '
        f'font-family="system-ui, sans-serif">'
        f"<title>{heading}</title>{_arrows(palette)}{''.join(edges)}{''.join(boxes)}</svg>"
    )


def _place(graph: Mechanism) -> dict[str, Placed]:
    rows = _rows(graph)
    widest = max((len(row) for row in rows), default=0)
    middle = MARGIN + BOW / 2 + widest * (WIDTH + GAP_X) / 2
    placed: dict[str, Placed] = {}
    y = MARGIN + HEIGHT / 2
    for row in rows:
        ordered = sorted(row, key=lambda node: (_pull(node, graph, placed, middle), node.component))
        left = middle - (len(ordered) - 1) * (WIDTH + GAP_X) / 2
        for place, node in enumerate(ordered):
            placed[node.component] = Placed(node, left + place * (WIDTH + GAP_X), y)
        y += HEIGHT + GAP_Y
    return placed


def _rows(graph: Mechanism) -> list[list[NodeCard]]:
    """Nodes by depth: input, then in each layer heads before the MLP that reads them, then logits."""
    depth: dict[tuple[int, int], list[NodeCard]] = {}
    for node in graph.nodes:
        key = (-1, 0) if node.kind == "input" else (10**6, 0) if node.kind == "logits" else None
        depth.setdefault(key or (node.layer, int(node.kind == "mlp")), []).append(node)
    return [depth[key] for key in sorted(depth)]


def _pull(node: NodeCard, graph: Mechanism, placed: dict[str, Placed], middle: float) -> float:
    sources = [placed[e.source].x for e in graph.edges if e.target == node.component and e.source in placed]
    return sum(sources) / len(sources) if sources else middle


def _arrows(palette: Palette) -> str:
    return (
        "<defs>"
        '<marker id="helps" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0,0.8 L7,4 L0,7.2 z" fill="{palette.muted}"/></marker>'
        '<marker id="hurts" viewBox="0 0 4 10" refX="3" refY="5" markerWidth="4" markerHeight="10" orient="auto">'
        f'<path d="M2.5,0 V10" stroke="{palette.low}" stroke-width="2.4"/></marker>'
        "</defs>"
    )


def status_color(status: NodeStatus, palette: Palette) -> str:
    """The colour of a verdict."""
    colors = {"supported": palette.supported, "refuted": palette.refuted, "open": palette.inconclusive}
    return colors[status]


def _edge(edge: EdgeCard, placed: dict[str, Placed], palette: Palette) -> str:
    start, end = placed[edge.source], placed[edge.target]
    x1, y1, x2, y2 = start.x, start.y + HEIGHT / 2, end.x, end.y - HEIGHT / 2
    bend, bow = max(18.0, (y2 - y1) * 0.45), _bow(start, end, placed)
    color = palette.muted if edge.sign > 0 else palette.low
    marker = "helps" if edge.sign > 0 else "hurts"
    dash = f' stroke-dasharray="{DASH[edge.status]}"' if DASH[edge.status] else ""
    width = {"supported": 2.0, "open": 1.4, "refuted": 1.0}[edge.status]
    opacity = 0.55 if edge.status == "refuted" else 1.0
    effects = ", ".join(number.says() for number in edge.numbers)
    name = f"{edge.source}->{edge.target}" + (f"<{edge.channel}>" if edge.channel else "")
    tip = escape(": ".join(part for part in (name, f"{edge.status} {effects}".strip()) if part))
    path = f"M{x1:.1f},{y1:.1f} C{x1 + bow:.1f},{y1 + bend:.1f} {x2 + bow:.1f},{y2 - bend:.1f} {x2:.1f},{y2:.1f}"
    label = ""
    if edge.channel and edge.channel not in ("in", "out"):
        # a point of the curve near the receiver, where the channel matters
        at = 0.78
        y = y1 + (y2 - y1) * at
        x = x1 + (x2 - x1) * (3 * at**2 - 2 * at**3) + bow * 3 * at * (1 - at)
        label = (
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" fill="{palette.ink}" stroke="{palette.ground}" '
            f'stroke-width="4" paint-order="stroke" text-anchor="middle">{escape(edge.channel)}</text>'
        )
    return (
        f'<g opacity="{opacity}"><title>{tip}</title><path d="{path}" fill="none" stroke="{color}" '
        f'stroke-width="{width}"{dash} marker-end="url(#{marker})"/>{label}</g>'
    )


def _bow(start: Placed, end: Placed, placed: dict[str, Placed]) -> float:
    """How far the curve swings aside so that it does not run behind a box between its rows; 0 when none is in the way."""
    for other in placed.values():
        if not start.y < other.y < end.y or other.node.kind in ENDS:
            continue
        at = (other.y - start.y) / (end.y - start.y)
        x = start.x + (end.x - start.x) * (3 * at**2 - 2 * at**3)
        if abs(x - other.x) < WIDTH / 2 + 4:
            return BOW if x >= other.x else -BOW
    return 0.0


def _box(placed: Placed, palette: Palette) -> str:
    node, x, y = placed.node, placed.x - WIDTH / 2, placed.y - HEIGHT / 2
    if node.kind in ENDS:
        return (
            f'<text x="{placed.x:.1f}" y="{placed.y + 5:.1f}" text-anchor="middle" font-size="13" '
            f'fill="{palette.muted}">{escape(node.component)}</text>'
        )
    color = status_color(node.status, palette)
    dash = f' stroke-dasharray="{DASH[node.status]}"' if DASH[node.status] else ""
    effects = ", ".join(number.says() for number in node.numbers)
    tip = escape(f"{node.component}: {node.status}. {node.role} {effects}".strip())
    role = ""
    if node.role:
        mark = f" {SIGN[node.role_status]}" if node.role_status else ""
        role = (
            f'<text x="{placed.x:.1f}" y="{placed.y + 15:.1f}" text-anchor="middle" font-size="11.5" '
            f'fill="{palette.muted}">{escape(node.role)}{mark}</text>'
        )
    up = 3 if node.role else -5
    return (
        f'<g><title>{tip}</title><rect x="{x:.1f}" y="{y:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="9" '
        f'fill="{palette.raised}" stroke="{color}" stroke-width="1.8"{dash}/>'
        f'<text x="{placed.x:.1f}" y="{placed.y - up:.1f}" text-anchor="middle" font-size="14" font-weight="600" '
        f'fill="{palette.ink}">{escape(node.component)}'
        f'<tspan fill="{color}" dx="6">{SIGN[node.status]}</tspan></text>{role}</g>'
    )
