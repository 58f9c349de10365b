"""The average of leave-one-distortion-out over the length of training: what more of it would give."""

import json
import re
from collections.abc import Iterable, Mapping
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

_COLUMNS = ["series", "name", "run", "database", "image_passes", "seed", "value"]
_LENGTH_OR_PLACE = (
    "image_passes",
    "epochs",
    "seed",
    "device",
    "database_folder",
    "start_hash",
    "short_side",
    "backbone",
)
"""Settings that runs of one curve may differ in: their length, where they ran, and what the start's name says."""
_NAMED_SETTINGS = 3
"""Most settings that a curve's name says."""


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
    says = f"{says} {conclusions.last_gain(points, 'image_passes', 'image passes')}".strip()
    chart(
        curves(points, "image_passes", "Image passes of a fold", "Average SROCC over the length of training",
               logarithmic=True),
        f"training-length-{shown.database.lower()}",
        f"Average SROCC over all {types} types by the image passes of a fold. {says}",
        ExportTable(points.drop(columns="run").set_index("series"), "series", "Average over the length of training"),
        says=says,
    )  # fmt: skip
    names = conclusions.listed(list(points["database"].unique()))
    st.caption(
        f"Measured on {plain(names)}, one point a seed; the lines join the means of runs that differ in length, and "
        "maybe in the number of seeds. A run of any length needs all its training: no point is an intermediate state "
        "of another."
    )


def averages_by_passes(runs: Iterable[Run], databases: list[str], types: int) -> pd.DataFrame:
    """Return the average SROCC of each run, method and seed that held out every type, with the image passes of a fold.

    Args:
        runs: Runs; those that do not say their image passes are left out.
        databases: Names of the databases that count.
        types: Number of distortion types of these.

    Returns:
        Table with the columns that `curves` draws, and the name of the database. `run` is what the runs of a curve
        share: all settings but the length. A curve's name says what sets it apart from the others.
    """
    rows, shared = [], {}
    for run in runs:
        for record in run.records:
            source = record.source
            if record.protocol != Protocol.LEAVE_ONE_DISTORTION_OUT or record.metric != "srocc":
                continue
            if record.database not in databases or not isinstance(source, Measured):
                continue
            if isinstance(passes := source.configuration.get("image_passes"), int):
                settings = {"database": record.database} | {
                    name: value for name, value in source.configuration.items() if name not in _LENGTH_OR_PLACE
                }
                key = json.dumps(settings, sort_keys=True, default=str)
                shared[key] = settings
                cell = (record.distortion_type, record.value)
                rows.append([record.method, key, record.database, passes, source.seed, *cell])
    cells = pd.DataFrame(rows, columns=["name", "run", "database", "image_passes", "seed", "type", "value"])
    groups = cells.groupby(["name", "run", "database", "image_passes", "seed"], sort=False)
    averages = groups.agg(value=("value", "mean"), types=("type", "nunique")).reset_index()
    averages = averages[averages["types"] == types]
    labels = what_differs({key: shared[key] for key in averages["run"].unique()})
    apart = averages["run"].map(labels).astype(str)
    averages["series"] = averages["name"] + apart.where(apart == "", " · " + apart)
    return averages[_COLUMNS].sort_values(["series", "image_passes"], kind="stable")


def what_differs(runs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return what sets each of several configurations apart from the others, in a few words; empty for one alone.

    Args:
        runs: Settings of each configuration, by any key.

    Example:
        {"a": "frozen stages 8", "b": "frozen stages 5"}
    """
    names = sorted({name for settings in runs.values() for name in settings}, key=lambda name: (name != "start", name))
    differing = [name for name in names if len({str(settings.get(name)) for settings in runs.values()}) > 1]
    starts = [_parts(str(settings.get("start", ""))) for settings in runs.values()]
    common = set(starts[0]).intersection(*starts[1:]) if starts else set()

    def words(name: str, settings: Mapping[str, Any]) -> str:
        value = str(settings.get(name, "–"))
        if name == "start":  # of its parts, those that other starts have not
            return ", ".join(part for part in _parts(value) if part not in common) or value
        return value if name == "database" else f"{name.replace('_', ' ')} {value}"

    labels = {}
    for key, settings in runs.items():
        further = len(differing) - _NAMED_SETTINGS
        parts = [words(name, settings) for name in differing[:_NAMED_SETTINGS]]
        labels[key] = ", ".join(parts) + (f" and {further} more" if further > 0 else "")
    return labels


def _parts(start: str) -> list[str]:
    """Return the parts of a start's name: a comma before a number goes on with a list of stages."""
    return re.split(r", (?!\d)", start)
