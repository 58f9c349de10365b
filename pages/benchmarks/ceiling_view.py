"""What keeps a measured run from more: how far one can get on each type, and what the run ranks of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from metaiqa_core.errors import ResultsError
from metaiqa_core.results import published
from metaiqa_core.results.ceilings import CEILINGS, CONTENT, JUDGED, LEVEL, ORDER, SROCC, WITHIN, ceilings, ranked_by
from metaiqa_core.results.records import Measured, Protocol, ResultRecord
from pages.benchmarks import data
from pages.benchmarks.distortion_charts import row_label
from pages.benchmarks.distortion_views import NAME_WIDTH, ShownTable
from pages.benchmarks.widgets import ExportTable, chart, empty_state
from pages.shared.palette import ACCENT, MUTED, OPPOSITE
from pages.shared.plain import chart_text, plain

KNOWS = "knows the type"
_SCORES = {
    "tid2013-kodak": ": those of TID2013's own images, which these imitate",
    "kadid10k-style": ": the mean of a type and level in KADID-10k, refined by what full-reference measures see of the "
    "damage, so that what is ranked within a level is their word, not people's",
}
"""What the scores of a re-synthesised database are."""
_PLACE = ("seed", "device", "database_folder", "image_passes")
"""Settings that a run which knows the type may have otherwise: one task more makes a few image passes more."""


def ceiling_view(shown: ShownTable, controls: Any) -> None:
    """Show SROCC by type beside the ceilings that people's own scores set, and beside a training that knew the type."""
    measured = {
        label: records
        for label, records in shown.columns.items()
        if any(isinstance(record.source, Measured) and record.source.predictions for record in records)
    }
    if not measured:
        empty_state(
            "The ceilings are drawn beside a measured run: choose one under *Filter and compare*.",
            "python -m metaiqa_core leave-one-out --database DIR --run-dir runs/NAME",
        )
        return
    with controls:
        label = st.selectbox("Measured method", list(measured), key="method", bind="query-params", width=NAME_WIDTH)
    records = [record for record in measured[label] if record.distortion_type in shown.values.index]
    try:
        table = what_is_missing(records, shown)
        known = knowing_the_type(records[0]) if records else None
    except ResultsError as error:
        st.warning(plain(str(error)))
        return
    if table.empty:
        st.info("No type of the chosen families was held out by this run, or its predictions were not kept.")
        return
    if known is not None:
        table.insert(1, KNOWS, known.reindex(table.index))
    method, names = (
        records[0].method,
        {one.abbreviation: one.name for one in published.distortion_types(shown.database)},
    )
    says = in_words(table, method)
    chart(
        ceiling_dots(table, method, names, f"How far one can get on each type, {records[0].database}"),
        "ceilings",
        f"SROCC of {label} on {len(table)} types, beside ceilings from people's own scores. {says}",
        ExportTable(table, "type", f"{label} and the ceilings of {records[0].database}", decimals=3),
        says=says,
    )
    st.caption(
        f"Computed from the scores that the run was judged by{_SCORES.get(records[0].database, '')}. *Level alone*: "
        "whoever knows how strong the distortion is, and nothing else. *Levels as judged*: the levels in the order in "
        "which people like them, which for some types is another. *Level and content*: who also knows how people like "
        "each content."
        + (
            " *Knows the type*: the same training with the type among those it learns from, on half of the contents, "
            "judged on the other half."
            if known is not None
            else " How far the same training gets that knows the type: `leave-one-out --knows-half`."
        )
    )


def what_is_missing(records: Sequence[ResultRecord], shown: ShownTable) -> pd.DataFrame:
    """Return one row a type: what a method ranks, means over its seeds, and the ceilings.

    Raises:
        ResultsError: If predictions were kept but cannot be read.
    """
    rows: dict[str, list[pd.DataFrame]] = {}
    for record in records:
        predictions = data.predictions_of(record, shown.mine)
        if predictions is not None and record.distortion_type is not None:
            rows.setdefault(record.distortion_type, []).append(_ranked(predictions))
    means = {kind: pd.concat(found).mean() for kind, found in rows.items()}
    return pd.DataFrame(means, index=[SROCC, *CEILINGS, ORDER, WITHIN]).T.reindex(
        [kind for kind in shown.values.index if kind in means]
    )


@st.cache_data(max_entries=512, show_spinner=False)
def _ranked(predictions: pd.DataFrame) -> pd.DataFrame:
    return ranked_by(predictions).join(ceilings(predictions))


def knowing_the_type(like: ResultRecord) -> pd.Series | None:
    """Return SROCC by type of the same training where it knows the type, means over folds; None where none was run.

    Raises:
        ResultsError: If a run cannot be read.
    """
    if not isinstance(like.source, Measured):
        return None
    wanted, found = _settings(like.source.configuration), []
    runs, _ = data.own_runs()
    for summary in data.runs_with(runs, [Protocol.KNOWN_DISTORTION], [like.database]):
        for record in data.read_run(summary.folder).records:
            if record.protocol != Protocol.KNOWN_DISTORTION or record.metric != "srocc" or record.method != like.method:
                continue
            if isinstance(record.source, Measured) and _settings(record.source.configuration) == wanted:
                found.append((record.distortion_type, record.value))
    if not found:
        return None
    return pd.DataFrame(found, columns=["type", "value"]).groupby("type")["value"].mean()


def _settings(configuration: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in configuration.items() if name not in _PLACE}


def in_words(table: pd.DataFrame, method: str) -> str:
    """Return the averages in a sentence, and what is missing most."""
    means = table.mean()
    text = f"On average over {len(table)} types {method} reaches {means[SROCC]:.3f}"
    if KNOWS in table:
        both = table.dropna(subset=[KNOWS])
        text += f" ({both[KNOWS].mean():.3f} where it knows the type)" if len(both) == len(table) else ""
    text += (
        f"; whoever knows the level alone would reach {means[LEVEL]:.3f}, with the levels as people judge them "
        f"{means[JUDGED]:.3f}, and with each content too {means[CONTENT]:.3f}."
    )
    return (
        f"{text} Its order of the levels of a type has an SROCC of {means[ORDER]:.2f} with people's, its order of the "
        f"images within a level one of {means[WITHIN]:.2f}."
    )


def ceiling_dots(table: pd.DataFrame, method: str, names: Mapping[str, str], title: str) -> go.Figure:
    """Draw one line a type: the method's SROCC, and the ceilings above it.

    Args:
        table: Table of `what_is_missing`, maybe with the column `KNOWS`.
        method: Name of the method.
        names: Name of each type in words.
        title: Title of the chart.
    """
    rows = [row_label(str(row), names) for row in table.index]
    figure = go.Figure()
    looks = {
        CONTENT: {"symbol": "line-ns-open", "size": 13, "color": MUTED, "line": {"width": 3}},
        JUDGED: {"symbol": "line-ns-open", "size": 13, "color": MUTED, "line": {"width": 1.5}},
        LEVEL: {"symbol": "circle-open", "size": 9, "color": MUTED},
        KNOWS: {"symbol": "diamond-open", "size": 10, "color": OPPOSITE, "line": {"width": 2}},
        SROCC: {"symbol": "circle", "size": 11, "color": ACCENT},
    }
    for name, marker in looks.items():
        if name in table:
            shown = method if name == SROCC else name
            figure.add_scatter(
                x=table[name].tolist(), y=rows, mode="markers", name=chart_text(shown), marker=marker,
                hovertemplate=f"<b>%{{y}}</b><br>{chart_text(shown)}: %{{x:.3f}}<extra></extra>",
            )  # fmt: skip
    low = float(table[[name for name in looks if name in table]].min().min())
    figure.update_layout(
        title=chart_text(title),
        height=27 * len(rows) + 200,
        margin={"l": 10, "r": 10, "t": 60, "b": 110},
        xaxis={"title": "SROCC", "range": [min(-0.05, low - 0.05), 1.03]},
        yaxis={"autorange": "reversed", "dtick": 1, "fixedrange": True, "tickfont": {"size": 9}, "type": "category"},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "traceorder": "reversed"},
    )
    return figure
