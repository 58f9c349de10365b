"""Tables for papers and spreadsheets: CSV, and LaTeX with booktabs and the best value in bold."""

import math
from typing import Literal

import numpy as np
import pandas as pd

_ESCAPES = {
    "\\": r"\textbackslash{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def to_csv(table: pd.DataFrame, row_name: str, decimals: int | None = None) -> str:
    """Return the table as CSV; missing cells are empty, column levels are joined by a space.

    Args:
        table: Any table of numbers or texts.
        row_name: Heading of the row names.
        decimals: Digits after the point; all digits by default.
    """
    flat = table.copy()
    flat.columns = [_joined(column) for column in table.columns]
    for column in flat:
        # A spreadsheet would run a text that starts like a formula.
        if not pd.api.types.is_numeric_dtype(flat[column]):
            flat[column] = [_harmless(value) for value in flat[column]]
    flat.index = [_harmless(row) for row in flat.index]
    return flat.to_csv(
        index_label=row_name, float_format=None if decimals is None else f"%.{decimals}f", lineterminator="\n"
    )


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
        table: Numbers, NaN where missing; texts are printed as they are.
        row_name: Heading of the row names.
        caption: Caption, plain text.
        label: Label, plain text.
        best_along: Set the largest value of each row, or of each column, in bold; ties all; None for no bold.
        decimals: Digits after the point. Ties are judged on the unrounded values.
        missing: Printed where a value is missing.
    """
    rows = [escape(str(row)) for row in table.index]
    columns = [escape(_joined(column)) for column in table.columns]
    # Numbered, because pandas styles no table in which a name comes twice, as a series of several points does.
    printed = table.set_axis(range(len(rows)), axis="index").set_axis(range(len(columns)), axis="columns")
    numbers = printed.apply(pd.to_numeric, errors="coerce")
    if best_along == "rows":
        bold = numbers.eq(numbers.max(axis=1), axis=0)
    elif best_along == "columns":
        bold = numbers.eq(numbers.max(axis=0), axis=1)
    else:
        bold = numbers.notna() & False
    printed.columns.name = escape(row_name)  # pandas prints it in the corner
    styled = printed.style.format(lambda value: _cell(value, decimals, missing))
    styled = styled.format_index(rows.__getitem__, axis="index").format_index(columns.__getitem__, axis="columns")
    styled = styled.apply(lambda _: np.where(bold, "textbf: --rwrap", ""), axis=None)
    return (
        r"% needs \usepackage{booktabs}"
        + "\n"
        + styled.to_latex(
            column_format="l" + "r" * table.shape[1],
            position_float="centering",
            hrules=True,
            caption=escape(caption),
            label=label,
        )
    )


def escape(text: str) -> str:
    r"""Escape LaTeX's special characters.

    >>> escape("50 % of A_1")
    '50 \\% of A\\_1'
    """
    return "".join(_ESCAPES.get(character, character) for character in text)


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
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value
