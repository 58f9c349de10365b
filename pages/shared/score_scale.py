"""The score, its interval and its population on the 0-100 scale, as one small picture.

It is HTML and not a chart: the first page that one sees has no other chart, and a browser that is to draw one reads a
charting program of megabytes first.
"""

import html

import numpy as np
import streamlit as st

from metaiqa_core.assessment import WORDS, Assessment
from metaiqa_core.models.card import Calibration
from pages.shared.palette import LIGHT, MUTED, colour_of, colour_of_word, faint

_BANDWIDTH = 4.0


def score_scale(assessment: Assessment, calibration: Calibration | None) -> None:
    """Show five grades from left to right, the score with its interval above them, the population behind.

    Args:
        assessment: Assessment of the photo.
        calibration: Calibration of the model; None shows the score alone.
    """
    st.html(scale_html(assessment, calibration))


def scale_html(assessment: Assessment, calibration: Calibration | None) -> str:
    """Return the picture; places along the scale are its percent, and what is pointed at says what it is."""
    population = "" if calibration is None else _population(calibration)
    interval = ""
    if assessment.interval_low is not None and assessment.interval_high is not None:
        low, high = max(0.0, assessment.interval_low), min(100.0, assessment.interval_high)
        says = (
            f"{100 * (assessment.interval_level or 0):.0f} % interval: {assessment.interval_low:.1f} to "
            f"{assessment.interval_high:.1f}"
        )
        interval = (
            f'<span class="interval" title="{says}" style="left:{low:.2f}%;width:{max(high - low, 0):.2f}%;'
            f'color:{colour_of(assessment.score)}"></span>'
        )
    place = min(max(assessment.score, 0.0), 100.0)
    dot = (
        f'<span class="dot" title="score {assessment.score:.1f}" '
        f'style="left:{place:.2f}%;background:{colour_of(assessment.score)};border-color:{LIGHT}"></span>'
    )
    grades = "".join(
        f'<span class="{"grade here" if grade == assessment.word else "grade"}">'
        f'<i style="background:{colour_of_word(grade)}"></i>{grade}</span>'
        for grade in WORDS
    )
    return (
        f'<div class="score-scale" role="img" aria-label="{html.escape(scale_in_words(assessment))}">'
        f'<div class="above">{population}{interval}{dot}</div><div class="grades">{grades}</div></div>'
    )


def scale_in_words(assessment: Assessment) -> str:
    """Return a description of the picture for screen readers."""
    sentence = f"Scale from 0 (bad) to 100 (excellent): this photo scores {assessment.score:.1f}, {assessment.word}"
    if assessment.interval_low is not None and assessment.interval_level is not None:
        sentence += (
            f"; the {100 * assessment.interval_level:.0f} % interval reaches from {assessment.interval_low:.0f} "
            f"to {assessment.interval_high:.0f}"
        )
    return f"{sentence}."


def _population(calibration: Calibration) -> str:
    """Return the grey shape of how common each score is: the polygon's corners are percent of the picture's sides."""
    corners = [f"{100 - 90 * height:.1f}%" for height in density(calibration.population_quantiles)]
    points = ",".join(f"{score}% {height}" for score, height in enumerate(corners))
    says = f"How common each score is among {calibration.population}"
    return (
        f'<span class="population" title="{html.escape(says)}" '
        f'style="background:{faint(MUTED, 0.25)};clip-path:polygon(0% 100%,{points},100% 100%)"></span>'
    )


def density(quantiles: tuple[float, ...]) -> np.ndarray:
    """Return the smoothed frequency of the scores 0, 1, ... 100, at most 1.

    Args:
        quantiles: Percentiles of a population's scores: between two lies one photo of a hundred.
    """
    middles = (np.asarray(quantiles[1:]) + np.asarray(quantiles[:-1])) / 2
    scores = np.arange(101)
    heights = np.exp(-0.5 * ((scores[:, None] - middles[None]) / _BANDWIDTH) ** 2).sum(axis=1)
    return heights / heights.max()
