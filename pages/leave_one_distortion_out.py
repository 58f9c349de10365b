"""Leave-one-distortion-out: the paper's Table 2 as an explorer, with room for one's own runs."""

from itertools import chain

import streamlit as st

from metaiqa_core.results import published, summaries
from metaiqa_core.results.records import Protocol
from pages.benchmarks import data, distortion_views, widgets
from pages.shared import frame, skipped_results

frame.ensure()

VIEWS = {
    "Heat map": distortion_views.heat_map_view,
    "One type": distortion_views.one_type_view,
    "Ranks": distortion_views.rank_view,
    "Differences": distortion_views.difference_view,
    "Averages": distortion_views.average_view,
}

st.title("Leave-one-distortion-out", anchor=False)
st.write(
    "Train on all distortion types of a database but one, test on that one: how well does a method judge a distortion "
    "that it has never seen? Numbers are SROCC, rank agreement with people (1 = perfect). "
    "Reported in the paper (Zhu et al., CVPR 2020, Table 2) unless marked otherwise."
)

left, right = st.columns([1, 2])
with left:
    database = st.segmented_control(
        "Database", ["TID2013", "KADID-10k"], default="TID2013", required=True, key="database", bind="query-params"
    )
types = published.distortion_types(database)
with right:
    families = st.pills(
        "Distortion families",
        list(dict.fromkeys(entry.family for entry in types)),
        selection_mode="multi",
        key="family",
        bind="query-params",
        help="None chosen shows all.",
        wrap=True,
    )

runs, problems = data.own_runs()
skipped_results.show(problems)
runs = data.runs_with(runs, [Protocol.LEAVE_ONE_DISTORTION_OUT], data.imitations(database))
chosen = data.choose_runs(runs, "runs", shown=1)
uploaded = widgets.compare_with_mine()

view = st.segmented_control("View", list(VIEWS), default="Heat map", required=True, key="view", bind="query-params")
printed = [record for record in published.leave_one_distortion_out() if record.database == database]
columns = data.columns_of(database, printed, chosen, uploaded)
rows = [entry.abbreviation for entry in types if view == "Averages" or not families or entry.family in families]
table = summaries.by_type(chain.from_iterable(columns.values()), rows, list(columns))
VIEWS[view](table, columns, database)

if not runs:
    widgets.empty_state(
        "Your own runs appear here as further columns, with intervals, scatter plots and worst images.",
        "python -m metaiqa_core leave-one-out --database DIR --run-dir runs/NAME",
    )
