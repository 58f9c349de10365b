"""The views of the authentic page, one function a view: published numbers with own ones beside them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from metaiqa_core.errors import MetaIQAError
from metaiqa_core.results import conclusions, published, summaries
from metaiqa_core.results.records import Measured, Protocol, ResultRecord, Uploaded
from metaiqa_core.results.significance import PairedComparison
from metaiqa_core.results.storage import Run, RunSummary
from pages.benchmarks import authentic_charts as charts
from pages.benchmarks import data, my_results
from pages.benchmarks.my_results import MyResults
from pages.benchmarks.own_run_views import METRICS, choose_metric, choose_runs, labelled
from pages.benchmarks.shipped_models import shipped_models
from pages.benchmarks.widgets import ExportTable, chart, empty_state, results_table
from pages.shared.plain import plain
from pages.shared.terms import TERMS

DATABASES = ("CID2013", "LIVE Challenge", "KonIQ-10k")
_DATABASE_WIDTH = 165
"""Width of the select box of databases, pixels."""
Records = Sequence[ResultRecord]


def methods_view(runs: Sequence[RunSummary], controls: Any) -> None:
    """Show PLCC and SROCC by method and database; missing cells are shown as missing."""
    with controls:
        # A select box, because all controls fit one line with it.
        place = DATABASES.index("LIVE Challenge")
        database = st.selectbox(
            "Database", DATABASES, index=place, key="database", bind="query-params", width=_DATABASE_WIDTH
        )
        metric = choose_metric()
        with st.popover("Add results", icon=":material/tune:"):
            own = choose_runs(runs, Protocol.AUTHENTIC)
            mine = my_results.choose(database)
    my_results.tell(mine)
    uploaded, shipped = mine.records, shipped_models()
    ours = [record for model in shipped for record in model.records]
    records = [*published.authentic(), *ours, *labelled(own, Protocol.AUTHENTIC), *_labelled_uploads(uploaded)]
    groups = {record.label: _group(record) for record in records} | {record.label: charts.SHIPPED for record in ours}
    table = summaries.by_database(records, DATABASES, list(METRICS.values()))
    values = table[(database, METRICS[metric])]
    values = values[[name for name in values.index if groups[name] != charts.SHIPPED or pd.notna(values[name])]]
    means = {
        group: values[[name for name in values.index if groups[name] == group]].mean()
        for group in ("CNN", "hand-crafted")
    }
    shown = table.copy()
    shown.columns = pd.MultiIndex.from_tuples([(name, criterion.upper()) for name, criterion in table.columns])
    of_the_paper = values[[name for name in values.index if groups[name] in means]]
    says = conclusions.best_of_column(of_the_paper, metric, database)
    chart(
        charts.method_bars(values, groups, metric, f"{metric} on {database}", _references()),
        f"methods-{database}-{metric}".lower().replace(" ", "-"),
        f"Bars of {metric} by method on {database}. Of the paper's methods, {says} {values.isna().sum()} methods "
        "report none.",
        ExportTable(shown, "method", "Authentic databases: PLCC and SROCC", best_along="columns", decimals=3),
        says=f"Of the paper's methods, {says}",
    )
    for model in shipped:
        if any(record.database == database for record in model.records):
            st.caption(plain(model.source))
    if ours and database == ours[0].database:
        st.caption(
            "The shipped models stand below the paper's methods because they were measured on other photos and other "
            "splits: a higher number does not make them better."
        )
    _compare_mine(mine, own, database)
    printed = values[[name for name in values.index if groups[name] in means]]
    st.caption(
        f"{printed.count()} of {len(printed)} published methods report {database}. Mean of those: "
        f"CNN {means['CNN']:.3f}, hand-crafted {means['hand-crafted']:.3f}. "
        "Table 3 of the paper: means of ten repeats, whose spread is not printed."
    )
    results_table(
        shown,
        f"results_table_of_database_{DATABASES.index(database)}",  # a phone shows the columns of this one alone
        "PLCC and SROCC of every method on the three authentic databases; a dash means not reported.",
        shade_best_of=[name for name in shown.index if groups[name] != charts.SHIPPED],
    )
    st.caption("Shaded: the best of each column, shipped models aside. – means not reported.")
    for sentence in summaries.transposed_pairs(uploaded, published.authentic()):
        st.warning(plain(sentence))
    with st.expander("MetaIQA in later papers"):
        st.write(
            "Later papers' tables often carry MetaIQA's LIVE Challenge and KonIQ-10k pairs transposed: the original "
            "prints PLCC first (0.835 and 0.887), then SROCC (0.802 and 0.850). Uploaded numbers are checked for this."
        )


def ablation_view(runs: Sequence[RunSummary], controls: Any) -> None:
    """Show MetaIQA against Baseline: the same network, two ways of training."""
    with controls, st.popover("Runs", icon=":material/tune:"):
        own = choose_runs(runs, Protocol.ABLATION)
    own_pairs, unpaired = _own_pairs(own)
    pairs = pd.concat([_pairs(published.ablation(), "{} {}"), *own_pairs])
    gains = pairs["metaiqa"] - pairs["baseline"]
    chart(
        charts.gain_lines(pairs, "MetaIQA against Baseline"),
        "ablation",
        f"MetaIQA and Baseline as paired points; the gain runs from {gains.min():+.3f} to {gains.max():+.3f}.",
        ExportTable(
            pairs.assign(gain=gains).rename(lambda row: row.replace("\n", ", ")),
            "database and criterion",
            "MetaIQA against Baseline",
            decimals=3,
        ),
        says=_gains_in_words(pairs),
    )
    st.caption(
        "Rows that name a run were measured, here or by yourself: means over the repeats that both methods share, and "
        "in brackets on how many of these MetaIQA is ahead (half would be chance). The others are the paper's Table 4."
    )
    if unpaired:
        st.caption(f"Not shown, because MetaIQA and Baseline have no split in common: {plain(unpaired)}.")
    if not data.runs_with(runs, [Protocol.ABLATION]):
        empty_state(
            "Your own MetaIQA and Baseline runs appear here as further pairs.",
            "python -m metaiqa_core ablation --database DIR --start MetaIQA=MODEL --start Baseline=MODEL --run-dir DIR",
        )


def _references() -> dict[str, str]:
    return {name: method.reference for name, method in published.methods().items()}


def _gains_in_words(pairs: pd.DataFrame) -> str:
    """Say how far MetaIQA is ahead of Baseline, in the paper and where it was measured here."""
    gains, measured = pairs["metaiqa"] - pairs["baseline"], pairs["ahead"] != ""
    parts = []
    for where, some in (("In the paper", gains[~measured]), ("In measured runs", gains[measured])):
        if len(some):
            ahead = int((some > 0).sum())
            parts.append(
                f"{where}, MetaIQA is ahead of Baseline in {ahead} of {len(some)} rows, by {some.mean():+.3f} on "
                f"average ({some.min():+.3f} to {some.max():+.3f})."
            )
    return " ".join(parts)


def _compare_mine(mine: MyResults, runs: Sequence[Run], database: str) -> None:
    """Test uploaded predictions against the repeats of own runs that were made on the same images."""
    frames = [record for record in mine.records if record.database == database and record.metric == "srocc"]
    for record in frames:
        predictions = mine.predictions_of(record)
        if predictions is None:
            continue
        found = _against_runs(predictions, runs, database)
        if found is None:
            st.caption(
                f"No chosen run kept predictions of the same images of {database}, so there is nothing to test "
                f"{plain(record.method)} against."
            )
            return
        name, compared = found
        low, high = compared.interval
        verdict = "clearly" if low > 0 or high < 0 else "not clearly"
        st.markdown(
            f"**{plain(record.method)} (yours) minus {plain(name)}**: SROCC {compared.first - compared.second:+.3f} on "
            f"{compared.images} shared images, 95 % interval {low:+.3f} to {high:+.3f}: {verdict} different.",
            help=TERMS["interval"],
        )


def _against_runs(predictions: pd.DataFrame, runs: Sequence[Run], database: str) -> tuple[str, PairedComparison] | None:
    """Return the comparison with the first repeat of a run that shares enough images with the predictions."""
    for run in runs:
        for record in run.records:
            if (record.protocol, record.database, record.metric) != (Protocol.AUTHENTIC, database, "srocc"):
                continue
            try:
                theirs = data.predictions_of(record)
                if theirs is not None:
                    return f"{record.method} · {run.name}", data.compared(predictions, theirs)
            except MetaIQAError:
                continue  # other images, or too few: the next repeat may share them
    return None


def _labelled_uploads(uploaded: Records) -> list[ResultRecord]:
    return [replace(r, label=f"{r.method} · yours") for r in uploaded if r.protocol == Protocol.AUTHENTIC]


def _group(record: ResultRecord) -> str:
    if isinstance(record.source, Measured):
        return "own run"
    return "yours" if isinstance(record.source, Uploaded) else published.methods()[record.method].group


def _own_pairs(runs: Sequence[Run]) -> tuple[list[pd.DataFrame], str]:
    """Return the pairs of each run, and of those together that hold one half: means over two pairs would be of none.

    Beside them, the names of runs that give none.
    """
    by_run = {run.name: _pairs(_ablation([run]), "{}\n{}, ", run.name) for run in runs}
    halves = [run for run in runs if by_run[run.name].empty]
    together = _pairs(_ablation(halves), "{}\n{}, ", "own runs")
    pairs = [pairs for pairs in (*by_run.values(), together) if not pairs.empty]
    return pairs, ", ".join(run.name for run in halves) if together.empty else ""


def _ablation(runs: Sequence[Run]) -> list[ResultRecord]:
    return [record for run in runs for record in run.records if record.protocol == Protocol.ABLATION]


def _pairs(records: Records, row: str, source: str = "") -> pd.DataFrame:
    """Return one row a database and criterion: means over the repeats that both share, and on how many who is ahead.

    Printed numbers are means already, so that this count is unknown for them.
    """
    repeats = summaries.paired_repeats(records, "Baseline", "MetaIQA")
    measured = any(isinstance(record.source, Measured) for record in records)
    rows = {}
    for database in dict.fromkeys(record.database for record in records):
        for metric in METRICS.values():
            pairs = repeats.query("database == @database and metric == @metric")
            if len(pairs):
                rows[row.format(database, metric.upper()) + source] = {
                    "baseline": pairs["Baseline"].mean(),
                    "metaiqa": pairs["MetaIQA"].mean(),
                    "ahead": f"{(pairs['MetaIQA'] > pairs['Baseline']).sum()} of {len(pairs)}" if measured else "",
                }
    return pd.DataFrame(rows.values(), index=list(rows), columns=["baseline", "metaiqa", "ahead"])
