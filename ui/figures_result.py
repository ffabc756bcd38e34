"""The figures of one result: which of its arrays and tables are drawn how, for every experiment.

`PANELS` says it in one line a panel; what a result does not hold (a sweep has maps, a single component has controls) is
left out, and estimates with intervals are drawn where nothing else is, so that an experiment without a line here has a
figure too. Numbers are drawn as stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from tools.result import Estimate, Result
from ui.figures import framed, heatmap, stacked
from ui.palette import Palette

MOST_BARS = 25
Figures = list[tuple[str, go.Figure]]


@dataclass(frozen=True)
class Grid:
    """A [layers, heads] array as a map."""

    array: str
    says: str


@dataclass(frozen=True)
class Lines:
    """Arrays over layers, sizes or steps as lines; `x` names the array or label list that gives the places."""

    arrays: tuple[str, ...]
    says: str
    x: str | None = None
    along: str = "layer"
    band: tuple[str, str] | None = None


@dataclass(frozen=True)
class Cloud:
    """A control distribution as dots, the component's own estimate marked."""

    array: str
    own: str
    says: str


@dataclass(frozen=True)
class Bars:
    """A table's rows as bars, in its own order."""

    table: str
    label: str
    value: str
    says: str


@dataclass(frozen=True)
class Matrix:
    """An array of two named axes as a map."""

    array: str
    rows: str
    columns: str
    says: str


@dataclass(frozen=True)
class Numbers:
    """Estimates with their intervals: those named, or all."""

    names: tuple[str, ...] = ()
    says: str = "estimates with their intervals"


Panel = Grid | Lines | Cloud | Bars | Matrix | Numbers
PANELS: dict[str, tuple[Panel, ...]] = {
    "activation-patching": (Matrix("effect", "layers", "items", "effect by layer and item"), Bars("sites", "site", "effect", "largest effects")),
    "assay": (Cloud("null_harm", "", "harm of heads that should be quiet"), Numbers()),
    "attention-pattern": (Grid("sink", "attention on the first position"), Bars("heads", "component", "value_weighted", "value-weighted attention"), Cloud("other_heads", "attention", "attention of all other heads"), Numbers()),
    "attention-targets": (Bars("rivals", "target", "match", "match of rival targets"), Numbers(("match", "mass", "margin", "decoded"))),
    "attribution-patching": (Grid("atp", "estimated harm (a nominator, no evidence)"), Bars("nodes", "node", "atp", "nominated nodes")),
    "behaviour": (Bars("templates", "template", "accuracy", "accuracy by template"), Numbers(("accuracy", "top1"))),
    "circuit-curve": (Lines(("curve_faithfulness",), "faithfulness of the first k", "curve_share", "share of components kept", ("curve_low", "curve_high")), Cloud("random_cmd", "cmd", "CMD of random rankings")),
    "circuit-discovery": (Lines(("curve_faithfulness",), "faithfulness of growing circuits", "curve_size", "components kept"), Bars("members", "component", "harm", "members")),
    "circuit-evaluation": (Cloud("random_faithfulness", "faithfulness", "faithfulness of random circuits, same layers"), Bars("members", "component", "contribution", "what each member contributes"), Numbers(("faithfulness", "faithfulness_mean", "complement", "deviation", "agreement"))),
    "circuit-tests": (Bars("tests", "test", "p_corrected", "corrected p of each test"), Cloud("random_deviation", "", "|1 - f| of random circuits")),
    "composition": (Grid("q", "composition through queries"), Grid("k", "composition through keys"), Grid("v", "composition through values"), Grid("copying", "copying (OV eigenvalues)"), Grid("matching", "matching (QK eigenvalues)"), Cloud("random_k", "k_composition", "random directions, keys")),
    "copy-score": (Grid("copy_score", "copy score"), Grid("negative_copy_score", "negative copy score"), Numbers()),
    "cost": (Numbers(("seconds",)),),
    "direct-logit-attribution": (Grid("dla", "direct write of heads"), Lines(("dla_mlp", "direct_effect_mlp"), "direct write and effect of MLPs")),
    "direction-patching": (Numbers(("restore", "restore_whole", "restore_read", "restore_unread", "excess")), Cloud("random_restore", "restore", "random directions"), Lines(("loss",), "loss of the search", along="step")),
    "edge-attribution": (Bars("edges", "edge", "score", "nominated edges"),),
    "head-ablation": (Grid("harm", "harm of heads"), Grid("direct", "direct effect of heads"), Lines(("harm_mlp", "direct_mlp"), "harm and direct effect of MLPs"), Cloud("control_harm", "harm", "matched controls"), Numbers(("harm", "direct_effect", "repaired"))),
    "head-patching": (Grid("restore", "restore of heads"), Lines(("restore_mlp",), "restore of MLPs"), Cloud("control_restore", "restore", "matched controls"), Numbers(("restore", "neighbour_restore"))),
    "head-scores": (Grid("induction", "induction score"), Grid("previous", "previous-token score"), Grid("duplicate", "duplicate-token score"), Grid("induction_control", "induction where nothing repeats"), Numbers()),
    "interchange": (Lines(("iia", "restore"), "answers that become the source's, and restore", "components", "component"), Cloud("control_restore", "restore", "matched controls")),
    "linear-probe": (Lines(("accuracy_by_layer", "control_by_layer"), "accuracy and control task", along="stream entering layer"), Cloud("shuffled", "accuracy", "accuracy with shuffled labels"), Numbers()),
    "logit-lens": (Lines(("lens",), "share of the final metric", "streams", "stream"), Matrix("lens_by_position", "streams", "positions", "by stream and position"), Lines(("rank",), "rank of the answer", "streams", "stream")),
    "mediation": (Grid("indirect", "indirect effect through heads"), Lines(("indirect_mlp",), "indirect effect through MLPs"), Cloud("control_indirect", "indirect", "other receivers"), Numbers(("total", "direct", "indirect", "interaction"))),
    "path-patching": (Bars("paths", "sender", "effect", "effect of each sender"), Cloud("control_effect", "effect", "other senders"), Numbers(("effect", "whole_input", "total_effect"))),
    "predictions": (Bars("top_tokens", "token", "probability", "likeliest tokens, median and worst prompt"), Numbers(("p_answer", "p_foil", "p_answer_corrupted"))),
    "screen": (Grid("atp", "estimated harm, attribution patching"), Grid("ig", "estimated harm, integrated gradients")),
    "written-values": (Bars("rivals", "value", "fit", "fit of rival values"), Numbers(("decoded", "explained", "margin", "contrast"))),
}  # fmt: skip


def figures_of(result: Result, palette: Palette) -> Figures:
    """Every figure of a result with what it shows; at least its estimates when there is nothing else to draw."""
    found: Figures = []
    for panel in PANELS.get(result.experiment, (Numbers(),)):
        figure = draw_panel(result, panel, palette)
        if figure is not None:
            found.append((panel.says, figure))
    if not found and (rest := draw_panel(result, Numbers(), palette)) is not None:
        found.append((Numbers().says, rest))
    return found


def draw_panel(result: Result, panel: Panel, palette: Palette) -> go.Figure | None:
    """One figure, or None when the result does not hold what it draws."""
    match panel:
        case Grid():
            values = result.arrays.get(panel.array)
            return heatmap(values, palette, quantity="") if values is not None and values.ndim == 2 else None
        case Matrix():
            return _matrix(result, panel, palette)
        case Lines():
            return _lines(result, panel, palette)
        case Cloud():
            return _cloud(result, panel, palette)
        case Bars():
            return _bars(result, panel, palette)
        case Numbers():
            return _numbers([e for e in result.estimates if not panel.names or e.name in panel.names], palette)


def _matrix(result: Result, panel: Matrix, palette: Palette) -> go.Figure | None:
    values = result.arrays.get(panel.array)
    if values is None:
        return None
    rows, columns = result.labels.get(panel.rows, []), result.labels.get(panel.columns, [])
    if values.ndim == 3:  # layers, items, positions: positions where there is one item, else the first position
        several = values.shape[1] == 1
        values = values[:, 0, :] if several else values[:, :, 0]
        columns = result.labels.get("positions", []) if several else columns
    figure = heatmap(values, palette, quantity="")
    figure.update_traces(customdata=[[f"{r} {c}" for c in columns] for r in rows])
    figure.update_yaxes(tickvals=_every(len(rows)), ticktext=[rows[i] for i in _every(len(rows))], title_text="")
    figure.update_xaxes(
        tickvals=_every(len(columns)), ticktext=[columns[i] for i in _every(len(columns))], title_text=""
    )
    return figure


def _every(n: int) -> list[int]:
    return list(range(0, n, max(1, n // 16)))


def _lines(result: Result, panel: Lines, palette: Palette) -> go.Figure | None:
    present = [name for name in panel.arrays if name in result.arrays and result.arrays[name].ndim == 1]
    present = [name for name in present if len(result.arrays[name]) > 1]
    if not present:
        return None
    n = len(result.arrays[present[0]])
    x: Sequence[object] = list(range(n))
    if panel.x in result.arrays:
        x = result.arrays[panel.x].tolist()
    elif panel.x in result.labels and len(result.labels[panel.x]) == n:
        x = result.labels[panel.x]
    figure = go.Figure()
    if panel.band and set(panel.band) <= set(result.arrays):
        low, high = (result.arrays[name].tolist() for name in panel.band)
        band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        figure.add_trace(go.Scatter(x=x, y=low, **band))
        figure.add_trace(go.Scatter(x=x, y=high, fill="tonexty", fillcolor=palette.rule, **band))
    colors = (palette.accent, palette.low)
    for color, name in zip(colors, present, strict=False):
        line = {"color": color, "width": 2, "dash": "solid" if color == colors[0] else "dash"}
        figure.add_trace(go.Scatter(x=x, y=result.arrays[name].tolist(), mode="lines+markers", name=name, line=line))
    framed(figure, palette, height=280)
    figure.update_layout(showlegend=len(present) > 1, legend={"orientation": "h", "y": 1.12})
    figure.update_xaxes(title_text=panel.along, nticks=16)
    return figure


def _cloud(result: Result, panel: Cloud, palette: Palette) -> go.Figure | None:
    values = result.arrays.get(panel.array)
    if values is None or values.ndim != 1 or not len(values):
        return None
    own = next((e.value for e in result.estimates if e.name == panel.own), None)
    everyone = [*values.tolist(), *([own] if own is not None else []), 0.0]
    low, high = min(everyone), max(everyone)
    heights = stacked(values.tolist(), (high - low) / 44 or 1.0)
    marker = {"color": palette.cloud, "size": 9, "line": {"color": palette.ground, "width": 1}}
    names = result.labels.get("controls", [])
    names = names if len(names) == len(values) else [f"control {i + 1}" for i in range(len(values))]
    figure = go.Figure(go.Scatter(x=values.tolist(), y=heights, mode="markers", marker=marker, customdata=names))
    figure.update_traces(hovertemplate="%{customdata}: %{x:.3f}<extra></extra>")
    if own is not None:
        name = "+".join(result.labels.get("components", [])[:3]) or panel.own
        figure.add_vline(x=own, line={"color": palette.accent, "width": 2.5}, annotation_text=f"{name} {own:.3f}")
    framed(figure, palette, height=220)
    figure.update_yaxes(visible=False, range=[0, max(8.0, max(heights) * 1.25)])
    return figure


def _bars(result: Result, panel: Bars, palette: Palette) -> go.Figure | None:
    rows = [row for row in result.tables.get(panel.table, []) if row.get(panel.value) is not None][:MOST_BARS]
    if not rows:
        return None
    values = [float(row[panel.value]) for row in rows]
    names = [str(row[panel.label]) for row in rows]
    places = list(range(len(rows)))
    color = [palette.high if value >= 0 else palette.low for value in values]
    figure = go.Figure(go.Bar(x=values, y=places, orientation="h", marker={"color": color}, customdata=names))
    figure.update_traces(hovertemplate="%{customdata}: %{x:.4g}<extra></extra>")
    framed(figure, palette, height=80 + 22 * len(rows))
    figure.update_yaxes(tickvals=places, ticktext=names, autorange="reversed", showgrid=False)
    return figure


def _numbers(estimates: Sequence[Estimate], palette: Palette) -> go.Figure | None:
    shown = [e for e in estimates if e.low is not None and e.high is not None] or list(estimates)
    shown = shown[:MOST_BARS]
    if not shown:
        return None
    values = np.array([e.value for e in shown])
    low = np.array([e.value if e.low is None else e.low for e in shown])
    high = np.array([e.value if e.high is None else e.high for e in shown])
    reach = {"type": "data", "symmetric": False, "array": (high - values).clip(0), "arrayminus": (values - low).clip(0)}
    places = list(range(len(shown)))
    figure = go.Figure(
        go.Scatter(
            x=values,
            y=places,
            mode="markers",
            marker={"color": palette.accent, "size": 10},
            error_x={**reach, "color": palette.accent, "thickness": 2.5, "width": 6},
            customdata=[f"{e.name} {e.value:.3f} {e.unit}" for e in shown],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    framed(figure, palette, height=64 + 34 * len(shown))
    figure.add_vline(x=0, line={"color": palette.muted, "width": 1})
    figure.update_yaxes(tickvals=places, ticktext=[e.name for e in shown], autorange="reversed", showgrid=False)
    return figure
