"""Plotly figures of the leave-one-distortion-out page; each takes plain tables and draws nothing itself.

Correlations are coloured by cividis from 0 to 1 everywhere (perceptually uniform, safe for colour-blind readers);
differences, which have a sign, by purple-orange around 0.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from textwrap import wrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from pages.shared.palette import ACCENT, CLEAR, DARK, DIFFERENCE_SCALE, LIGHT, MUTED, OPPOSITE, SELECTED, VALUE_SCALE
from pages.shared.plain import chart_text, text_of_chart

_CELL_HEIGHT = 27
_LABEL_CHARACTERS = 22
_HEAD_CHARACTERS = 20
"""Most characters of a method's or of a run's name above a column; the hover text and the details have all of it."""
_SLANTED_CHARACTERS = 14
"""Longest column name that is slanted: longer ones would run out of the chart, or into each other."""


def heat_map(
    table: pd.DataFrame,
    names: Mapping[str, str],
    title: str,
    lines: Mapping[str, Sequence[str]],
    *,
    difference_to: str | None = None,
    about: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw types (rows) by methods (columns).

    Args:
        table: Table of SROCC, or of differences in SROCC; NaN where missing.
        names: Name of each type in words, for the hover text.
        title: Title of the chart.
        lines: Lines of the label of each method, above its column.
        difference_to: Name of the method that was subtracted; None for plain values.
        about: Explanation of each method, for the hover text.

    Returns:
        Colours, numbers, and one invisible point a cell on top. Plotly does not report selections of a heat map; the
        points (x: method, y: type) make every cell clickable.
    """
    table = _with_chart_texts(table)
    rows, columns = list(table.index), list(table.columns)
    plain = difference_to is None
    values = table.to_numpy(dtype=float)
    limit = 1.0 if plain else max(0.1, float(np.nanmax(np.abs(values), initial=0.1)))
    scale, low = (VALUE_SCALE, 0.0) if plain else (DIFFERENCE_SCALE, -limit)
    quantity = "SROCC" if plain else f"SROCC minus {chart_text(difference_to or '')}"
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=columns,
            y=rows,
            colorscale=scale,
            zmin=low,
            zmax=limit,
            xgap=1,
            ygap=1,
            hoverinfo="skip",
            colorbar=_colour_bar(quantity + (" (0 and below: darkest)" if plain else "")),
        )
    )
    _add_numbers(figure, table, scale, low, limit, "{:.2f}" if plain else "{:+.2f}")
    cells = [(column, row, table.at[row, column]) for row in rows for column in columns]
    digits = "{:.4f}" if plain else "{:+.4f}"
    figure.add_trace(
        go.Scatter(
            x=[column for column, _, _ in cells],
            y=[row for _, row, _ in cells],
            mode="markers",
            marker={"size": 18, "symbol": "square", "opacity": 0},
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}},
            customdata=[
                [
                    chart_text(names.get(text_of_chart(row), row)),
                    "not reported" if np.isnan(value) else digits.format(value),
                    _explained(about, column),
                ]
                for column, row, value in cells
            ],
            hovertemplate="<b>%{x}</b>%{customdata[2]}<br>%{customdata[0]}<br>"
            f"{quantity}: %{{customdata[1]}}<extra></extra>",
            showlegend=False,
        )
    )
    _lay_out_grid(figure, title, table, lines, names, height=_CELL_HEIGHT * len(rows) + 80, bottom=80)
    return figure


def _explained(about: Mapping[str, str] | None, column: str) -> str:
    """Return the line of a hover text that says what stands behind a method; empty where nothing is known."""
    explanation = (about or {}).get(text_of_chart(column))
    return f"<br>{chart_text(explanation)}" if explanation else ""


def _with_chart_texts(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with names that stand as they are in a chart; `text_of_chart` gives the names back."""
    return table.rename(index=chart_text, columns=chart_text)


def _add_numbers(figure: go.Figure, table: pd.DataFrame, scale: str, low: float, high: float, form: str) -> None:
    """Write each value into its cell, dark on bright and bright on dark, so that every number is readable.

    Two text traces, because a heat map's own text has one colour or a weak automatic contrast; both keep their colour
    when a click selects a cell.
    """
    written: dict[str, list[tuple[str, str, str]]] = {LIGHT: [], DARK: []}
    for row in table.index:
        for column in table.columns:
            value = table.at[row, column]
            if np.isnan(value):
                continue
            percent = round(100 * float(np.clip((value - low) / (high - low), 0, 1)))
            colour = DARK if _is_bright(scale, percent) else LIGHT
            written[colour].append((column, row, form.format(value)))
    for colour, entries in written.items():
        figure.add_trace(
            go.Scatter(
                x=[column for column, _, _ in entries],
                y=[row for _, row, _ in entries],
                text=[text for _, _, text in entries],
                mode="text",
                textfont={"size": 11, "color": colour},
                selected={"textfont": {"color": colour}},
                unselected={"textfont": {"color": colour}},
                hoverinfo="skip",
                showlegend=False,
            )
        )


@lru_cache(maxsize=512)
def _is_bright(scale: str, percent: int) -> bool:
    red, green, blue = sample_colorscale(scale, [percent / 100], colortype="tuple")[0]
    return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.18  # where black and white contrast equally


def _colour_bar(title: str) -> dict[str, object]:
    return {
        "title": {"text": title, "side": "top"},
        "orientation": "h",
        "thickness": 10,
        "len": 1,
        "x": 0.5,
        "y": 0,
        "yanchor": "top",
        "ypad": 18,
        "xpad": 0,
    }


def _lay_out_grid(
    figure: go.Figure,
    title: str,
    table: pd.DataFrame,
    lines: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
    height: int,
    bottom: int,
) -> None:
    """Put column names between the title and the cells, with room for them: slanted, or upright where one is long."""
    heads = [_head(lines[text_of_chart(column)]) for column in table.columns]
    longest = max(map(len, heads), default=0)
    is_long = longest > _SLANTED_CHARACTERS
    top = 64 + int((6.3 if is_long else 5.2) * longest)
    figure.update_layout(
        title={"text": chart_text(title), "yref": "container", "y": 1, "yanchor": "top", "pad": {"t": 12}},
        height=height + top,
        margin={"l": 10, "r": 24, "t": top, "b": bottom},
        clickmode="event+select",
        dragmode=False,
        hovermode="closest",
        hoverdistance=200,  # on a grid the nearest centre is the cell under the pointer
        plot_bgcolor=CLEAR,
        xaxis={
            "side": "top",
            "tickangle": -90 if is_long else -50,
            "ticks": "",
            "ticklabelstandoff": 0,
            "showgrid": False,
            "fixedrange": True,
            "type": "category",
            "tickvals": list(table.columns),
            "tickfont": {"size": 11},
            "ticktext": list(map(chart_text, heads)),
            "range": [-0.5, len(table.columns) - 0.5],
        },
        yaxis={
            "range": [len(table) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
            "tickvals": list(table.index),
            "ticktext": [row_label(text_of_chart(row), names) for row in table.index],
            "tickfont": {"size": 9},
            "type": "category",
            "ticks": "",
        },
    )


def _head(lines: Sequence[str]) -> str:
    """Return a column's name in one line: on a phone a column is as narrow as a line is high.

    A run's name keeps its beginning and its end. The last of three lines names another database: a star stands for it.

    >>> _head(["MetaIQA", "leave-one-out-of-tid2013-seed-3", "tid2013-kodak"])
    'MetaIQA · leave-one-…13-seed-3*'
    """
    parts = [
        line
        if len(line) <= _HEAD_CHARACTERS
        else f"{line[: _HEAD_CHARACTERS // 2]}…{line[-_HEAD_CHARACTERS // 2 + 1 :]}"
        for line in lines[:2]
    ]
    return " · ".join(parts) + "*" * (len(lines) > 2)


def row_label(row: str, names: Mapping[str, str]) -> str:
    """Return abbreviation and full name of a type in at most two short lines: a phone needs room for the cells."""
    text = row if names.get(row, row).casefold() == row.casefold() else f"{row} {names.get(row, '')}"
    width = max(_LABEL_CHARACTERS, len(text) // 2)
    while len(lines := wrap(text, width, break_on_hyphens=False)) > 2:
        width += 1
    return "<br>".join(chart_text(line) for line in lines)


def mark_cell(figure: go.Figure, table: pd.DataFrame, row: str, column: str) -> None:
    """Frame one cell of a heat map, if it is there."""
    if row in table.index and column in table.columns:
        x, y = table.columns.get_loc(column), table.index.get_loc(row)
        box = {"x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5}
        figure.add_shape(type="rect", line={"color": LIGHT, "width": 4}, **box)
        figure.add_shape(type="rect", line={"color": SELECTED, "width": 2}, **box)


def type_bars(
    values: pd.Series,
    title: str,
    intervals: Mapping[str, tuple[float, float]] | None = None,
    emphasis: str | None = None,
    about: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw one bar a method for one distortion type, best on top; whiskers where a 95 % interval is known."""
    values = values.dropna().sort_values()
    labels = [chart_text(str(name)) for name in values.index]
    figure = go.Figure(
        go.Bar(
            x=values.to_numpy(),
            y=labels,
            orientation="h",
            marker={"color": values.to_numpy(), "colorscale": VALUE_SCALE, "cmin": 0, "cmax": 1},
            text=[f"<b>{value:.3f}</b>" if name == emphasis else f"{value:.3f}" for name, value in values.items()],
            textposition="outside",
            cliponaxis=False,
            error_x=_whiskers(values, intervals),
            customdata=[_explained(about, str(name)) for name in values.index],
            hovertemplate="<b>%{y}</b>%{customdata}<br>SROCC: %{x:.4f}<extra></extra>",
        )
    )
    figure.update_layout(
        title=chart_text(title),
        height=34 * len(values) + 130,
        margin={"l": 10, "r": 40, "t": 60, "b": 50},
        xaxis={"title": "SROCC", "range": [min(-0.1, float(values.min()) - 0.15) if len(values) else 0, 1.08]},
        yaxis={"fixedrange": True, "type": "category"},
    )
    return figure


def difference_bars(
    differences: pd.Series,
    names: Mapping[str, str],
    first: str,
    second: str,
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> go.Figure:
    """Draw one bar a type for first minus second; whiskers where a paired bootstrap interval is known."""
    differences = differences.dropna()
    first, second = chart_text(first), chart_text(second)
    figure = go.Figure(
        go.Bar(
            x=differences.to_numpy(),
            y=[row_label(str(row), names) for row in differences.index],
            orientation="h",
            marker={"color": np.where(differences > 0, ACCENT, OPPOSITE)},
            customdata=[chart_text(names.get(row, row)) for row in differences.index],
            error_x=_whiskers(differences, intervals),
            hovertemplate="%{customdata}<br>Difference in SROCC: %{x:+.4f}<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": MUTED, "width": 1})
    figure.update_layout(
        title=f"{first} minus {second}, by held-out type",
        height=_CELL_HEIGHT * len(differences) + 130,
        margin={"l": 10, "r": 10, "t": 60, "b": 50},
        xaxis={"title": "Difference in SROCC (right: the first is better)"},
        yaxis={"autorange": "reversed", "dtick": 1, "fixedrange": True, "tickfont": {"size": 9}, "type": "category"},
        bargap=0.25,
    )
    return figure


def _whiskers(values: pd.Series, intervals: Mapping[str, tuple[float, float]] | None) -> dict[str, object] | None:
    """Turn intervals into Plotly's error bars; a value without an interval gets none."""
    if not intervals:
        return None
    known = [intervals.get(str(name)) for name in values.index]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, pair[1] - value) if pair else None for pair, value in zip(known, values, strict=True)],
        "arrayminus": [max(0.0, value - pair[0]) if pair else None for pair, value in zip(known, values, strict=True)],
        "thickness": 1.5,
        "color": MUTED,
    }


def rank_map(
    ranks: pd.DataFrame, names: Mapping[str, str], title: str, lines: Mapping[str, Sequence[str]]
) -> go.Figure:
    """Draw each method's rank within each type: 1 is the best and the brightest; the arguments are as in `heat_map`."""
    ranks = _with_chart_texts(ranks)
    columns, rows = list(ranks.columns), list(ranks.index)
    last = max(2, len(columns))
    figure = go.Figure(
        go.Heatmap(
            z=ranks.to_numpy(),
            x=columns,
            y=rows,
            customdata=[[names.get(row, row)] * len(columns) for row in rows],
            colorscale=f"{VALUE_SCALE}_r",
            zmin=1,
            zmax=last,
            xgap=1,
            ygap=1,
            showscale=False,
            hovertemplate="<b>%{x}</b><br>%{customdata}<br>Rank: %{z:g}<extra></extra>",
        )
    )
    _add_numbers(figure, ranks, f"{VALUE_SCALE}_r", 1, last, "{:g}")
    _lay_out_grid(figure, title, ranks, lines, names, height=_CELL_HEIGHT * len(rows) + 10, bottom=10)
    return figure
