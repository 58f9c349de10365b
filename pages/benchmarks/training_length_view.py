"""The average of leave-one-distortion-out over the length of training: what more of it would give."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
import streamlit as st

from metaiqa_core.errors import ResultsError
from metaiqa_core.results import conclusions, published
from metaiqa_core.results.records import Measured, Protocol
from metaiqa_core.results.storage import Run
from pages.benchmarks import data
from pages.benchmarks.authentic_charts import curves
from pages.benchmarks.distortion_views import ShownTable
from pages.benchmarks.widgets import ExportTable, chart, empty_state
from pages.shared.plain import plain

_COLUMNS = ["series", "name", "run", "image_passes", "seed", "value"]


def training_length_view(shown: ShownTable, controls: Any) -> None:
    """Show the average over all types by the image passes of a fold, from all measured runs that say theirs."""
    found, _ = data.own_runs()
    runs = []
    for summary in data.runs_with(found, [Protocol.LEAVE_ONE_DISTORTION_OUT], data.imitations(shown.database)):
        try:
            runs.append(data.read_run(summary.folder))
        except ResultsError as error:
            st.warning(plain(str(error)))
    types = len(published.distortion_types(shown.database))
    points = averages_by_passes(runs, data.imitations(shown.database), types)
    if points.empty:
        empty_state(
            f"Runs that hold out all {types} types with different numbers of epochs are joined to a curve here.",
            "python -m metaiqa_core leave-one-out --database DIR --epochs N --run-dir runs/NAME",
        )
        return
    says = conclusions.curves_end(points, "image_passes", "image passes")
    chart(
        curves(points, "image_passes", "Image passes of a fold", "Average SROCC over the length of training",
               logarithmic=True),
        f"training-length-{shown.database.lower()}",
        f"Average SROCC over all {types} types by the image passes of a fold. {says}",
        ExportTable(points.set_index("series"), "series", "Average over the length of training"),
        says=says,
    )  # fmt: skip
    names = dict.fromkeys(record.database for run in runs for record in run.records)
    st.caption(
        f"Measured on {plain(' and '.join(names))}, one point a seed; the lines join the means of runs that differ in "
        "length alone. A run of any length needs all its training: no point is an intermediate state of another."
    )


def averages_by_passes(runs: Iterable[Run], databases: list[str], types: int) -> pd.DataFrame:
    """Return the average SROCC of each run, method and seed that held out every type, with the image passes of a fold.

    Args:
        runs: Runs; those that do not say their image passes are left out.
        databases: Names of the databases that count.
        types: Number of distortion types of these.

    Returns:
        Table with the columns that `curves` draws. `run` is what the runs of a curve share: their start.
    """
    rows = []
    for run in runs:
        for record in run.records:
            source = record.source
            if record.protocol != Protocol.LEAVE_ONE_DISTORTION_OUT or record.metric != "srocc":
                continue
            if record.database not in databases or not isinstance(source, Measured):
                continue
            if isinstance(passes := source.configuration.get("image_passes"), int):
                start = str(source.configuration.get("start", ""))
                rows.append([record.method, start, passes, source.seed, record.distortion_type, record.value])
    cells = pd.DataFrame(rows, columns=["name", "run", "image_passes", "seed", "type", "value"])
    groups = cells.groupby(["name", "run", "image_passes", "seed"], sort=False)
    averages = groups.agg(value=("value", "mean"), types=("type", "nunique")).reset_index()
    averages = averages[averages["types"] == types]
    several = averages["run"].nunique() > 1
    averages["series"] = averages["name"] + (" · " + averages["run"] if several else "")
    return averages[_COLUMNS].sort_values(["series", "image_passes"], kind="stable")
