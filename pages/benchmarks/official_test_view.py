"""The view of BIQ2021's official test split: what others report, and what the shipped models reach there."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from metaiqa_core.results import conclusions, published, summaries
from metaiqa_core.results.storage import RunSummary
from pages.benchmarks import authentic_charts as charts
from pages.benchmarks.own_run_views import METRICS, choose_metric
from pages.benchmarks.shipped_models import on_biq2021
from pages.benchmarks.widgets import ExportTable, chart, results_table
from pages.shared.plain import plain


def official_test_view(runs: Sequence[RunSummary], controls: Any) -> None:
    """Show PLCC and SROCC of methods that learned from the training split and were judged on the test split."""
    with controls:
        metric = choose_metric()
    methods, shipped = published.biq2021_official_test(), on_biq2021()
    records = [record for _, found in methods for record in found]
    ours = [record for model in shipped for record in model.records]
    table = summaries.by_database([*records, *ours], ["BIQ2021"], list(METRICS.values()))["BIQ2021"]
    groups = {method.name: method.group for method, _ in methods} | {record.label: charts.SHIPPED for record in ours}
    references = {method.name: method.reference for method, _ in methods}
    values, title = table[METRICS[metric]], f"{metric} on BIQ2021's official test split"
    says = conclusions.best_of_column(values, metric, "BIQ2021's official test split")
    shown = table.rename(columns=str.upper)
    chart(
        charts.method_bars(values, groups, metric, title, references, apart=None),
        f"biq2021-{metric}".lower(),
        f"Bars of {title} by method. {says}",
        ExportTable(shown, "method", "BIQ2021, official test split", best_along="columns", decimals=3),
        says=says,
    )
    for model in shipped:
        st.caption(plain(model.source))
    st.caption(
        "BIQ2021's authors chose a training split of 10,000 photos and a test split of 2,000; the shipped model "
        "learned from 9,000 of the former, and from other databases too. 335 of the 2,000 belong to series of one "
        "scene, and 328 of these have a neighbour among the 10,000: for new scenes expect less."
    )
    results_table(shown, "results_table_of_biq2021", "PLCC and SROCC of each method; a dash means not reported.")
