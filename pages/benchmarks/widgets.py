"""Widgets that the result pages share: charts with export, tables with export, upload, empty states."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from metaiqa_core.results import export
from pages.shared.palette import ACCENT, faint
from pages.shared.plain import plain

_TITLE_CHARACTERS = 38
"""Largest number of characters in a line of a chart's title: on a phone, a longer one would run into the camera."""
_TITLE_LINE = 21
"""Height of a line of a title, pixels."""


@dataclass(frozen=True)
class ExportTable:
    """The table behind a chart, as it is exported.

    Attributes:
        values: The numbers, filters applied.
        row_name: Heading of the row names.
        caption: Caption in LaTeX.
        best_along: Bold in LaTeX: the best of each row, of each column, or none.
        decimals: Digits in LaTeX; CSV has all.
    """

    values: pd.DataFrame
    row_name: str
    caption: str
    best_along: Literal["rows", "columns"] | None = None
    decimals: int = 4


def chart(
    figure: go.Figure,
    name: str,
    alt: str,
    table: ExportTable,
    *,
    says: str,
    on_select: Callable[[], None] | None = None,
) -> None:
    """Show what a chart says, the chart, and the export of it and of its table.

    Args:
        figure: Figure to show.
        name: File name without suffix; also the widget key.
        alt: Description of the chart for screen readers, one sentence.
        table: Table of the numbers in the chart.
        says: Conclusion of the chart, in a sentence or two that were computed from its numbers.
        on_select: Function to call when a point is clicked; the selection is in `st.session_state[name]`.
    """
    st.markdown(f"**{plain(says)}**")
    _wrap_title(figure)
    image_format = st.session_state.get(f"{name}_image", "PNG").lower()
    config: dict[str, Any] = {
        "displaylogo": False,
        "displayModeBar": True,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": image_format, "filename": name, "scale": 2 if image_format == "png" else 1},
    }
    if on_select:
        st.plotly_chart(figure, key=name, config=config, alt=alt, on_select=on_select, selection_mode="points")
    else:
        st.plotly_chart(figure, key=name, config=config, alt=alt)
    export_menu(name, table, figure)


def _wrap_title(figure: go.Figure) -> None:
    """Break a long title into lines, and give the chart the height that they take."""
    lines = wrap(figure.layout.title.text or "", _TITLE_CHARACTERS, break_long_words=False, break_on_hyphens=False)
    if len(lines) > 1:
        more = _TITLE_LINE * (len(lines) - 1)
        figure.update_layout(
            title_text="<br>".join(lines),
            height=figure.layout.height + more,
            margin_t=figure.layout.margin.t + more,
        )


def results_table(
    table: pd.DataFrame, key: str, alt: str, *, form: str = "{:.3f}", shade_best_of: Collection[str] = ()
) -> None:
    """Show a small table that fits a phone: names break into lines, and nothing has to be scrolled.

    Args:
        table: Numbers and words; the names of rows may be anybody's text.
        key: Key of the table's place, `results_table` and what look.css needs to know.
        alt: Description for screen readers, one sentence.
        form: Format of the numbers; NaN becomes a dash.
        shade_best_of: Names of the rows of which the best of each column is shaded.
    """
    names: list[str] = []
    for name in map(plain, map(str, table.index)):
        # Two names may be the same once they are on one line, and a styled table refuses that: an invisible letter.
        names.append(name + "\u2060" * (len(names) + 1) if name in names else name)
    shown = table.set_axis(names, axis=0)
    style = shown.style.format(form, subset=shown.select_dtypes("float").columns, na_rep="–")
    if shade_best_of:
        ranked = [name for name, given in zip(names, table.index, strict=True) if given in shade_best_of]
        rows = pd.IndexSlice[ranked, :]
        style = style.highlight_max(axis=0, subset=rows, props=f"background-color: {faint(ACCENT, 0.27)}")
    with st.container(key=key):
        st.table(style, alt=alt)


def export_menu(name: str, table: ExportTable, figure: go.Figure | None = None) -> None:
    """Offer a table as CSV and LaTeX, and a chart as HTML, PNG or SVG; nothing leaves the machine."""
    latex = export.to_latex(
        table.values,
        table.row_name,
        caption=table.caption,
        label=f"tab:{name}",
        best_along=table.best_along,
        decimals=table.decimals,
    )
    with st.popover("Export"):
        st.caption("The table as shown, filters applied.")
        _download("Table as CSV", export.to_csv(table.values, table.row_name), f"{name}.csv", "text/csv")
        _download("Table as LaTeX", latex, f"{name}.tex", "application/x-tex")
        if figure is None:
            return
        # Built only when asked for: a page with plotly.js inside has five megabytes.
        _download("Chart as HTML", lambda: _standalone(figure), f"{name}.html", "text/html")
        st.segmented_control(
            "Chart as image",
            ["PNG", "SVG"],
            default="PNG",
            key=f"{name}_image",
            required=True,
            help="What the camera button in the chart's corner saves.",
        )


def _standalone(figure: go.Figure) -> bytes:
    """Return a page that opens without a network, in a look of its own: the app's theme stays in the app."""
    figure = go.Figure(figure).update_layout(template="plotly_white").update_xaxes(automargin=True)
    return figure.update_yaxes(automargin=True).to_html(include_plotlyjs=True).encode()


def _download(label: str, data: str | Callable[[], bytes], file: str, kind: str) -> None:
    st.download_button(label, data, file, kind, key=f"download_{file}", on_click="ignore", width="stretch")


def empty_state(what: str, command: str) -> None:
    """Show the future content of an empty place, and the command that fills it."""
    with st.container(border=True):
        st.markdown(f"**No runs of your own yet.** {what}")
        st.code(command, language="bash", wrap_lines=True)
