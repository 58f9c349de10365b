"""The model's score against the level, beside people's average ratings."""

import plotly.graph_objects as go
import streamlit as st

from metaiqa_core.assessment import word_of
from metaiqa_core.distortions import LEVELS
from metaiqa_core.distortions.opinion_scores import opinion_curve
from metaiqa_core.level_response import compare_with_people
from pages.lab.bench import Bench
from pages.lab.controls import DATABASES, Choice, title
from pages.lab.gallery import judgement
from pages.shared.headline import headline
from pages.shared.palette import ACCENT, CLEAR, MUTED, OPPOSITE, faint
from pages.shared.plain import plain

MODEL, PEOPLE = ACCENT, OPPOSITE
"""Colours of the model and of people, as in the small multiples."""
_BAND = faint(OPPOSITE, 0.16)
_GRID = faint(MUTED, 0.25)


def show_score(bench: Bench, choice: Choice) -> None:
    """Show the score at the chosen level, and how far it lies below that of the undistorted copy."""
    entry = choice.distortion
    score = None if entry.key in bench.failures else bench.score(entry, choice.level)
    if score is None:
        return
    change, people = score - bench.undistorted, opinion_curve(entry)[choice.level - 1].mean
    headline(
        score,
        word_of(score),
        f"{abs(change):.0f} points {'below' if change < 0 else 'above'} the undistorted copy "
        f"({bench.undistorted:.0f}). People rated other photos at this level {100 * people:.0f} on average.",
    )


def show(bench: Bench, choice: Choice) -> None:
    """Show the scores at all levels as a chart, beside people's."""
    entry = choice.distortion
    if entry.key in bench.failures:
        st.error(plain(bench.failures[entry.key]))
        return
    people = opinion_curve(entry)
    st.plotly_chart(
        chart(bench, choice), key="lab_chart", config={"displayModeBar": False}, alt=_in_words(bench, choice)
    )
    response = bench.response(entry)
    verdict = judgement(compare_with_people(response)) if response else ""
    st.caption(
        f"{verdict} Dashed: how people rated {people[0].count} other photos on average ({DATABASES[entry.database]}); "
        "shaded: one standard deviation on each side.".strip(),
        help="People rated no undistorted photos, so their curve starts at level 1.",
    )


def chart(bench: Bench, choice: Choice) -> go.Figure:
    """Draw both curves; levels that are not measured yet are missing."""
    entry = choice.distortion
    known = {0: bench.undistorted, **bench.scores.get(entry.key, {})}
    levels = sorted(known)
    people = opinion_curve(entry)
    means = [100 * opinion.mean for opinion in people]
    spreads = [100 * opinion.std for opinion in people]
    figure = go.Figure()
    figure.add_scatter(
        x=[*LEVELS, *reversed(LEVELS)],
        y=[
            *(mean + std for mean, std in zip(means, spreads, strict=True)),
            *(mean - std for mean, std in zip(reversed(means), reversed(spreads), strict=True)),
        ],
        fill="toself", fillcolor=_BAND, line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    figure.add_scatter(
        x=list(LEVELS), y=means, name="people, other photos", mode="lines+markers",
        line={"color": PEOPLE, "width": 2, "dash": "dash"}, marker={"symbol": "diamond", "size": 8},
        customdata=spreads, hovertemplate="people: %{y:.0f} ± %{customdata:.0f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=levels, y=[known[level] for level in levels], name="model, this photo",
        mode="lines+markers" if levels == list(range(len(levels))) else "markers",  # no line over what is not scored
        line={"color": MODEL, "width": 3}, marker={"size": 9},
        customdata=["undistorted" if level == 0 else f"{entry.parameters[level - 1]:g}" for level in levels],
        hovertemplate="model: %{y:.1f} (%{customdata})<extra></extra>",
    )  # fmt: skip
    if choice.level in known:
        figure.add_scatter(
            x=[choice.level], y=[known[choice.level]], mode="markers", hoverinfo="skip", showlegend=False,
            marker={"size": 18, "color": CLEAR, "line": {"width": 3, "color": MODEL}},
        )  # fmt: skip
    figure.update_layout(
        height=290,
        margin={"l": 4, "r": 8, "t": 4, "b": 4},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hovermode="x",
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        xaxis={
            "range": [-0.25, 5.25],
            "tickvals": [0, *LEVELS],
            "ticktext": ["none", *map(str, LEVELS)],
            "title": f"level of {entry.name}",
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        yaxis={
            "range": [0, 100],
            "tickvals": [0, 20, 40, 60, 80, 100],
            "title": "score, 0 to 100",
            "gridcolor": _GRID,
            "zeroline": False,
            "fixedrange": True,
        },
    )
    return figure


def _in_words(bench: Bench, choice: Choice) -> str:
    entry = choice.distortion
    known = {0: bench.undistorted, **bench.scores.get(entry.key, {})}
    scores = ", ".join(f"{known[level]:.0f} at level {level}" for level in sorted(known))
    people = ", ".join(f"{100 * opinion.mean:.0f}" for opinion in opinion_curve(entry))
    return (
        f"{title(entry)}: the model scores {scores}, where level 0 is undistorted; people rated other photos {people} "
        "on average, from level 1 to 5."
    )
