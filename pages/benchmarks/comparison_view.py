"""The view that compares the graph model with hand-crafted features and MetaIQA, beside what its source claims."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from metaiqa_core.results import export
from metaiqa_core.results.conclusions import listed
from metaiqa_core.results.published import RESYNTHESES
from metaiqa_core.results.records import Measured, Protocol, ResultRecord
from metaiqa_core.results.storage import Run, RunSummary
from pages.benchmarks.own_run_views import METRICS, choose_runs
from pages.benchmarks.widgets import ExportTable, chart, empty_state
from pages.shared.palette import ACCENT, MUTED, OPPOSITE, faint
from pages.shared.plain import chart_text, plain

HAND_CRAFTED, META, GRAPH = "hand-crafted (BRISQUE)", "MetaIQA", "graph model"
LEAST_CLAIMED, MOST_CLAIMED = 3.6, 36.6
"""Gain over hand-crafted features in percent, mean of SROCC and PLCC on a database, as the abstract says."""
CLAIM = "Jia and Wei, PLoS ONE 21(6):e0351549, 2026"


def comparison_view(runs: Sequence[RunSummary], controls: Any) -> None:
    """Show SROCC and PLCC of every method by database, and how far each is above hand-crafted features."""
    st.write(
        "How well does the second model, the graph model that names defects, predict people's scores? It is compared "
        "with MetaIQA and with hand-crafted features on the same splits. The networks themselves stay as they are; "
        "only the layers on top of their features are trained."
    )
    own = choose_runs(runs, Protocol.COMPARISON)
    table = mean_table(own)
    if table.empty:
        empty_state(
            "The comparison is drawn from runs of `graph-compare`.",
            "python -m metaiqa_core graph-compare --database DIR --typed DIR --run-dir runs/NAME",
        )
        return
    gains = gains_over_hand_crafted(table)
    lines = _gains_in_words(gains)
    measured = f"Mean gain of SROCC and PLCC over hand-crafted features, graph model: {', '.join(lines)}."
    reported = f"{LEAST_CLAIMED} to {MOST_CLAIMED} % on four databases that its abstract does not name ({CLAIM})."
    wide = table.pivot_table(index="method", columns="database", values=list(METRICS.values()), sort=False)
    wide.columns = pd.MultiIndex.from_tuples([(database, metric.upper()) for metric, database in wide.columns])
    wide = wide.sort_index(axis=1, level=0, sort_remaining=False)
    chart(
        gain_bars(gains),
        "graph-comparison",
        f"{measured} Reported in the paper: {reported}",
        ExportTable(wide, "method", "The graph model, MetaIQA and hand-crafted features", "columns", decimals=3),
        says=in_words(gains, leads_by_split(own)),
    )
    st.caption(f"{plain(measured)} *Reported in the paper*: {plain(reported)}")
    st.dataframe(
        export.harmless(wide)
        .style.format("{:.3f}")
        .highlight_max(axis=0, props=f"background-color: {faint(ACCENT, 0.27)}"),
        height="content",
        alt="Mean SROCC and PLCC of every method on every database.",
    )
    st.caption(_how_measured(table))


def mean_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return one row a method and database: means over the seeds, their number, and whether the start had seen it."""
    rows = _rows(runs)
    columns = ["method", "database", "metric", "value", "seed", "images", "seen"]
    table = pd.DataFrame(rows, columns=columns)
    if table.empty:
        return table
    keys = ["method", "database"]
    means = table.pivot_table(index=keys, columns="metric", values="value", sort=False)
    rest = table.groupby(keys, sort=False).agg(
        seeds=("seed", "nunique"), images=("images", "max"), seen=("seen", "any")
    )
    return means.join(rest).reset_index()


def gains_over_hand_crafted(table: pd.DataFrame) -> pd.DataFrame:
    """Return by how many percent the mean of SROCC and PLCC gains of each method is above hand-crafted features."""
    reference = table[table["method"] == HAND_CRAFTED].set_index("database")
    rows = []
    for row in table[table["method"] != HAND_CRAFTED].to_dict("records"):
        if row["database"] in reference.index:
            base = reference.loc[row["database"]]
            gain = sum(100 * (row[metric] / base[metric] - 1) for metric in METRICS.values()) / len(METRICS)
            rows.append({"method": row["method"], "database": row["database"], "gain": gain, "seen": row["seen"]})
    return pd.DataFrame(rows, columns=["method", "database", "gain", "seen"])


def leads_by_split(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the splits of each database, `splits`, and on how many the graph model leads MetaIQA in SROCC, `wins`."""
    rows = [row for row in _rows(runs) if row["metric"] == METRICS["SROCC"] and row["method"] in (GRAPH, META)]
    if not rows:
        return pd.DataFrame(columns=["wins", "splits"])
    values = pd.DataFrame(rows).pivot_table(index=["database", "seed"], columns="method", values="value")
    pairs = values.reindex(columns=[GRAPH, META]).dropna()
    return (pairs[GRAPH] > pairs[META]).groupby("database").agg(wins="sum", splits="size")


def gain_bars(gains: pd.DataFrame) -> go.Figure:
    """Draw the gains, a group of bars for each database; hatched where the network had learned from these scores."""
    figure = go.Figure()
    methods = list(dict.fromkeys(gains["method"]))
    for number, method in enumerate(methods):
        rows = gains[gains["method"] == method]
        colour = ACCENT if method.startswith(GRAPH) else OPPOSITE
        figure.add_bar(
            y=[chart_text(name) for name in rows["database"]], x=rows["gain"], orientation="h",
            name=chart_text(method),
            marker={
                "color": faint(colour, 1 - 0.18 * (number % 5)),
                "line": {"color": MUTED, "width": 1},
                "pattern": {"shape": ["/" if seen else "" for seen in rows["seen"]]},
            },
            hovertemplate=f"<b>{chart_text(method)}</b><br>%{{y}}: %{{x:+.1f}} %<extra></extra>",
        )  # fmt: skip
    for edge in (LEAST_CLAIMED, MOST_CLAIMED):
        figure.add_vline(x=edge, line={"color": MUTED, "dash": "dash"})
    figure.update_layout(
        title="Gain over hand-crafted features",
        height=130 * gains["database"].nunique() + 220,
        margin={"l": 10, "r": 20, "t": 60, "b": 140},
        xaxis={"title": "gain, % (dashed: reported range)"},
        yaxis={"autorange": "reversed", "fixedrange": True, "automargin": True},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        bargap=0.25,
    )
    return figure


def _rows(runs: Sequence[Run]) -> list[dict[str, object]]:
    return [_row(record) for run in runs for record in run.records if record.protocol == Protocol.COMPARISON]


def _row(record: ResultRecord) -> dict[str, object]:
    source = record.source
    settings = source.configuration if isinstance(source, Measured) else {}
    return {
        "method": record.method,
        "database": record.database,
        "metric": record.metric,
        "value": record.value,
        "seed": source.seed if isinstance(source, Measured) else 0,
        "images": settings.get("images"),
        "seen": bool(settings.get("start_has_seen_these_scores")),
    }


def in_words(gains: pd.DataFrame, leads: pd.DataFrame) -> str:
    """Return on how many databases the graph model is ahead of hand-crafted features, and of MetaIQA's head.

    Args:
        gains: Table of `gains_over_hand_crafted`.
        leads: Table of `leads_by_split`; where splits disagree, that is said.
    """
    own, heads = (gains[gains["method"] == name].set_index("database")["gain"] for name in (GRAPH, META))
    text = f"The graph model is ahead of hand-crafted features on {int((own > 0).sum())} of {len(own)} databases"
    known = own.index.intersection(heads.index)
    if known.empty:
        return f"{text}."
    behind = [str(name) for name in known if own[name] <= heads[name]]
    where = f"; {listed(behind)} {'is' if len(behind) == 1 else 'are'} where it is not" if behind else ""
    split = leads[(leads["wins"] > 0) & (leads["wins"] < leads["splits"])]
    parts = [f"on {name} it leads in {row.wins} of {row.splits} splits" for name, row in split.iterrows()]
    doubt = f" Splits disagree: {listed(parts)}." if parts else ""
    return f"{text}, and of MetaIQA's head on {len(known) - len(behind)} of {len(known)}{where}.{doubt}"


def _gains_in_words(gains: pd.DataFrame) -> list[str]:
    """Return the gain of the graph model by database; where it has learned from it, also that without the prior."""
    found = {(row.method, row.database): row.gain for row in gains.itertuples()}
    lines = []
    for row in gains[gains["method"] == GRAPH].itertuples():
        plainer = found.get((f"{GRAPH}, no meta-learning", row.database))
        seen = " (it has learned from these scores" if row.seen else ""
        seen += f"; {plainer:+.1f} % without meta-learning)" if seen and plainer is not None else ")" * bool(seen)
        lines.append(f"{row.gain:+.1f} % on {_short(str(row.database))}{seen}")
    return lines


def _short(database: str) -> str:
    """Return the name of a database without its number of photos, as in "LIVE Challenge, 930 photos"."""
    return database.partition(",")[0]


def _how_measured(table: pd.DataFrame) -> str:
    images = table.groupby("database", sort=False)["images"].max()
    fewest, most = int(table["seeds"].min()), int(table["seeds"].max())
    splits = f"{most}" if fewest == most else f"{fewest} to {most}"
    made = [name for name in images.index if name in RESYNTHESES]
    text = (
        f"*Measured here*: means over {splits} splits (80/20, identical contents on one side); images: "
        f"{', '.join(f'{int(count):,} of {plain(_short(str(name)))}' for name, count in images.items())}."
    )
    if made:
        originals = " and ".join(RESYNTHESES[name] for name in made)
        are = "is" if len(made) == 1 else "are"
        text += f" {' and '.join(map(plain, made))} {are} re-synthesised: not {originals}."
    if table["seen"].any():
        text += " Hatched: the meta-learned network has learned from these scores, so that this is no test of it."
    return text
