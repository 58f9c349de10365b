"""Plotly figures of the predictions behind one measured number: predicted against opinion scores, and residuals."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.shared.palette import ACCENT, LIGHT, MUTED, VALUE_SCALE, faint
from pages.shared.plain import chart_text

_UNIT_SCORES = ("Opinion score (0–1, higher is better)", "Predicted score (0–1)")


def predictions_scatter(predictions: pd.DataFrame, title: str, *, axes: tuple[str, str] = _UNIT_SCORES) -> go.Figure:
    """Draw predicted against opinion scores, coloured by level where the images have one.

    Args:
        predictions: Table with the columns `image`, `level`, `opinion_score` and `predicted_score`.
        title: Title of the chart.
        axes: Titles of the horizontal and of the vertical axis.
    """
    levels = predictions["level"].to_numpy()
    graded = levels.max() > 0
    marker = {"size": 7, "opacity": 0.8, "line": {"width": 0.5, "color": faint(LIGHT, 0.6)}, "color": ACCENT}
    if graded:
        marker |= {
            "color": levels,
            "colorscale": VALUE_SCALE,
            "cmin": 1,
            "cmax": max(5, levels.max()),
            "colorbar": {"title": "Level", "thickness": 10, "dtick": 1},
        }
    figure = go.Figure(
        go.Scatter(
            x=predictions["opinion_score"],
            y=predictions["predicted_score"],
            mode="markers",
            marker=marker,
            customdata=predictions[["image", "level"]].assign(image=predictions["image"].map(chart_text)),
            hovertemplate="<b>%{customdata[0]}</b><br>people: %{x:.3f}<br>predicted: %{y:.3f}"
            + ("<br>level %{customdata[1]}" if graded else "")
            + "<extra></extra>",
        )
    )
    low = float(predictions[["opinion_score", "predicted_score"]].min(axis=None))
    high = float(predictions[["opinion_score", "predicted_score"]].max(axis=None))
    figure.add_shape(type="line", x0=low, y0=low, x1=high, y1=high, line={"color": MUTED, "dash": "dot", "width": 1})
    figure.update_layout(
        title=chart_text(title),
        height=400,
        margin={"l": 10, "r": 10, "t": 60, "b": 50},
        showlegend=False,
        xaxis={"title": axes[0]},
        yaxis={"title": axes[1]},
    )
    return figure


def residuals_histogram(predictions: pd.DataFrame, title: str) -> go.Figure:
    """Draw how far predictions lie from people, in unit scores; right of 0 the model is too kind."""
    residuals = predictions["predicted_score"] - predictions["opinion_score"]
    limit = float(np.abs(residuals).max()) or 0.1
    figure = go.Figure(
        go.Histogram(
            x=residuals,
            xbins={"start": -limit, "end": limit * 1.0001, "size": limit / 12},
            marker={"color": ACCENT, "line": {"width": 1, "color": faint(LIGHT, 0.4)}},
            hovertemplate="residual %{x}<br>%{y} images<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    figure.update_layout(
        title=chart_text(title),
        height=400,
        margin={"l": 10, "r": 10, "t": 60, "b": 50},
        xaxis={"title": "Predicted minus opinion score", "range": [-limit * 1.05, limit * 1.05]},
        yaxis={"title": "Images"},
    )
    return figure
