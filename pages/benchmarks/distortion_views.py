"""The views of the leave-one-distortion-out page, one function a view.

Widgets that filter carry `bind="query-params"`: the URL holds the current view.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st

from metaiqa_core.errors import MetaIQAError
from metaiqa_core.results import conclusions, export, published, summaries
from metaiqa_core.results.records import ResultRecord
from pages.benchmarks import data, tap
from pages.benchmarks import distortion_charts as charts
from pages.benchmarks.cell import show_cell
from pages.benchmarks.data import Columns
from pages.benchmarks.my_results import MyResults
from pages.benchmarks.widgets import ExportTable, chart, export_menu, results_table
from pages.shared.plain import plain, text_of_chart
from pages.shared.terms import TERMS

PAPER_METHOD = "MetaIQA"
NAME_WIDTH = 330
"""Width of a box that shows the longest name of a type, pixels."""
_COMPARED_METHOD = "WaDIQaM-NR"  # the best of the others on both databases
_SORT_HELP = "*value*: by the method of the open cell, best first; *difference*: by how far it is ahead of the other."


@dataclass(frozen=True, eq=False)
class ShownTable:
    """The table that the page shows.

    Attributes:
        values: SROCC by distortion type (rows) and method (columns).
        columns: Records behind each column.
        database: Name of the database.
        mine: Results that the visitor brought.
    """

    values: pd.DataFrame
    columns: Columns
    database: str
    mine: MyResults


def heat_map_view(shown: ShownTable, controls: Any) -> None:
    """Show all types by all methods; a click opens the details of a cell beside them."""
    table, database = shown.values, shown.database
    names, methods = _names(database), list(table.columns)
    with controls, st.popover("Show and sort", icon=":material/sort:"):
        kind = st.selectbox("Show", ["SROCC", "Difference to a method"], key="show", bind="query-params")
        order = st.selectbox(
            "Sort types by", ["type id", "value", "difference"], key="sort", bind="query-params", help=_SORT_HELP
        )
        reference = _choose_method("Method to compare with", "versus", methods, _COMPARED_METHOD)
    method = _chosen("method", methods, PAPER_METHOD)
    ordered = summaries.sort_types(table, database, order, method, reference)
    difference_to = reference if kind != "SROCC" else None
    drawn = ordered if difference_to is None else summaries.differences(ordered, reference)
    title = (
        f"SROCC on the held-out type, {database}" if difference_to is None else f"SROCC minus {reference}, {database}"
    )
    figure = charts.heat_map(
        drawn, names, title, _lines(shown.columns, database), difference_to=difference_to, about=_about(methods)
    )
    charts.mark_cell(figure, drawn, _chosen("type", list(names), next(iter(names)), names), method)
    spoken = method if method in _comparable(shown) else PAPER_METHOD
    best = _among(shown, conclusions.where_best(table[_comparable(shown)], spoken))
    says = f"{best} {conclusions.hardest(table, spoken)}"
    if difference_to is not None and method != reference:
        says = conclusions.ahead(table[method] - table[reference], method, reference)
    picture, details = st.columns([3, 2], gap="medium")
    with picture:
        chart(
            figure,
            "heat_map",
            f"Heat map of {len(drawn)} distortion types by {len(drawn.columns)} methods on {database}. {says}",
            ExportTable(drawn, "type", title, best_along="rows"),
            says=says,
            on_select=_open_clicked_cell,
        )
        _explain_star(shown)
        tap.select_by_one_tap()
        if order != "type id":
            st.caption(f"Sorted by {plain(method)}" + (f" minus {plain(reference)}." if order == "difference" else "."))
    with details:
        st.caption("Details of one cell: tap or click it, or choose it here.")
        row = _choose_type(list(names), names)
        method = _choose_method("Method", "method", methods, PAPER_METHOD)
        if row not in table.index:
            st.info(f"{row} is outside the chosen families.")
            return
        # A re-synthesis is another database: its numbers are shown beside, never ranked among.
        same = [label for label in methods if label == method or label in _comparable(shown)]
        ranked = table.loc[row, same] if method in _comparable(shown) else None
        records = [record for record in shown.columns[method] if record.distortion_type == row]
        show_cell(records, row, method, database, ranked, shown.mine)


def _open_clicked_cell() -> None:
    points = st.session_state["heat_map"]["selection"]["points"]
    if points:
        st.session_state["type"], st.session_state["method"] = (text_of_chart(points[0][axis]) for axis in "yx")


def one_type_view(shown: ShownTable, controls: Any) -> None:
    """Show all methods on one type."""
    database, names = shown.database, _names(shown.database)
    with controls:
        row = _choose_type(list(shown.values.index), names, width=NAME_WIDTH)
    cells = {label: [r for r in records if r.distortion_type == row] for label, records in shown.columns.items()}
    intervals = {label: cell[0].interval for label, cell in cells.items() if len(cell) == 1 and cell[0].interval}
    values = shown.values.loc[row]
    title = f"{names[row]} held out, {database}"
    says = _among(shown, conclusions.best_of_column(values[_comparable(shown)], "SROCC", names[row]))
    chart(
        charts.type_bars(values, title, intervals, PAPER_METHOD, about=_about(list(values.index))),
        f"{database}-{row}".lower(),
        f"Bars of SROCC by method on {names[row]}, {database}. {says}",
        ExportTable(values.to_frame("SROCC"), "method", title, best_along="columns"),
        says=says,
    )
    if intervals:
        st.caption(
            "Whiskers: 95 % bootstrap intervals of measured runs. The paper prints none.", help=TERMS["interval"]
        )
    if len(_comparable(shown)) < len(values):
        st.caption(
            f"Bars whose names end with another database were measured there, on a re-synthesis of {plain(database)}: "
            "they are not ranked among the others."
        )


def rank_view(shown: ShownTable, controls: Any) -> None:
    """Show the best method of each type, and on average."""
    database, columns, same = shown.database, shown.columns, _comparable(shown)
    if len(same) < len(shown.values.columns):
        st.caption(f"Only columns measured on {database} itself are ranked: a re-synthesis is another database.")
    table = shown.values[same]
    summary = summaries.ranking(table)
    leader = summary["best"].idxmax()
    above = f"{PAPER_METHOD} exceeds 0.9 on {summary.loc[PAPER_METHOD, 'above']} of {len(table)}."
    chart(
        charts.rank_map(
            summaries.ranks(table)[list(summary.index)],
            _names(database),
            f"Rank by type, {database} (1 = best)",
            _lines(columns, database),
        ),
        "ranks",
        f"Ranks of {len(same)} methods on {len(table)} types; {leader} is first on {summary['best'].max()}.",
        ExportTable(summary, "method", f"Ranking on {database}"),
        says=f"{conclusions.where_best(table, leader)} {above}",
    )
    number = st.column_config.NumberColumn
    whole = (summary["measured"] == len(table)).all()
    st.dataframe(
        export.harmless(summary.drop(columns="measured") if whole else summary),
        column_config={
            "average": number("SROCC", format="%.4f", help="Average over the types."),
            "average_rank": number("Rank", format="%.2f", help="Average over the types; 1 is the best."),
            "best": st.column_config.ProgressColumn(
                "Best on", min_value=0, max_value=len(table), format="%d", width="small", help="Number of types."
            ),
            "above": number("> 0.9", help="Number of types on which SROCC is above 0.9."),
            "measured": number("Types", help="Number of types that were measured."),
        },
        alt=f"Methods by average rank; {summary.index[0]} leads with {summary['average_rank'].iloc[0]:.2f}.",
    )


def difference_view(shown: ShownTable, controls: Any) -> None:
    """Show two methods type by type; significance where both kept predictions of the same images."""
    table, database = shown.values, shown.database
    # Names of methods with their runs are long: in the line of the controls, no select box would have room for one.
    left, right = st.columns(2)
    with left:
        first = _choose_method("Method", "method", list(table.columns), PAPER_METHOD)
    with right:
        second = _choose_method("Compared with", "versus", list(table.columns), _COMPARED_METHOD)
    if first == second:
        st.info("Choose two different methods.")
        return
    differences = (table[first] - table[second]).sort_values(ascending=False)
    intervals, notes = _paired_intervals(shown, first, second)
    wins, count = int((differences > 0).sum()), differences.count()
    exported = differences.to_frame("difference")
    if intervals:
        exported[["low", "high"]] = [intervals.get(row, (float("nan"), float("nan"))) for row in exported.index]
    chart(
        charts.difference_bars(differences, _names(database), first, second, intervals),
        "differences",
        f"{first} minus {second}: better on {wins} of {count} types, mean {differences.mean():+.3f}.",
        ExportTable(exported, "type", f"SROCC, {first} minus {second}, {database}"),
        says=conclusions.ahead(differences, first, second) if count else f"{first} and {second} share no type.",
    )
    if intervals:
        clear = sum(low > 0 or high < 0 for low, high in intervals.values())
        st.caption(
            f"Whiskers: 95 % intervals of a paired bootstrap over reference photos; {clear} of {len(intervals)} leave "
            "0 out, each looked at alone."
        )
    else:
        st.caption(
            "No significance is given: that needs predictions of the same images by both methods, from one seed each. "
            "The paper's methods have none; measured runs and uploaded predictions do."
        )
    for note in notes:
        st.warning(plain(note))
    databases = {label: _databases(shown.columns[label]) for label in (first, second)}
    if databases[first] != databases[second]:
        measured = "; ".join(f"{plain(label)} on {plain(where)}" for label, where in databases.items())
        st.caption(f"Measured on different databases ({measured}): part of a difference may come from these.")


def _databases(records: list[ResultRecord]) -> str:
    """Return the names of the databases that a column was measured on."""
    return " and ".join(dict.fromkeys(record.database for record in records))


def _paired_intervals(shown: ShownTable, first: str, second: str) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Return the paired interval of each type where both sides have predictions, and the failures."""
    intervals: dict[str, tuple[float, float]] = {}
    notes: list[str] = []
    for row in shown.values.index:
        cells = [[r for r in shown.columns[label] if r.distortion_type == row] for label in (first, second)]
        if not all(len(cell) == 1 for cell in cells):
            continue
        try:
            left, right = (data.predictions_of(cell[0], shown.mine) for cell in cells)
            if left is not None and right is not None:
                intervals[row] = data.compared(left, right).interval
        except MetaIQAError as error:
            notes.append(f"{row}: {error}")
    return intervals, notes[:3]


def average_view(shown: ShownTable, controls: Any) -> None:
    """Show the paper's averages, recomputed from its cells."""
    table, database = shown.values, shown.database
    printed = [record for record in published.printed_averages() if record.database == database]
    check = summaries.check_averages(table[[record.method for record in printed]], printed)
    wrong = list(check.index[~check["agrees"]])
    if wrong:
        st.warning(
            f"{plain(' and '.join(wrong))}: the printed average is not the mean of the printed column. "
            "This app shows the cells as printed and recomputes every average."
        )
    else:
        st.success("Every printed average is the mean of its column.")
    in_words = pd.DataFrame(
        {
            "Printed": check["printed"].map("{:.4f}".format),
            "Recomputed": check["recomputed"].map("{:.6f}".format),
            "Difference": check["difference"].map("{:+.6f}".format),
            "Agrees": check["agrees"].map({True: "yes", False: "no"}),
        }
    )
    results_table(
        in_words, "results_table_of_averages", f"Printed and recomputed averages on {database}; {len(wrong)} disagree."
    )
    averages = summaries.averages(table)
    own = averages.drop(check.index)
    if own.notna().any():
        st.caption("Average SROCC of the columns that are not from the paper:")
        results_table(
            own.dropna().to_frame("SROCC"), "results_table_of_own", "Averages of measured columns.", form="{:.4f}"
        )
    if partial := list(own.index[own.isna()]):
        st.caption(
            f"No average for {plain(', '.join(partial))}: some types are missing, and a mean of the rest would mislead."
        )
    export_menu(
        f"averages-{database.lower()}",
        ExportTable(check.astype({"agrees": str}), "method", f"Averages on {database}", decimals=6),
    )


def _names(database: str) -> Mapping[str, str]:
    return {entry.abbreviation: entry.name for entry in published.distortion_types(database)}


def _lines(columns: Columns, database: str) -> dict[str, list[str]]:
    """Return the label of each column in lines."""
    return {label: data.label_lines(records[0], database) for label, records in columns.items()}


def _explain_star(shown: ShownTable) -> None:
    """Say what the star above a column means, where there is one."""
    others = dict.fromkeys(r.database for records in shown.columns.values() for r in records)
    if names := [plain(name) for name in others if name != shown.database]:
        st.caption(f"\\* measured on {' and '.join(names)}, re-synthesised: not {plain(shown.database)}.")


def _is_on(records: list[ResultRecord], database: str) -> bool:
    return all(record.database == database for record in records)


def _comparable(shown: ShownTable) -> list[str]:
    """Return the columns that were measured on the database itself, which alone are ranked among each other."""
    return [label for label, records in shown.columns.items() if _is_on(records, shown.database)]


def _among(shown: ShownTable, best: str) -> str:
    """Return a sentence on the best one, led by whom it was compared with where other columns stand beside them."""
    is_clear = len(_comparable(shown)) == len(shown.columns) or best.startswith("No ")
    return best if is_clear else f"Of the methods measured on {shown.database} itself, {best}"


def _about(methods: Sequence[str]) -> dict[str, str]:
    """Return what stands behind each published method: its authors, venue and year."""
    known = published.methods()
    return {method: known[method].reference for method in methods if method in known}


def _in_words(abbreviation: str, names: Mapping[str, str]) -> str:
    return f"{abbreviation}: {names[abbreviation]}"


def _choose_type(types: list[str], names: Mapping[str, str], *, width: int | Literal["stretch"] = "stretch") -> str:
    return st.selectbox(
        "Distortion type",
        types,
        format_func=lambda entry: _in_words(entry, names),
        key="type",
        bind="query-params",
        width=width,
    )


def _choose_method(label: str, key: str, methods: list[str], default: str) -> str:
    index = methods.index(default) if default in methods else 0
    return st.selectbox(label, methods, index=index, key=key, bind="query-params", help=_methods_help(methods))


def _methods_help(methods: list[str]) -> str:
    return "  \n".join(f"{plain(method)}: {plain(reference)}." for method, reference in _about(methods).items())


def _chosen(key: str, options: list[str], default: str, names: Mapping[str, str] | None = None) -> str:
    """Return the value of a widget further down: its state, its value in the URL (as displayed), or its default."""
    in_url = {_in_words(option, names) if names else option: option for option in options}
    for value in (st.session_state.get(key), in_url.get(st.query_params.get(key, "")), default):
        if value in options:
            return value
    return options[0]
