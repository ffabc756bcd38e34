"""Figures of a claim as plotly figures: effects by layer and head, predictions against their thresholds, controls.

Numbers come from cards and stored results and are drawn as they are. Every scale of effects is symmetric around
zero, so that colour means sign and strength alike in every figure. This module draws; it computes no statistics.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from agent.cards import PredictionCard
from tools.component import Component
from ui.palette import DARK, LIGHT, Palette, outcome_color

FONT = '"Source Sans", "Source Sans 3", "Noto Sans CJK KR", sans-serif'
PLAIN_CONFIG = {"displayModeBar": False, "scrollZoom": False}


def palette_for(theme: str | None) -> Palette:
    """The palette of the browser's theme; light when it is not known."""
    return DARK if theme == "dark" else LIGHT


def framed(figure: go.Figure, palette: Palette, *, height: int) -> go.Figure:
    """The product's fonts, colours and margins on a figure."""
    axis = {
        "gridcolor": palette.rule,
        "zeroline": False,
        "linecolor": palette.rule,
        "tickfont": {"color": palette.muted, "size": 12},
        "title": {"font": {"color": palette.muted, "size": 12}},
    }
    return figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "color": palette.ink, "size": 13},
        hoverlabel={"font": {"family": FONT, "size": 13}},
        showlegend=False,
        xaxis={**axis, "automargin": True},
        yaxis={**axis, "automargin": True},
    )


def heatmap(
    values: np.ndarray, palette: Palette, *, quantity: str, marked: Sequence[Component] = (), bound: float | None = None
) -> go.Figure:
    """Effects by layer (down) and head (across), the marked heads framed. `values` is [layers, heads].

    `bound` is where the colour saturates: the largest absolute value when absent.
    """
    n_layers, n_heads = values.shape
    limit = bound or float(np.abs(values).max()) or 1.0
    names = [[f"a{layer}.h{head}" for head in range(n_heads)] for layer in range(n_layers)]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            zmin=-limit,
            zmax=limit,
            colorscale=[[0, palette.low], [0.5, palette.middle], [1, palette.high]],
            customdata=names,
            hovertemplate="%{customdata}: %{z:+.3f}<extra></extra>",
            xgap=1,
            ygap=1,
            colorbar={
                "title": {"text": quantity, "side": "right", "font": {"color": palette.muted, "size": 12}},
                "thickness": 10,
                "outlinewidth": 0,
                "tickformat": "+.2f",
                "tickfont": {"color": palette.muted, "size": 11},
            },
        )
    )
    for component in marked:
        if component.kind == "head" and component.index is not None:
            x, y = component.index, component.layer
            box = {"x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5}
            figure.add_shape(type="rect", line={"color": palette.ink, "width": 2}, **box)
    framed(figure, palette, height=max(240, 17 * n_layers + 60))
    figure.update_xaxes(title_text="head", dtick=1, showgrid=False, constrain="domain")
    step = 1 if n_layers <= 12 else 2 if n_layers <= 30 else 4
    figure.update_yaxes(title_text="layer", autorange="reversed", dtick=step, showgrid=False)
    return figure


def intervals(predictions: Sequence[PredictionCard], palette: Palette) -> go.Figure:
    """One row a prediction: the observed interval, with the ranges in which it passes and the ends of what is negligible.

    Rows whose prediction has no estimate yet are left empty, so that the rows stay in the order of the table.
    """
    figure = go.Figure()
    labels = [f"{p.key}  {p.quantity}" for p in predictions]
    reach = _reach(predictions)
    for row, p in enumerate(predictions):
        _thresholds(figure, p, row, reach, palette)
        if p.estimate is None:
            continue
        low, high = p.interval or (p.estimate, p.estimate)
        color = outcome_color(p.outcome, palette)
        figure.add_trace(
            go.Scatter(
                x=[p.estimate],
                y=[row],
                mode="markers",
                marker={"color": color, "size": 11, "symbol": "circle" if p.role == "critical" else "circle-open"},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [max(0.0, high - p.estimate)],
                    "arrayminus": [max(0.0, p.estimate - low)],
                    "color": color,
                    "thickness": 2.5,
                    "width": 6,
                },
                hovertemplate=f"{p.key} {p.quantity}: %{{x:.3f}} [{low:.3f}, {high:.3f}], n={p.n}<extra></extra>",
            )
        )
    framed(figure, palette, height=64 + 46 * max(1, len(predictions)))
    figure.add_vline(x=0, line={"color": palette.muted, "width": 1})
    figure.update_xaxes(range=list(reach), tickformat=".2f")
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.45, -0.55], showgrid=False
    )
    figure.update_yaxes(tickfont={"color": palette.ink, "size": 13})
    return figure


def _reach(predictions: Sequence[PredictionCard]) -> tuple[float, float]:
    numbers = [0.0]
    for p in predictions:
        ends = [end for ends in p.passes_in for end in ends]
        numbers += [x for x in (p.estimate, *ends, *(p.interval or ())) if x is not None]
    low, high = min(numbers), max(numbers)
    room = 0.08 * ((high - low) or 1.0)
    return low - room, high + 2 * room


def _thresholds(figure: go.Figure, p: PredictionCard, row: int, reach: tuple[float, float], palette: Palette) -> None:
    y0, y1 = row - 0.36, row + 0.36
    for low, high in p.passes_in:
        band = {"x0": reach[0] if low is None else low, "x1": reach[1] if high is None else high, "y0": y0, "y1": y1}
        figure.add_shape(
            type="rect", layer="below", fillcolor=palette.supported, opacity=0.12, line={"width": 0}, **band
        )
        edge = {"color": palette.supported, "width": 1.5}
        for end in (low, high):
            if end is not None:
                figure.add_shape(type="line", x0=end, x1=end, y0=y0, y1=y1, line=edge)
        if p.delta0 is not None:
            negligible = p.delta0 if low is not None else -p.delta0
            dots = {"color": palette.muted, "width": 1.5, "dash": "dot"}
            figure.add_shape(type="line", x0=negligible, x1=negligible, y0=y0, y1=y1, line=dots)


def controls(prediction: PredictionCard, component: str, palette: Palette) -> go.Figure:
    """Where the component stands among its matched controls: a dot for each of them, stacked, its own marked."""
    values, labels = prediction.control_values, prediction.control_labels
    names = labels if len(labels) == len(values) else [f"control {i + 1}" for i in range(len(values))]
    own = [prediction.estimate] if prediction.estimate is not None else []
    low, high = min([*values, *own, 0.0]), max([*values, *own, 0.0])
    heights = stacked(values, (high - low) / 44 or 1.0)
    figure = go.Figure(
        go.Scatter(
            x=values,
            y=heights,
            mode="markers",
            customdata=names,
            marker={"color": palette.cloud, "size": 9, "line": {"color": palette.ground, "width": 1}},
            hovertemplate="%{customdata}: %{x:+.3f}<extra></extra>",
        )
    )
    if prediction.estimate is not None:
        _mark(figure, prediction.estimate, component, outcome_color(prediction.outcome, palette), low, high)
    framed(figure, palette, height=250)
    room = 0.06 * ((high - low) or 1.0)
    figure.update_xaxes(
        title_text=f"{prediction.quantity} of {len(values)} matched controls",
        tickformat=".2f",
        range=[low - room, high + room],
        showgrid=False,
    )
    figure.update_yaxes(visible=False, range=[0, max(8.0, max(heights, default=0) * 1.25)])
    return figure


def _mark(figure: go.Figure, value: float, component: str, color: str, low: float, high: float) -> None:
    right = value > (low + high) / 2
    figure.add_vline(x=value, line={"color": color, "width": 2.5})
    figure.add_annotation(
        x=value,
        y=1,
        yref="paper",
        yanchor="top",
        xanchor="right" if right else "left",
        xshift=-6 if right else 6,
        text=f"<b>{component}</b> {value:+.3f}".replace("-", "−"),
        showarrow=False,
        font={"color": color, "size": 13},
    )


def stacked(values: Sequence[float], width: float) -> list[float]:
    """Heights of a dot plot: values within one bin of `width` stand on each other, from 1."""
    counts: dict[int, int] = {}
    heights = []
    for value in values:
        place = round(value / width)
        counts[place] = counts.get(place, 0) + 1
        heights.append(float(counts[place]))
    return heights
