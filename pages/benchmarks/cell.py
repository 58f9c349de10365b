"""Details of one number: its source, and for own runs the predictions, the residuals and the worst images."""

from pathlib import Path

import pandas as pd
import streamlit as st

from metaiqa_core.errors import MetaIQAError
from metaiqa_core.foreign_text import path_from_text
from metaiqa_core.results import published
from metaiqa_core.results.records import Measured, Published, ResultRecord, Scalar
from metaiqa_core.settings import read_settings
from pages.benchmarks import data
from pages.benchmarks.my_results import MyResults
from pages.benchmarks.widgets import ExportTable, chart
from pages.shared import lab_link, worst_photos
from pages.shared.distorted_levels import distortion_key, show_levels
from pages.shared.plain import plain
from pages.shared.prediction_charts import predictions_scatter, residuals_histogram
from pages.shared.terms import TERMS

_HELP = {
    "SROCC": TERMS["SROCC"],
    "95 % interval": TERMS["interval"],
    "Rank on this type": "Among the columns shown that were measured on this database; 1 is the best.",
}


def show_cell(
    records: list[ResultRecord],
    abbreviation: str,
    label: str,
    database: str,
    ranked: pd.Series | None,
    mine: MyResults,
) -> None:
    """Show the details of a cell of the leave-one-distortion-out table.

    Args:
        records: Records of the cell: one, or one a seed; empty where it was not measured.
        abbreviation: Abbreviation of the distortion type.
        label: Label of the column.
        database: Name of the database whose table is shown.
        ranked: Values that this cell is ranked among, by label; None for no rank.
        mine: Results that the visitor brought.
    """
    entry = next(entry for entry in published.distortion_types(database) if entry.abbreviation == abbreviation)
    st.subheader(plain(f"{abbreviation}, {label}"), anchor=False)
    if not records:
        st.info(plain(f"{label} was not measured on {abbreviation}."))
        lab_link.offer_distortion(distortion_key(database, abbreviation), key="cell_to_lab")
        return
    record = records[0]
    if len(records) > 1:
        seeds = [r.source.seed if isinstance(r.source, Measured) else None for r in records]
        places = range(len(records))
        position = st.selectbox(
            "Seed", places, format_func=lambda i: str(seeds[i]), key="cell_seed", bind="query-params"
        )
        record = records[position]
    facts = {"SROCC": f"{record.value:.4f}"}
    if ranked is not None:
        facts["Rank on this type"] = f"{ranked.rank(ascending=False)[label]:g} of {ranked.count()}"
    if record.interval:
        facts["95 % interval"] = f"{record.interval[0]:.3f} to {record.interval[1]:.3f}"
    if record.n:
        facts["Images"] = f"{record.n:,}"
    with st.container(horizontal=True, gap="medium"):
        for name, fact in facts.items():
            st.metric(name, fact, width="content", help=_HELP.get(name))
    st.write(
        f"{entry.name}: type {entry.id} of {database}, family {entry.family}. "
        f"This number is **{plain(str(record.source))}**."
    )
    if isinstance(record.source, Published):
        st.caption(
            f"{record.method}: {published.methods()[record.method].reference}. Per-image predictions are not "
            "published, so there is no scatter plot and no test of significance."
        )
    if not isinstance(record.source, Published):
        show_predictions(record, mine)
    show_levels(database, abbreviation)
    lab_link.offer_distortion(distortion_key(database, abbreviation), key="cell_to_lab")


def show_predictions(record: ResultRecord, mine: MyResults | None = None) -> None:
    """Show the predictions behind a record of a run or an upload, and how it was measured."""
    source = record.source
    try:
        predictions = data.predictions_of(record, mine)
    except MetaIQAError as error:
        st.error(plain(str(error)))
        predictions = None
    if predictions is None:
        st.caption("No per-image predictions were kept for this number.")
    else:
        _show_agreement(predictions, record)
        _show_worst(predictions, source.configuration.get("database_folder") if isinstance(source, Measured) else None)
    if not isinstance(source, Measured):
        return
    with st.expander("How it was measured"):
        facts = {
            "run": source.run,
            "model (SHA-256)": source.model_hash,
            "seed": source.seed,
            "split (hash)": source.split_hash,
            "date": source.date,
            "code version": source.code_version,
            **{f"configuration: {name}": value for name, value in source.configuration.items()},
        }
        st.table(pd.Series({plain(name): plain(str(value)) for name, value in facts.items()}, name="value"))


def _show_agreement(predictions: pd.DataFrame, record: ResultRecord) -> None:
    where = record.distortion_type or record.database
    name = f"{record.database}-{where}-{record.method}".lower().replace(" ", "-")
    residuals = predictions["predicted_score"] - predictions["opinion_score"]
    shown = predictions.assign(residual=residuals).set_index("image")
    kind, mean = "kinder" if residuals.mean() > 0 else "stricter", abs(residuals.mean())
    left, right = st.tabs(["Model and people", "Residuals"])
    with left:
        chart(
            predictions_scatter(predictions, f"Model and people, {where}"),
            f"predictions-{name}",
            f"Scatter plot of {len(predictions)} predicted scores against opinion scores; SROCC {record.value:.3f}.",
            ExportTable(shown, "image", f"Predictions, {where}"),
            says=f"SROCC {record.value:.3f} over {len(predictions):,} images. On the dotted line, model and people "
            "give the same score.",
        )
    with right:
        chart(
            residuals_histogram(predictions, f"Residuals, {where}"),
            f"residuals-{name}",
            f"Histogram of residuals: mean {residuals.mean():+.3f}, standard deviation {residuals.std():.3f}.",
            ExportTable(residuals.describe().to_frame("residual"), "statistic", f"Residuals, {where}"),
            says=f"On average the model is {mean:.3f} {kind} than people (standard deviation {residuals.std():.3f}).",
        )


def _show_worst(predictions: pd.DataFrame, folder: Scalar) -> None:
    """Show the images that the model judges least like people do; as photos where the database's folder is known."""
    paths: list[Path] = []
    if isinstance(folder, str):
        inside = path_from_text(folder).resolve()
        paths = [inside / path_from_text(name) for name in predictions["image"]]
        # A results file may come from elsewhere: only images inside the folder that it names are opened.
        if not all(path.resolve().is_relative_to(inside) and read_settings().allows(path) for path in paths):
            paths = []
    worst_photos.show(predictions, paths, "The images on which model and people differ most")
    if not paths:
        st.caption(
            "Their pictures are shown where the database lies on this computer in the folder that the run names."
        )
