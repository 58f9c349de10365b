"""Rows of a CSV file with named columns."""

import csv
from pathlib import Path

from metaiqa_core.errors import DatabaseError


def read_csv_rows(path: Path, columns: tuple[str, ...], expected: str) -> list[tuple[str, dict[str, str | None]]]:
    """Read a CSV file with a header; spaces around the names of columns, and after a comma, are no part of the text.

    Args:
        path: CSV file, UTF-8 with or without a byte order mark.
        columns: Names of the required columns; other columns are read as well.
        expected: Name of the expected kind of file in messages, such as "a CSV database".

    Returns:
        The place of each row ("dmos.csv, line 3") and its cells by column; a cell is None where the row ends early.

    Raises:
        DatabaseError: If the file cannot be read, has no such column, two columns of one name, or no rows.
    """
    wanted = f"{', '.join(columns[:-1])} and {columns[-1]}"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            found = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = found
            rows = [(f"{path.name}, line {reader.line_num}", row) for row in reader]
    except FileNotFoundError as error:
        raise DatabaseError(f"There is no file {path}; {expected} has the columns {wanted}.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatabaseError(f"{path.name} cannot be read as a CSV file: {error}.") from error
    if twice := [name for name in found if name and found.count(name) > 1]:
        raise DatabaseError(
            f"{path.name} has {found.count(twice[0])} columns called {twice[0]!r}, and only one of them can be meant: "
            "rename or delete the others."
        )
    missing = [column for column in columns if column not in found]
    if missing:
        raise DatabaseError(
            f"{path.name} has no column {missing[0]!r}: expected a header line with {wanted}, "
            f"found {', '.join(found[:8]) or 'an empty file'}."
        )
    if not rows:
        raise DatabaseError(f"{path.name} has a header but no images.")
    return rows
