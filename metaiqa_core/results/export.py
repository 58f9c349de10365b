"""Tables for papers and spreadsheets: CSV, and LaTeX with booktabs and the best value in bold."""

import csv
import math
import re
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from metaiqa_core.foreign_text import csv_text, printable

_ESCAPES = {
    "\\": r"\textbackslash{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def to_csv(table: pd.DataFrame, row_name: str | None = None, decimals: int | None = None) -> str:
    """Return the table as CSV; missing cells are empty, column levels joined by a space, texts written by `csv_text`.

    Args:
        table: Table of numbers or texts.
        row_name: Heading of the row names; None leaves the row names out.
        decimals: Number of digits after the point; all digits by default.
    """
    flat = table.copy()
    flat.columns = [_joined(column) for column in table.columns]
    write = partial(
        harmless(flat).to_csv,
        index=row_name is not None,
        index_label=None if row_name is None else csv_text(row_name),
        float_format=None if decimals is None else f"%.{decimals}f",
        lineterminator="\n",
    )
    written = write()
    # Python before 3.13 leaves a lone carriage return without quotes, and a reader would see a new row.
    return write(quoting=csv.QUOTE_NONNUMERIC) if "\r" in written else written


def harmless(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts, headings included, no spreadsheet runs as formulas: see `csv_text`.

    A table on a page needs this as well, since its readers can save it as CSV.
    """
    changed = table.copy()
    for position, kind in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            changed.isetitem(position, table.iloc[:, position].map(_harmless))
    for axis in (0, 1):
        labels = table.axes[axis]
        if not isinstance(labels, pd.RangeIndex):
            changed = changed.set_axis(labels.map(_harmless), axis=axis)
    return changed


def to_latex(
    table: pd.DataFrame,
    row_name: str,
    *,
    caption: str,
    label: str,
    best_along: Literal["rows", "columns"] | None = "rows",
    decimals: int = 3,
    missing: str = "--",
) -> str:
    """Return a LaTeX `table` for the booktabs package.

    Args:
        table: Table of numbers, NaN where missing; texts are printed as they are.
        row_name: Heading of the row names.
        caption: Caption, plain text.
        label: Label, plain text.
        best_along: Direction along which the largest value, with all its ties, is set in bold: each row, or each
            column; None for no bold.
        decimals: Number of digits after the point. Ties are judged on the unrounded values.
        missing: Text printed where a value is missing.
    """
    numbers = table.apply(pd.to_numeric, errors="coerce")
    if best_along == "rows":
        bold = numbers.eq(numbers.max(axis=1), axis=0)
    elif best_along == "columns":
        bold = numbers.eq(numbers.max(axis=0), axis=1)
    else:
        bold = numbers.notna() & False
    rows = [escape(str(row)) for row in table.index]  # repeated where a series has several points; a Styler takes none
    printed = table.set_axis(range(len(rows)), axis="index")
    printed = printed.set_axis([escape(_joined(column)) for column in table.columns], axis="columns")
    printed.columns.name = escape(row_name)  # pandas prints it in the corner
    styled = printed.style.format(lambda value: _cell(value, decimals, missing)).format_index(rows.__getitem__)
    styled = styled.apply(lambda _: np.where(bold, "textbf: --rwrap", ""), axis=None)
    written = styled.to_latex(
        column_format="l" + "r" * table.shape[1],
        position_float="centering",
        hrules=True,
        caption=escape(caption),
        label=re.sub(r"[^A-Za-z0-9:._-]", "-", label),
    )
    return r"% needs \usepackage{booktabs}" + "\n" + _fitted(written)


def _fitted(written: str) -> str:
    """Let a table shrink to the page where it is wider or higher; a small one keeps its size."""
    begin, end = r"\begin{tabular}", r"\end{tabular}"
    box = r"\begin{adjustbox}{max width=\textwidth, max totalheight=0.9\textheight}"
    written = written.replace(begin, f"{box}\n{begin}", 1).replace(end, f"{end}\n\\end{{adjustbox}}", 1)
    return r"% needs \usepackage{adjustbox}, or take the lines of adjustbox away" + "\n" + written


def escape(text: str) -> str:
    r"""Escape LaTeX's special characters, and write the text on one line.

    >>> escape("50 % of A_1")
    '50 \\% of A\\_1'
    """
    return "".join(_ESCAPES.get(character, character) for character in printable(" ".join(text.split())))


def _cell(value: object, decimals: int, missing: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return missing
    if isinstance(value, float):
        text = f"{value:.{decimals}f}"
        return f"${text}$" if text.startswith("-") else text  # or LaTeX prints a hyphen instead of a minus sign
    return escape(str(value))


def _joined(column: object) -> str:
    return " ".join(str(part) for part in column) if isinstance(column, tuple) else str(column)


def _harmless(value: object) -> object:
    if isinstance(value, tuple):  # the name of a column under another one
        return tuple(map(_harmless, value))
    return csv_text(value) if isinstance(value, str) else value
