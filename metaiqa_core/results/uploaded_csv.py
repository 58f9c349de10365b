"""The rows of a CSV table that somebody uploads, each with its line and one cell for each column, or refused.

A row with more or fewer cells than the header has them in other columns than their own: numbers would be misread.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from metaiqa_core.errors import ResultsError
from metaiqa_core.foreign_text import text_from_csv


@dataclass(frozen=True, slots=True)
class UploadedRow:
    """One row of a table.

    Attributes:
        line: Line of the file in which the row ends, from 1.
        cells: Texts of the cells without the spaces around them, one for each column unless there is a problem.
        problem: What is wrong with a row that has another number of cells than the header; empty for nothing.
    """

    line: int
    cells: tuple[str, ...]
    problem: str = ""


def read_uploaded_csv(content: bytes, file: str) -> tuple[list[str], list[UploadedRow]]:
    """Read a CSV table.

    Rows without any text are left out. So are empty cells behind the last column, which spreadsheets write: no other
    cell is moved by them.

    Args:
        content: Bytes of the file: UTF-8, comma- or semicolon-separated, with a header.
        file: Name of the file, for messages.

    Returns:
        The names of the columns in lower case, and the rows below them.

    Raises:
        ResultsError: If the text is no CSV table in UTF-8, or two of its columns have one name.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ResultsError(f"{file} is not UTF-8 text (byte {error.start}); save it as CSV UTF-8.") from None
    header = text.partition("\n")[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        texts = ((reader.line_num, [text_from_csv(cell.strip()) for cell in cells]) for cells in reader)
        rows = [(line, cells) for line, cells in texts if any(cells)]
    except csv.Error as error:
        raise ResultsError(f"{file} is not a CSV table: {error}, in line {reader.line_num}.") from None
    names = [name.lower() for name in _without_empty_end(rows[0][1])] if rows else []
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise ResultsError(
            f"{file} has two columns called {twice[0]:.60}, and only one can be meant: delete the other."
        )
    return names, [_row(line, cells, len(names), separator) for line, cells in rows[1:]]


def _row(line: int, cells: Sequence[str], expected: int, separator: str) -> UploadedRow:
    extra = _without_empty_end(cells[expected:])
    cells = (*cells[:expected], *extra)
    if len(cells) == expected:
        return UploadedRow(line, cells)
    problem = (
        f"it has {len(cells)} cell{'s' * (len(cells) > 1)}, and the header has {expected}: give each column one, a "
        f"number a point as decimal sign, and a text that holds {separator!r} quotes."
    )
    return UploadedRow(line, cells, problem)


def _without_empty_end(cells: Sequence[str]) -> Sequence[str]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]
