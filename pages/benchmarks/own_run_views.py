"""The views drawn from own runs alone: repeats, parameter study, adaptation curves; empty until there are any."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from metaiqa_core.results import conclusions
from metaiqa_core.results.records import Measured, Protocol, ResultRecord
from metaiqa_core.results.storage import Run, RunSummary
from pages.benchmarks import authentic_charts as charts
from pages.benchmarks import data
from pages.benchmarks.cell import show_predictions
from pages.benchmarks.widgets import ExportTable, chart, empty_state, results_table
from pages.shared.plain import plain
from pages.shared.terms import TERMS

METRICS = {"SROCC": "srocc", "PLCC": "plcc"}


def choose_metric() -> str:
    """Let the user choose the criterion."""
    explained = "  \n".join(f"{name}: {TERMS[name]}" for name in METRICS)
    return st.segmented_control(
        "Criterion",
        list(METRICS),
        default="SROCC",
        required=True,
        key="metric",
        bind="query-params",
        help=explained,
    )


def repeats_view(runs: Sequence[RunSummary], controls: Any) -> None:
    """Show the spread over repeats of own runs, and the details of a repeat."""
    protocols = (Protocol.AUTHENTIC, Protocol.ABLATION)
    databases = list(
        dict.fromkeys(name for run in runs for protocol, name in sorted(run.contents) if protocol in protocols)
    )
    if not databases:
        empty_state(
            "The paper prints nothing but means of ten repeats. Measured runs show every repeat.",
            "python -m metaiqa_core fine-tune --database DIR --repeats 10 --run-dir runs/NAME",
        )
        return
    with controls:
        database = st.selectbox("Database", databases, key="own_database", bind="query-params", width=240)
        metric = choose_metric()
        with st.popover("Runs", icon=":material/tune:"):
            own = choose_runs(runs, *protocols)
    shown = [
        record
        for protocol in protocols
        for record in labelled(own, protocol)
        if record.database == database and record.metric == METRICS[metric]
    ]
    if not shown:
        st.info(f"The chosen runs hold no {metric} on {plain(database)}.")
        return
    values = pd.DataFrame({"label": r.label, "seed": _seed(r), "value": r.value} for r in shown)
    summary = values.groupby("label", sort=False)["value"].agg(["count", "mean", "std", "min", "max"])
    chart(
        charts.repeat_boxes(values, f"{metric} over repeats, {database}", metric),
        "repeats",
        f"{metric} of {len(values)} repeats on {database}; best mean {summary['mean'].max():.3f}, "
        f"{summary['mean'].idxmax()}.",
        ExportTable(summary, "method", f"{metric} over repeats, {database}"),
        says=repeats_in_words(values, metric),
    )
    names = {"count": "Repeats", "mean": "Mean", "std": "Std", "min": "Lowest", "max": "Highest"}
    results_table(summary.rename(columns=names), "results_table_of_repeats", "Mean and spread over repeats.")
    position = st.selectbox(
        "Predictions of one repeat",
        range(len(shown)),
        format_func=lambda i: f"{shown[i].label}, seed {_seed(shown[i])}",
        key="repeat",
        bind="query-params",
    )
    show_predictions(shown[position])


def repeats_in_words(values: pd.DataFrame, metric: str) -> str:
    """Say which label is best on the repeats that all share, and how much chance there is in a single repeat.

    Args:
        values: Table with the columns `label`, `seed` and `value`.
        metric: Name of the criterion.
    """
    table = values.pivot_table(index="seed", columns="label", values="value", sort=False)
    shared, spread = table.dropna(), table.std()
    if shared.empty:
        sentence = "The runs have no repeat in common, so none is the best of them."
    else:
        best = shared.mean().idxmax()
        row = shared[best]
        sentence = f"{best} has the best mean {metric}, {row.mean():.3f}"
        if len(table) < 2:
            return f"{sentence}, from a single repeat."
        among = " that all have" if len(shared) < len(table) else ""
        counted = f"{len(row)} repeats" if len(row) > 1 else "the one repeat"
        sentence += f" over {counted}{among} (from {row.min():.3f} to {row.max():.3f})."
    if spread.isna().all():
        return sentence
    most = f", most of all those of {spread.idxmax()}" if len(spread) > 1 else ""
    return (
        f"{sentence} Repeats scatter by a standard deviation of up to {spread.max():.3f}{most}: two single repeats "
        "that differ by less may do so by chance."
    )


def parameter_view(runs: Sequence[RunSummary], controls: Any) -> None:
    """Show SROCC over the number of tasks k and of inner steps S: the paper's Figure 4, from own runs."""
    st.write(
        "Figure 4 of the paper is a drawing without printed numbers. Its text says: SROCC on LIVE Challenge grows with "
        "k and S, drops slightly for k > 5 and is stable for S > 6; so k = 5 and S = 6."
    )
    with controls, st.popover("Runs", icon=":material/tune:"):
        own = choose_runs(runs, Protocol.PARAMETER_STUDY)
    if not own:
        empty_state(
            "The parameter study is drawn from measured runs.",
            "python -m metaiqa_core parameter-study --database DIR --target DIR --run-dir runs/NAME",
        )
        return
    st.caption(
        _study_description(own) + " Each faint line joins the results of one split, a strong one the means of a run."
    )
    for key, title, fixed in (("k", "tasks in a mini-batch, k", "inner_steps"), ("inner_steps", "inner steps, S", "k")):
        points = _points(own, Protocol.PARAMETER_STUDY, key, fixed)
        if points.empty or points[key].nunique() < 2:
            continue
        says = best_and_worst(points, key, title[-1])
        chart(
            charts.curves(points, key, f"Number of {title}", f"SROCC over {title}", joined=True),
            f"parameter-study-{key}",
            f"SROCC over the number of {title}. {says}",
            ExportTable(points.set_index("series"), "series", f"Parameter study over the number of {title}"),
            says=says,
        )


def best_and_worst(points: pd.DataFrame, key: str, letter: str) -> str:
    """Return where each series is best and worst: several have splits of their own, and no mean in common."""
    sentences = []
    for series, rows in points.groupby("series", sort=False):
        mean = rows.groupby(key)["value"].mean()
        of = f" of {series}" if points["series"].nunique() > 1 else ""
        sentences.append(
            f"The best mean SROCC{of}, {mean.max():.3f}, is at {letter} = {mean.idxmax()}; "
            f"the worst, {mean.min():.3f}, at {letter} = {mean.idxmin()}."
        )
    return " ".join(sentences)


def _study_description(runs: Sequence[Run]) -> str:
    """Describe the study of each run: its databases, and the number of photos that it fine-tuned on."""
    sentences = []
    for run in runs:
        records = [record for record in run.records if record.protocol == Protocol.PARAMETER_STUDY]
        databases = dict.fromkeys(record.database for record in records)
        photos = {
            record.source.configuration.get("labelled_photos")
            for record in records
            if isinstance(record.source, Measured)
        } - {None}
        after = f", after fine-tuning on {'/'.join(map(str, sorted(photos)))} photos" if photos else ""
        sentences.append(f"{plain(run.name)}: {plain(', '.join(databases))}{after}.")
    return " ".join(sentences)


def adaptation_view(runs: Sequence[RunSummary], controls: Any) -> None:
    """Show SROCC on held-out photos over the number of labelled photos, by starting point."""
    st.write(
        "How few photos that people rated does a model need to learn from? SROCC on other photos of the same database, "
        "by the number of rated photos that the model was fine-tuned on and by the weights that it started from."
    )
    with controls, st.popover("Runs", icon=":material/tune:"):
        own = choose_runs(runs, Protocol.ADAPTATION_CURVE)
    points = _points(own, Protocol.ADAPTATION_CURVE, "labelled_photos", "start")
    if points.empty:
        empty_state(
            "Adaptation curves compare the meta-learned prior with Baseline and plain ImageNet weights.",
            "python -m metaiqa_core adaptation-curve --database DIR --start NAME=MODEL --run-dir runs/NAME",
        )
        return
    plainest = _plainest(points)
    says = _adaptation_in_words(points)
    chart(
        charts.curves(
            points,
            "labelled_photos",
            "Labelled photos",
            "Adaptation: SROCC over labelled photos",
            logarithmic=True,
            gain_over=plainest,
        ),
        "adaptation",
        f"SROCC over labelled photos by starting point, and below how far each is ahead of {plainest}. {says}",
        ExportTable(points.set_index("series"), "series", "Adaptation curves"),
        says=says,
    )
    st.caption(
        f"Above: a line joins the means of one starting point in one run; a faint point is one split. Below: how far a "
        f"mean lies above that of {plain(plainest)} in the same run. Compare starting points within a run: another run "
        "has other settings."
    )


def _adaptation_in_words(points: pd.DataFrame) -> str:
    """Compare the starts within the run that begins with the fewest photos: other runs have other settings."""
    fewest = points["labelled_photos"].min()
    run = points.loc[points["labelled_photos"] == fewest, "run"].iloc[0]
    own = points[points["run"] == run]
    sentence = conclusions.curves_end(own.assign(series=own["name"]), "labelled_photos", "labelled photos")
    return sentence if points["run"].nunique() == 1 else f"{run}: {sentence[:1].lower()}{sentence[1:]}"


def _plainest(points: pd.DataFrame) -> str:
    """Return the start that the others are compared with: plain ImageNet weights, or the one that begins lowest."""
    names = points["name"].unique()
    if imagenet := [name for name in names if "imagenet" in name.casefold()]:
        return str(imagenet[0])
    fewest = points[points["labelled_photos"] == points["labelled_photos"].min()]
    return str(fewest.groupby("name")["value"].mean().idxmin())


def choose_runs(runs: Sequence[RunSummary], *protocols: Protocol) -> list[Run]:
    """Let the user choose among the runs that hold records of the protocols."""
    found = data.runs_with(runs, protocols)
    # A handful by default: two hundred series say nothing.
    return data.choose_runs(found, f"{protocols[0]}_runs", shown=4)


def labelled(runs: Sequence[Run], protocol: Protocol) -> list[ResultRecord]:
    """Return the runs' records of one protocol, each labelled with its run."""
    return [
        replace(record, label=f"{record.method} · {run.name}")
        for run in runs
        for record in run.records
        if record.protocol == protocol
    ]


def _points(runs: Sequence[Run], protocol: Protocol, x: str, series: str) -> pd.DataFrame:
    """Return one row a measurement; a series is one value of the other parameter in one run."""
    rows = []
    for run in runs:
        for record in run.records:
            source = record.source
            if record.protocol != protocol or record.metric != "srocc" or not isinstance(source, Measured):
                continue
            if isinstance(value := source.configuration.get(x), int):
                name = source.configuration.get(series, "")
                name = f"S = {name}" if series == "inner_steps" else f"k = {name}" if series == "k" else str(name)
                label = f"{name} · {run.name}" if len(runs) > 1 else name
                row = {"series": label, "name": name, "run": run.name, x: value}
                rows.append({**row, "seed": source.seed, "value": record.value})
    points = pd.DataFrame(rows, columns=["series", "name", "run", x, "seed", "value"])
    # A series with a single point is the other study's fixed setting, not a curve.
    return points[points.groupby("series")[x].transform("nunique") > 1].sort_values(["series", x])


def _seed(record: ResultRecord) -> int:
    return record.source.seed if isinstance(record.source, Measured) else 0
