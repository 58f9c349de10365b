"""Authentic databases and ablation: the paper's Tables 3 and 4, its parameter study, and adaptation curves."""

import streamlit as st

from pages.benchmarks import authentic_views, comparison_view, data, linked_runs, official_test_view, own_run_views
from pages.shared import frame, skipped_results
from pages.shared.terms import TERMS

frame.ensure()

VIEWS = {
    "Methods": authentic_views.methods_view,
    "BIQ2021": official_test_view.official_test_view,
    "Ablation": authentic_views.ablation_view,
    "Repeats": own_run_views.repeats_view,
    "Parameter study": own_run_views.parameter_view,
    "Adaptation": own_run_views.adaptation_view,
    "Graph model": comparison_view.comparison_view,
}

st.title("Authentic databases and ablation", anchor=False)
st.markdown(
    "Photos as cameras and phones really make them. Methods are fine-tuned on one part of a database and judged on the "
    "rest. Numbers are correlations with people, from the paper (Zhu et al., CVPR 2020) unless marked otherwise.",
    help=f"SROCC: {TERMS['SROCC']}  \nPLCC: {TERMS['PLCC']}",
)
runs, problems = data.own_runs()
linked_runs.tell_missing([run.name for run in runs], "authentic_databases")
controls = st.container(key="result_controls", horizontal=True, vertical_alignment="bottom", gap="small")
with controls:
    view = st.segmented_control(
        "View", list(VIEWS), default="Methods", required=True, key="view", bind="query-params", wrap=True
    )
VIEWS[view](runs, controls)
skipped_results.show(problems)
