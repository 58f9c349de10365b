"""Figures of pictures side by side, where zooming or moving one moves all."""

import plotly.graph_objects as go

from pages.shared.palette import CLEAR


def link(figure: go.Figure, width: float, height: float, *, top_margin: int = 0) -> None:
    """Hide the axes under a figure's pictures and tie them to each other.

    Args:
        figure: Figure with one picture in each of its subplots.
        width: Width of the pictures in units of the axes.
        height: Height of the tallest picture in units of the axes.
        top_margin: Height of what stands above the pictures, pixels.
    """
    hidden = {"visible": False, "constrain": "domain"}
    figure.update_xaxes(range=[0, width], matches="x", **hidden)
    figure.update_yaxes(range=[height, 0], matches="y", scaleanchor="x", constraintoward="top", **hidden)
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": top_margin, "b": 0},
        showlegend=False,
        dragmode="pan",
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
    )
