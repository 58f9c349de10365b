"""Plotly figures of the authentic page: methods, gains, repeats, parameter study, adaptation curves."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.shared.palette import ACCENT, DEEP, GREEN, MUTED, OPPOSITE, PURPLE, SERIES, faint
from pages.shared.plain import chart_text

SHIPPED = "shipped model"
GROUP_COLOURS = {"CNN": ACCENT, "hand-crafted": OPPOSITE, SHIPPED: DEEP, "own run": PURPLE, "yours": GREEN}
# Dash and marker differ too: colour alone does not reach every reader.
_DASHES = ("solid", "dash", "dot", "dashdot")
_SYMBOLS = ("circle", "square", "diamond", "cross")
_LEGEND_CHARACTERS = 40
"""Largest number of characters in a line of a legend: a phone has room for some more."""
_CHARACTER_SHARE = 0.027
"""Share of the width of a phone's chart that a character of a tick takes, with some air."""
_LABEL_CHARACTERS = 22
"""Largest number of characters in a line of a label: on a phone, a longer one would leave no room for the chart."""


def method_bars(
    values: pd.Series,
    groups: Mapping[str, str],
    metric: str,
    title: str,
    about: Mapping[str, str] | None = None,
    *,
    apart: str | None = SHIPPED,
) -> go.Figure:
    """Draw one bar a method, coloured by group, best on top; methods without a number stay, marked *not reported*.

    Args:
        values: One value a method, NaN where none is reported.
        groups: Group of each method, a key of `GROUP_COLOURS`.
        metric: Name of the criterion.
        title: Title of the chart.
        about: Explanation of methods, for the hover text.
        apart: Group that stands below the others, since it was measured on other photos; None: all are of one order.
    """
    explained = {chart_text(name): f"<br>{chart_text(text)}" for name, text in (about or {}).items()}
    values = values.rename(chart_text)
    groups = {chart_text(name): group for name, group in groups.items()}
    ordered = [*values.index[values.isna()], *values.dropna().sort_values().index]
    order = sorted(ordered, key=lambda name: groups[name] != apart)  # from the bottom up; equal ones keep their order
    figure = go.Figure()
    for group in dict.fromkeys(groups.values()):
        members = [name for name in order if groups[name] == group and not np.isnan(values[name])]
        if members:
            figure.add_trace(
                go.Bar(
                    x=values[members],
                    y=members,
                    name=group,
                    orientation="h",
                    marker={
                        "color": GROUP_COLOURS[group],
                        "pattern": {"shape": "/" if group == "hand-crafted" else ""},
                    },
                    text=[f"{value:.3f}" for value in values[members]],
                    textposition="outside",
                    cliponaxis=False,
                    customdata=[explained.get(name, "") for name in members],
                    hovertemplate=f"<b>%{{y}}</b> ({group})%{{customdata}}<br>{metric}: %{{x:.3f}}<extra></extra>",
                )
            )
    for name in values.index[values.isna()]:
        figure.add_annotation(
            x=0.01, y=name, text="not reported", showarrow=False, xanchor="left", font={"color": MUTED}
        )
    figure.update_layout(
        title=chart_text(title),
        height=28 * len(values) + 150,
        margin={"l": 10, "r": 44, "t": 60, "b": 90},
        barmode="overlay",
        bargap=0.25,
        xaxis={"title": metric, "range": [min(0, float(values.min()) - 0.1), 1]},
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": order,
            "range": [-0.5, len(order) - 0.5],
            "fixedrange": True,
        },
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
    )
    return figure


def gain_lines(pairs: pd.DataFrame, title: str) -> go.Figure:
    """Draw Baseline and MetaIQA as two points on one line, a row each.

    Args:
        pairs: Table with one row a pair, named in words, and the columns `baseline`, `metaiqa` and `ahead`, the number
            of repeats on which MetaIQA is ahead, in words.
        title: Title of the chart.
    """
    pairs = pairs.rename(lambda row: chart_text(row).replace("\n", "<br>"))
    figure = go.Figure()
    for row, pair in pairs.iterrows():
        figure.add_trace(
            go.Scatter(
                x=[pair["baseline"], pair["metaiqa"]],
                y=[row, row],
                mode="lines",
                line={"color": MUTED, "width": 3},
                showlegend=False,
                hoverinfo="skip",
            )
        )
        gain = pair["metaiqa"] - pair["baseline"]
        middle = (pair["metaiqa"] + pair["baseline"]) / 2
        often = f" ({pair['ahead']})" if pair["ahead"] else ""
        figure.add_annotation(x=middle, y=row, text=f"{gain:+.3f}{often}", showarrow=False, yshift=12)
    for name, column, colour, symbol in (
        ("Baseline", "baseline", OPPOSITE, "square"),
        ("MetaIQA", "metaiqa", ACCENT, "circle"),
    ):
        figure.add_trace(
            go.Scatter(
                x=pairs[column],
                y=list(pairs.index),
                mode="markers",
                name=name,
                marker={"size": 13, "color": colour, "symbol": symbol},
                hovertemplate=f"<b>{name}</b><br>%{{y}}: %{{x:.3f}}<extra></extra>",
            )
        )
    figure.update_layout(
        title=chart_text(title),
        height=52 * len(pairs) + 170,
        margin={"l": 10, "r": 20, "t": 60, "b": 90},
        xaxis={"title": "Correlation with people"},
        yaxis={"autorange": "reversed", "fixedrange": True, "type": "category"},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
    )
    return figure


def repeat_boxes(values: pd.DataFrame, title: str, metric: str) -> go.Figure:
    """Draw the spread over repeats: a box and every point.

    Args:
        values: Table with one row a repeat and the columns `label`, `seed` and `value`.
        title: Title of the chart.
        metric: Name of the metric.
    """
    figure = go.Figure()
    for label, repeats in values.groupby("label", sort=False):
        figure.add_trace(
            go.Box(
                x=repeats["value"],
                name="<br>".join(map(chart_text, wrap(str(label), _LABEL_CHARACTERS, break_on_hyphens=False))),
                boxpoints="all",
                jitter=0.5,
                pointpos=0,
                marker={"color": ACCENT, "size": 6},
                fillcolor=faint(ACCENT, 0.18),
                line={"width": 1.5},
                customdata=repeats[["seed"]],
                hovertemplate=f"<b>%{{fullData.name}}</b><br>{metric}: %{{x:.4f}}<br>"
                "seed %{customdata[0]}<extra></extra>",
                showlegend=False,
                orientation="h",
            )
        )
    figure.update_layout(
        title=chart_text(title),
        height=70 * values["label"].nunique() + 140,
        margin={"l": 10, "r": 20, "t": 60, "b": 50},
        xaxis={"title": f"{metric}, one point a repeat"},
        yaxis={"fixedrange": True, "autorange": "reversed"},
    )
    return figure


def curves(
    points: pd.DataFrame,
    x: str,
    x_title: str,
    title: str,
    *,
    logarithmic: bool = False,
    joined: bool = False,
    gain_over: str | None = None,
) -> go.Figure:
    """Draw SROCC over a quantity, one line a series: the mean over seeds, with every seed as a faint point.

    Series of the same name in several runs have one colour and marker, and each run has a dash of its own.

    Args:
        points: Table with one row a measurement and the columns `series`, `name`, `run`, `value`, `seed` and the one
            named `x`.
        x: Column of the horizontal axis.
        x_title: Title of that axis with its unit.
        title: Title of the chart.
        logarithmic: Whether the horizontal axis is logarithmic.
        joined: Whether to join the points of one seed, so that differences between seeds do not hide those within one.
        gain_over: Name of the series that a second panel, below, draws the others' gain over, run by run; None for one
            panel.
    """
    figure = go.Figure() if gain_over is None else make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.08)
    names, runs = list(points["name"].unique()), list(points["run"].unique())
    told_by = "run" if len(names) == 1 else "name"  # with one name, the colours tell the runs apart
    for series, rows in points.groupby("series", sort=False):
        name = "<br>".join(map(chart_text, wrap(str(series), _LEGEND_CHARACTERS)))
        place = (runs if told_by == "run" else names).index(rows[told_by].iloc[0])
        colour = SERIES[place % len(SERIES)]
        shifted = place + place // len(SERIES)  # where colours come again, they come with other markers
        symbol = _SYMBOLS[shifted % len(_SYMBOLS)]
        dash = _DASHES[(runs.index(rows["run"].iloc[0]) if len(runs) > 1 else shifted) % len(_DASHES)]
        means = rows.groupby(x)["value"].mean()
        for _, one in rows.groupby("seed") if joined else ():
            line = {"color": colour, "width": 1}
            figure.add_trace(
                go.Scatter(
                    x=one[x], y=one["value"], mode="lines", line=line, opacity=0.35, hoverinfo="skip", showlegend=False
                )
            )
        figure.add_trace(
            go.Scatter(
                x=rows[x],
                y=rows["value"],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 5, "opacity": 0.35},
                customdata=rows[["seed"]],
                hovertemplate=f"{name}<br>{x_title}: %{{x}}<br>SROCC: %{{y:.4f}}<br>"
                "seed %{customdata[0]}<extra></extra>",
                showlegend=False,
            )
        )
        figure.add_trace(
            go.Scatter(
                x=means.index,
                y=means,
                mode="lines+markers",
                name=name,
                line={"color": colour, "dash": dash, "width": 2.5},
                marker={"color": colour, "symbol": symbol, "size": 9},
                hovertemplate=f"<b>{name}</b><br>{x_title}: %{{x}}<br>mean SROCC: %{{y:.4f}}<extra></extra>",
            )
        )
        if gain_over is not None and rows["name"].iloc[0] != gain_over:
            gain = _gain(points, rows, x, gain_over)
            look = figure.data[-1]
            figure.add_scatter(
                x=gain.index,
                y=gain,
                mode="lines+markers",
                line=look.line,
                marker=look.marker,
                showlegend=False,
                hovertemplate=f"<b>{name}</b> minus {chart_text(gain_over)}<br>{x_title}: %{{x}}<br>"
                "gain in SROCC: %{y:+.4f}<extra></extra>",
                row=2,
                col=1,
            )
    ticks = sorted(points[x].unique())
    axis = {"type": "log" if logarithmic else "linear", "tickvals": ticks, "ticktext": tick_texts(ticks, logarithmic)}
    figure.update_layout(
        title=chart_text(title),
        height=420,
        margin={"l": 10, "r": 10, "t": 60, "b": 100},
        xaxis={"title": x_title, **axis},
        yaxis={"title": "SROCC"},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
    )
    if gain_over is not None:
        figure.update_layout(height=640, xaxis={"title": None}, xaxis2={"title": x_title, **axis})
        figure.update_layout(yaxis2={"title": f"Gain over {chart_text(gain_over)}"})
        figure.add_hline(y=0, line={"color": MUTED, "width": 1, "dash": "dot"}, row=2, col=1)
    return figure


def tick_texts(ticks: Sequence[float], logarithmic: bool = False) -> list[str]:
    """Return the text of each tick, empty where it would touch its neighbour's on a phone; both ends have theirs.

    >>> tick_texts([3000, 3200, 4800, 31200], logarithmic=True)
    ['3,000', '', '4,800', '31,200']
    """
    texts = [f"{int(tick):,}" if float(tick).is_integer() else f"{tick:g}" for tick in ticks]
    places = np.log(ticks) if logarithmic else np.asarray(ticks, float)
    if len(texts) < 3 or places[-1] == places[0]:
        return texts
    places = (places - places[0]) / (places[-1] - places[0])

    def touch(left: int, right: int) -> bool:
        return bool(places[right] - places[left] < _CHARACTER_SHARE * (len(texts[left]) + len(texts[right])) / 2)

    shown = [0]
    for place in range(1, len(texts) - 1):
        if not touch(shown[-1], place) and not touch(place, len(texts) - 1):
            shown.append(place)
    return [text if place in (*shown, len(texts) - 1) else "" for place, text in enumerate(texts)]


def _gain(points: pd.DataFrame, rows: pd.DataFrame, x: str, gain_over: str) -> pd.Series:
    """Return how far the mean of a series lies above that of another one in the same run, at the x that both have."""
    same_run = (points["name"] == gain_over) & (points["run"] == rows["run"].iloc[0])
    return (rows.groupby(x)["value"].mean() - points[same_run].groupby(x)["value"].mean()).dropna()
