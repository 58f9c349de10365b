"""The score, its interval and its population on the 0-100 scale, as one small plot."""

import numpy as np
import plotly.graph_objects as go

from metaiqa_core.assessment import WORDS, Assessment, QualityMap, word_of
from metaiqa_core.models.card import Calibration
from pages.shared.palette import CLEAR, LIGHT, MUTED, colour_of, colour_of_word, faint
from pages.shared.plain import chart_text

_BANDWIDTH = 4.0
_GOLDEN_RATIO = 0.618
"""Steps of this share of a height, wrapped around, never come to lie close together: tiles do not hide each other."""


def score_plot(assessment: Assessment, calibration: Calibration | None) -> go.Figure:
    """Draw five grades from left to right, the score with its interval above them, the population behind.

    Args:
        assessment: Assessment of the photo.
        calibration: Calibration of the model; None draws the score alone.
    """
    figure = _scale(assessment.word)
    if calibration is not None:
        scores, density = _density(calibration.population_quantiles)
        figure.add_scatter(
            x=scores,
            y=density,
            mode="lines",
            line={"width": 1, "color": MUTED},
            fill="tozeroy",
            fillcolor=faint(MUTED, 0.25),
            hovertemplate=f"{chart_text(calibration.population)}: how common a score of %{{x:.0f}} is<extra></extra>",
        )
    if assessment.interval_low is not None and assessment.interval_high is not None:
        low, high = assessment.interval_low, assessment.interval_high
        figure.add_scatter(
            x=[low, high],
            y=[0.5, 0.5],
            mode="lines+markers",
            line={"width": 3, "color": colour_of(assessment.score)},
            marker={"symbol": "line-ns", "size": 14, "line": {"width": 3, "color": colour_of(assessment.score)}},
            hovertemplate=f"{100 * assessment.interval_level:.0f} % interval: {low:.1f} to {high:.1f}<extra></extra>",
        )
    figure.add_scatter(
        x=[assessment.score],
        y=[0.5],
        mode="markers",
        marker={"size": 17, "color": colour_of(assessment.score), "line": {"width": 2, "color": LIGHT}},
        hovertemplate="score %{x:.1f}<extra></extra>",
    )
    return figure


def tiles_plot(quality: QualityMap, whole_photo: float) -> go.Figure:
    """Draw the score of each tile and their mean on the same scale, and that of the whole photo for comparison."""
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


def score_plot_in_words(assessment: Assessment) -> str:
    """Return a description of the plot for screen readers."""
    sentence = f"Scale from 0 (bad) to 100 (excellent): this photo scores {assessment.score:.1f}, {assessment.word}"
    if assessment.interval_low is not None and assessment.interval_level is not None:
        sentence += (
            f"; the {100 * assessment.interval_level:.0f} % interval reaches from {assessment.interval_low:.0f} "
            f"to {assessment.interval_high:.0f}"
        )
    return f"{sentence}."


def _density(quantiles: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the smoothed frequency of each score, at most 1: between two quantiles lies one photo of a hundred."""
    middles = (np.asarray(quantiles[1:]) + np.asarray(quantiles[:-1])) / 2
    scores = np.linspace(0, 100, 101)
    density = np.exp(-0.5 * ((scores[:, None] - middles[None]) / _BANDWIDTH) ** 2).sum(axis=1)
    return scores, density / density.max()
