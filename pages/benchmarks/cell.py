"""Details of one number: its source, and for own runs the predictions, the residuals and the worst images."""

import pandas as pd
import streamlit as st

from metaiqa_core.errors import MetaIQAError
from metaiqa_core.foreign_text import path_from_text
from metaiqa_core.results import export, published
from metaiqa_core.results.records import Measured, Published, ResultRecord
from metaiqa_core.settings import read_settings
from pages.benchmarks import data
from pages.benchmarks.examples import distortion_key, show_levels
from pages.benchmarks.prediction_charts import predictions_scatter, residuals_histogram
from pages.benchmarks.widgets import ExportTable, chart
from pages.shared import lab_link
from pages.shared.plain import plain

_WORST = 5


def show_cell(
    records: list[ResultRecord], abbreviation: str, label: str, database: str, ranked: pd.Series | None
) -> None:
    """Show the details of a cell of the leave-one-distortion-out table.

    Args:
        records: Records of the cell: one, or one a seed; empty where it was not measured.
        abbreviation: Abbreviation of the distortion type.
        label: Label of the column.
        database: Name of the database whose table is shown.
        ranked: Values that this cell is ranked among, by label; None for no rank.
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
        position = st.selectbox("Seed", range(len(records)), format_func=lambda i: str(seeds[i]), key="cell_seed")
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
            st.metric(name, fact, width="content")
    st.write(
        f"{entry.name}: type {entry.id} of {database}, family {entry.family}. "
        f"This number is **{plain(str(record.source))}**."
    )
    if isinstance(record.source, Published):
        st.caption(
            f"{record.method}: {published.methods()[record.method].reference}. Per-image predictions are not "
            "published, so there is no scatter plot and no test of significance."
        )
    if isinstance(record.source, Measured):
        show_predictions(record)
    show_levels(database, abbreviation)
    lab_link.offer_distortion(distortion_key(database, abbreviation), key="cell_to_lab")


def show_predictions(record: ResultRecord) -> None:
    """Show the predictions behind a measured record, and how it was measured."""
    source = record.source
    if not isinstance(source, Measured):
        return
    try:
        predictions = data.predictions_of(record)
    except MetaIQAError as error:
        st.error(plain(str(error)))
        predictions = None
    if predictions is None:
        st.caption("No per-image predictions were kept for this number.")
    else:
        _show_agreement(predictions, record)
        _show_worst(predictions, source)
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
    left, right = st.columns(2)
    with left:
        chart(
            predictions_scatter(predictions, f"Model and people, {where}"),
            f"predictions-{name}",
            f"Scatter plot of {len(predictions)} predicted scores against opinion scores; SROCC {record.value:.3f}.",
            ExportTable(shown, "image", f"Predictions, {where}"),
        )
    with right:
        chart(
            residuals_histogram(predictions, f"Residuals, {where}"),
            f"residuals-{name}",
            f"Histogram of residuals: mean {residuals.mean():+.3f}, standard deviation {residuals.std():.3f}.",
            ExportTable(residuals.describe().to_frame("residual"), "statistic", f"Residuals, {where}"),
        )


def _show_worst(predictions: pd.DataFrame, source: Measured) -> None:
    """Show the images that the model judges least like people do; as photos where the database's folder is known."""
    predictions = predictions.assign(residual=predictions["predicted_score"] - predictions["opinion_score"])
    worst = predictions.loc[predictions["residual"].abs().sort_values(ascending=False).index].head(20)
    st.markdown("**Worst images**")
    folder = source.configuration.get("database_folder")
    if isinstance(folder, str):
        for column, (_, row) in zip(st.columns(_WORST), worst.head(_WORST).iterrows(), strict=False):
            path = path_from_text(folder) / path_from_text(row["image"])
            # A results file may come from elsewhere: only images inside the folder that it names are opened.
            is_inside = path.resolve().is_relative_to(path_from_text(folder).resolve())
            if is_inside and read_settings().allows(path) and path.is_file():
                caption = f"people {row['opinion_score']:.2f}, model {row['predicted_score']:.2f}"
                column.image(str(path), caption=caption, alt=f"{row['image']}: {caption}")
    score = st.column_config.NumberColumn
    st.dataframe(
        export.harmless(worst[["image", "level", "opinion_score", "predicted_score", "residual"]]),
        hide_index=True,
        height=220,
        column_config={
            "image": "Image",
            "level": "Level",
            "opinion_score": score("People", format="%.3f"),
            "predicted_score": score("Model", format="%.3f"),
            "residual": score("Residual", format="%+.3f"),
        },
        alt="The twenty images with the largest difference between predicted and opinion score.",
    )
