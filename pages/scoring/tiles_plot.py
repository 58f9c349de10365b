"""The scores of a photo's tiles on the 0-100 scale, as one small plot."""

import plotly.graph_objects as go

from metaiqa_core.assessment import WORDS, QualityMap, word_of
from pages.shared.palette import CLEAR, MUTED, colour_of, colour_of_word

_GOLDEN_RATIO = 0.618
"""Steps of this share of a height, wrapped around, never come to lie close together: tiles do not hide each other."""


def tiles_plot(quality: QualityMap, whole_photo: float) -> go.Figure:
    """Draw the score of each tile and their mean on the scale of grades, and that of the whole photo for comparison."""
    figure = _scale(word_of(quality.score))
    heights = [0.2 + 0.6 * (index * _GOLDEN_RATIO % 1) for index in range(len(quality.scores))]
    figure.add_scatter(
        x=quality.scores,
        y=heights,
        mode="markers",
        marker={"size": 8, "color": [colour_of(score) for score in quality.scores], "opacity": 0.9},
        hovertemplate="tile: %{x:.1f}<extra></extra>",
    )
    for score, name, dash in ((quality.score, "mean of the tiles", "solid"), (whole_photo, "whole photo", "dot")):
        figure.add_scatter(
            x=[score, score],
            y=[0, 1],
            mode="lines",
            line={"width": 2, "color": MUTED, "dash": dash},
            hovertemplate=f"{name}: %{{x:.1f}}<extra></extra>",
        )
    return figure


def _scale(word: str) -> go.Figure:
    """Return the empty scale from 0 to 100 with its five grades, `word` marked."""
    figure = go.Figure()
    for index, grade in enumerate(WORDS):
        figure.add_shape(
            type="rect", x0=20 * index + 0.3, x1=20 * index + 19.7, y0=-0.16, y1=-0.04, line_width=0,
            fillcolor=colour_of_word(grade), opacity=1 if grade == word else 0.45,
        )  # fmt: skip
    figure.update_layout(
        height=135,
        margin={"l": 4, "r": 4, "t": 4, "b": 24},
        showlegend=False,
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        xaxis={
            "range": [0, 100],
            "tickvals": [10, 30, 50, 70, 90],
            "ticktext": list(WORDS),
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={"range": [-0.2, 1.1], "visible": False, "fixedrange": True},
    )
    return figure
