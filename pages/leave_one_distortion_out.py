"""Leave-one-distortion-out: the paper's Table 2 as an explorer, with room for one's own runs."""

from itertools import chain

import streamlit as st

from metaiqa_core.results import published, summaries
from metaiqa_core.results.records import Protocol
from pages.benchmarks import data, distortion_views, linked_runs, my_results, widgets
from pages.benchmarks.ceiling_view import ceiling_view
from pages.benchmarks.distortion_views import ShownTable
from pages.benchmarks.training_length_view import training_length_view
from pages.shared import frame, skipped_results
from pages.shared.terms import TERMS

frame.ensure()

VIEWS = {
    "Heat map": distortion_views.heat_map_view,
    "One type": distortion_views.one_type_view,
    "Ranks": distortion_views.rank_view,
    "Differences": distortion_views.difference_view,
    "Training length": training_length_view,
    "Ceiling": ceiling_view,
    "Averages": distortion_views.average_view,
}

st.title("Leave-one-distortion-out", anchor=False)
st.markdown(
    "How well does a method judge a kind of distortion that it has never seen? It learns from all types of a database "
    "but one and is judged on that one. Numbers are from the paper (Zhu et al., CVPR 2020, Table 2) unless marked "
    "otherwise; they are SROCC.",
    help=f"SROCC: {TERMS['SROCC']}",
)

controls = st.container(key="result_controls", horizontal=True, vertical_alignment="bottom", gap="small")
with controls:
    database = st.segmented_control(
        "Database", ["TID2013", "KADID-10k"], default="TID2013", required=True, key="database", bind="query-params"
    )
    view = st.segmented_control(
        "View", list(VIEWS), default="Heat map", required=True, key="view", bind="query-params", wrap=True
    )
    more = st.popover("Filter and compare", icon=":material/tune:")
types = published.distortion_types(database)
runs, problems = data.own_runs()
linked_runs.tell_missing([run.name for run in runs], "leave_one_distortion_out")
runs = data.runs_with(runs, [Protocol.LEAVE_ONE_DISTORTION_OUT], data.imitations(database))
with more:
    families = st.pills(
        "Distortion families",
        list(dict.fromkeys(entry.family for entry in types)),
        selection_mode="multi",
        key="family",
        bind="query-params",
        help="None chosen shows all.",
        wrap=True,
    )
    chosen = data.choose_runs(runs, "runs", shown=1)
    mine = my_results.choose(database)
my_results.tell(mine)

printed = [record for record in published.leave_one_distortion_out() if record.database == database]
columns = data.columns_of(database, printed, chosen, mine.records)
rows = [entry.abbreviation for entry in types if view == "Averages" or not families or entry.family in families]
table = summaries.by_type(chain.from_iterable(columns.values()), rows, list(columns))
VIEWS[view](ShownTable(table, columns, database, mine), controls)

skipped_results.show(problems)
if not runs:
    widgets.empty_state(
        "Your own runs appear here as further columns, with intervals, scatter plots and worst images.",
        "python -m metaiqa_core leave-one-out --database DIR --run-dir runs/NAME",
    )
