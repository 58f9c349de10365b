"""Authentic databases and ablation: the paper's Tables 3 and 4, its parameter study, and adaptation curves."""

import streamlit as st

from pages.benchmarks import authentic_views, comparison_view, data, own_run_views, widgets
from pages.shared import frame, skipped_results

frame.ensure()

VIEWS = {
    "Ablation": authentic_views.ablation_view,
    "Repeats": own_run_views.repeats_view,
    "Parameter study": own_run_views.parameter_view,
    "Adaptation": own_run_views.adaptation_view,
    "Graph model": comparison_view.comparison_view,
}

st.title("Authentic databases and ablation", anchor=False)
st.write(
    "Photos as cameras and phones really make them. Methods are fine-tuned on one part of a database and judged on the "
    "rest. Numbers are correlations with people (1 = perfect), reported in the paper (Zhu et al., CVPR 2020) unless "
    "marked otherwise."
)
runs, problems = data.own_runs()
skipped_results.show(problems)
view = st.segmented_control(
    "View", ["Methods", *VIEWS], default="Methods", required=True, key="view", bind="query-params"
)
if view == "Methods":
    authentic_views.methods_view(runs, widgets.compare_with_mine())
else:
    VIEWS[view](runs)
