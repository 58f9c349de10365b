"""Widgets that the result pages share: charts with export, tables with export, upload, empty states."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from metaiqa_core.results import export
from pages.shared.plain import plain


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
