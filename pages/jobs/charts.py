"""A run's curves: loss and rank agreement over its working time, every value faint and their trend on top."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from metaiqa_core.progress import Kind
from metaiqa_core.results.run_log import titles
from pages.shared.palette import ACCENT, LIGHT, MUTED, OPPOSITE, PURPLE
from pages.shared.plain import chart_text

_LOOKS = ((ACCENT, "solid", "circle"), (OPPOSITE, "dash", "square"), (PURPLE, "dot", "diamond"))
"""Dash and marker differ too: colour alone does not reach every reader."""
MAXIMUM_POINTS = 600
"""Maximum number of points of a curve: more than a screen has columns, and few enough to send every few seconds."""


@dataclass(frozen=True)
class Chart:
    """A kind of curve.

    Attributes:
        title: Title of the chart.
        axis: Quantity on the vertical axis, with the unit.
        ending: Ending of the names of its metrics.
        is_correlation: Whether values lie in [-1, 1].
    """

    title: str
    axis: str
    ending: str
    is_correlation: bool = False


LOSS = Chart("Loss", "Squared error, unit scores", "loss")
SROCC = Chart("Rank agreement with people", "SROCC (1 = perfect)", "srocc", is_correlation=True)


def metrics_of(metrics: pd.DataFrame, chart: Chart) -> pd.DataFrame:
    """Return the lines of `results.run_log` that belong to a chart."""
    return metrics[metrics["metric"].str.endswith(chart.ending)]


def curves(metrics: pd.DataFrame, chart: Chart) -> go.Figure:
    """Draw the metrics of one kind over the time that the run has worked.

    Args:
        metrics: Table from `results.run_log.read_metrics`.
        chart: Kind of curve to draw.
    """
    figure = go.Figure()
    unit, seconds = _unit(float(metrics["seconds"].max()) if len(metrics) else 0.0)
    shown = metrics_of(metrics, chart).assign(title=lambda lines: titles(lines).map(chart_text))
    for position, (name, rows) in enumerate(shown.groupby("metric", sort=False)):
        look = _LOOKS[position % len(_LOOKS)]
        outcomes = rows["kind"] == Kind.OUTCOME
        if outcomes.any():
            figure.add_trace(_points(rows[outcomes], f"{chart_text(label(str(name)))} of a fold", look, unit, seconds))
        if not outcomes.all():
            for trace in _trend(rows[~outcomes], chart_text(label(str(name))), look, unit, seconds):
                figure.add_trace(trace)
    return _laid_out(figure, chart, unit)


def _unit(longest: float) -> tuple[str, int]:
    """Return the unit of time that suits a number of seconds, and how many seconds it has."""
    return ("hours", 3600) if longest > 3 * 3600 else ("minutes", 60) if longest > 180 else ("seconds", 1)


def _laid_out(figure: go.Figure, chart: Chart, unit: str) -> go.Figure:
    figure.update_layout(
        title={"text": chart.title, "x": 0, "xref": "paper"},
        height=320,
        margin={"l": 10, "r": 10, "t": 48, "b": 86},
        hovermode="closest",
        uirevision="kept",  # a zoom outlives the next look
        xaxis={"title": f"Working time, {unit}", "rangemode": "tozero", "zeroline": False},
        yaxis={"title": chart.axis, "rangemode": "normal" if chart.is_correlation else "tozero", "zeroline": False},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        showlegend=True,
    )
    if chart.is_correlation:
        figure.add_hline(y=0, line={"color": MUTED, "width": 1, "dash": "dot"})
    return figure


def compared(runs: Mapping[str, pd.DataFrame], chart: Chart) -> go.Figure:
    """Draw the curves of several runs over each other: a colour and a marker for each run, a dash for each metric.

    Args:
        runs: Table from `results.run_log.read_metrics` of each run, by its name.
        chart: Kind of curve to draw.
    """
    longest = max((float(metrics["seconds"].max()) for metrics in runs.values() if len(metrics)), default=0.0)
    unit, seconds = _unit(longest)
    figure = go.Figure()
    names = list(dict.fromkeys(name for log in runs.values() for name in metrics_of(log, chart)["metric"]))
    dashes = dict(zip(names, cycle(dash for _, dash, _ in _LOOKS), strict=False))
    for (colour, _, symbol), (run, metrics) in zip(cycle(_LOOKS), runs.items(), strict=False):
        shown = metrics_of(metrics, chart).assign(title=lambda lines: titles(lines).map(chart_text))
        for name, rows in shown.groupby("metric", sort=False):
            look = (colour, dashes[str(name)], symbol)
            curve = f"{chart_text(run)}, {chart_text(label(str(name)))}"
            outcomes = rows["kind"] == Kind.OUTCOME
            if outcomes.any():
                figure.add_trace(_points(rows[outcomes], f"{curve} of a fold", look, unit, seconds))
            if not outcomes.all():
                figure.add_traces(_trend(rows[~outcomes], curve, look, unit, seconds))
    return _laid_out(figure, chart, unit)


def label(metric: str) -> str:
    """Return a metric's name as people write it.

    >>> label("query_srocc")
    'query SROCC'
    """
    return metric.replace("_", " ").replace("srocc", "SROCC")


def thinned(rows: pd.DataFrame) -> pd.DataFrame:
    """Return at most `MAXIMUM_POINTS` lines: means over neighbours, with the last neighbour's other columns."""
    if len(rows) <= MAXIMUM_POINTS:
        return rows
    bins = np.arange(len(rows)) * MAXIMUM_POINTS // len(rows)
    means = rows[["seconds", "value"]].groupby(bins).mean()
    return means.assign(**{name: rows[name].groupby(bins).last() for name in rows.columns.difference(means.columns)})


def smoothed(values: pd.Series) -> pd.Series:
    """Return the trend: an exponential mean over about a fifteenth of the values, so that it does not jump."""
    return values.ewm(span=max(1, len(values) / 15)).mean()


def _trend(rows: pd.DataFrame, name: str, look: tuple[str, str, str], unit: str, seconds: int) -> list[go.Scatter]:
    rows = thinned(rows)
    colour, dash, symbol = look
    is_sparse = len(rows) <= 30
    parts = []
    for _, part in rows.groupby("title", sort=False):
        parts.append(part.assign(trend=smoothed(part["value"])))
        # A gap between two folds, which know nothing of each other.
        parts.append(pd.DataFrame({"seconds": [np.nan], "trend": [np.nan], "value": [np.nan]}))
    joined = pd.concat(parts, ignore_index=True)
    x, hover = joined["seconds"] / seconds, joined[["title", "step", "total", "value"]]
    faint = go.Scatter(
        x=x,
        y=joined["value"],
        mode="markers",
        marker={"color": colour, "size": 7 if is_sparse else 4, "opacity": 0.4, "symbol": symbol},
        customdata=hover,
        hovertemplate=_hover(name, unit),
        showlegend=False,
    )
    line = go.Scatter(
        x=x,
        y=joined["trend"],
        mode="lines",
        name=name,
        line={"color": colour, "dash": dash, "width": 2.5, "shape": "spline", "smoothing": 0.5},
        hoverinfo="skip",
    )
    return [faint, line]


def _points(rows: pd.DataFrame, name: str, look: tuple[str, str, str], unit: str, seconds: int) -> go.Scatter:
    return go.Scatter(
        x=rows["seconds"] / seconds,
        y=rows["value"],
        mode="markers",
        name=name,
        marker={"color": look[0], "size": 10, "symbol": "star", "line": {"width": 1, "color": LIGHT}},
        customdata=rows[["title", "step", "total", "value"]],
        hovertemplate=_hover(name, unit),
    )


def _hover(name: str, unit: str) -> str:
    return (
        f"<b>{name}: %{{customdata[3]:.4g}}</b><br>%{{customdata[0]}}<br>step %{{customdata[1]:,}} of "
        f"%{{customdata[2]:,}}<br>after %{{x:.3g}} {unit}<extra></extra>"
    )
