"""Charts of how the model sees distortions: codes on two axes, the graph of a type, the types that it mixes up."""

from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go

from metaiqa_core.evaluation.distortion_map import DistortionMap, TypeGraph
from pages.shared.palette import ACCENT, CLEAR, MUTED, OPPOSITE, SERIES, VALUE_SCALE, faint
from pages.shared.plain import chart_text

_SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star", "x")
_BLANK = {"visible": False, "fixedrange": True}


def map_of_types(seen: DistortionMap, here: np.ndarray, name_of: Callable[[str], str]) -> go.Figure:
    """Draw the clearly distorted photos on the first two axes, a marker for each type, and a ring for one's own photo.

    Args:
        seen: The map.
        here: (A,): place of one's own photo.
        name_of: Function that returns the name of a type.
    """
    figure = go.Figure()
    for number, kind in enumerate(sorted(set(seen.types[seen.clear].tolist()))):
        chosen = seen.clear & (seen.types == kind)
        name = chart_text(name_of(kind))
        figure.add_scatter(
            x=seen.places[chosen, 0], y=seen.places[chosen, 1], mode="markers", name=name,
            marker={
                "color": SERIES[number % len(SERIES)],
                "symbol": _SYMBOLS[number // len(SERIES) % len(_SYMBOLS)],
                "size": 7,
                "opacity": 0.8,
            },
            customdata=seen.levels[chosen],
            hovertemplate=f"{name}, level %{{customdata}}<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=here[:1], y=here[1:2], mode="markers", name="your photo",
        marker={"size": 20, "color": CLEAR, "line": {"width": 4, "color": OPPOSITE}},
        hovertemplate="your photo, as it is distorted here<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        height=560,
        margin={"l": 4, "r": 8, "t": 4, "b": 4},
        xaxis={"title": "first direction", "zeroline": False, "fixedrange": True, "showticklabels": False},
        yaxis={"title": "second direction", "zeroline": False, "fixedrange": True, "showticklabels": False},
        legend={"orientation": "h", "y": -0.1, "yanchor": "top", "x": 0, "font": {"size": 11}},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )
    return figure


def graph_of_type(seen: DistortionMap, graph: TypeGraph) -> go.Figure:
    """Draw the nodes of a graph on a circle, and each edge as strong as what its nodes take from each other."""
    count = len(graph.photos)
    angles = 2 * np.pi * np.arange(count) / count
    x, y = np.cos(angles), np.sin(angles)
    rows, columns = np.triu_indices(count, 1)
    values = graph.edges[rows, columns]
    spread = (values - values.min()) / max(float(np.ptp(values)), 1e-9)
    figure = go.Figure()
    for row, column, value, share in zip(rows, columns, values, spread, strict=True):
        figure.add_scatter(
            x=[x[row], (x[row] + x[column]) / 2, x[column]], y=[y[row], (y[row] + y[column]) / 2, y[column]],
            mode="lines", line={"width": 0.5 + 5 * float(share), "color": faint(ACCENT, 0.2 + 0.7 * float(share))},
            hovertemplate=f"{value:.3f}<extra></extra>", showlegend=False,
        )  # fmt: skip
    labels = [f"{seen.contents[place]}, level {seen.levels[place]:.0f}" for place in graph.photos]
    figure.add_scatter(
        x=x, y=y, mode="markers+text", text=[f"{seen.levels[place]:.0f}" for place in graph.photos],
        textposition="middle center", textfont={"color": "#ffffff"},
        marker={"size": 30, "color": "#21708f", "line": {"width": 1, "color": MUTED}},
        customdata=[chart_text(label) for label in labels], hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )  # fmt: skip
    figure.update_layout(
        height=420,
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        xaxis=_BLANK | {"range": [-1.3, 1.3]},
        yaxis=_BLANK | {"range": [-1.3, 1.3], "scaleanchor": "x"},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )
    return figure


def confusion(names: Sequence[str], table: np.ndarray) -> go.Figure:
    """Draw how many photos of each type (row) are called each type (column), as shares of the row."""
    shares = table / np.maximum(table.sum(1, keepdims=True), 1)
    shown = [chart_text(name) for name in names]
    figure = go.Figure(
        go.Heatmap(
            z=100 * shares, x=shown, y=shown, customdata=table, colorscale=VALUE_SCALE, zmin=0, zmax=100,
            colorbar={"title": "%", "thickness": 12},
            hovertemplate="%{y}<br>called %{x}: %{customdata} photos, %{z:.0f} %<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=24 * len(names) + 190,
        margin={"l": 4, "r": 4, "t": 4, "b": 4},
        xaxis={"title": "called", "tickangle": -60, "fixedrange": True, "automargin": True, "tickfont": {"size": 10}},
        yaxis={
            "title": "applied", "autorange": "reversed", "fixedrange": True, "automargin": True,
            "tickfont": {"size": 10},
        },
        paper_bgcolor=CLEAR,
    )  # fmt: skip
    return figure
