"""Rows of a CSV file with named columns."""

import csv
from pathlib import Path

from metaiqa_core.errors import DatabaseError


def read_csv_rows(path: Path, columns: tuple[str, ...], what: str) -> list[tuple[str, dict[str, str | None]]]:
    """Read a CSV file with a header.

    Args:
        path: The file, UTF-8 with or without a byte order mark.
        columns: Those it must have; others are read as well.
        what: Kind of file that is expected, for messages: "a CSV database".

    Returns:
        For each row its place ("dmos.csv, line 3") and its cells by column; None where the row ends early.

    Raises:
        DatabaseError: If the file cannot be read, has no such column or no rows.
    """
    wanted = f"{', '.join(columns[:-1])} and {columns[-1]}"
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = [(f"{path.name}, line {reader.line_num}", row) for row in reader]
            found = reader.fieldnames or []
    except FileNotFoundError as error:
        raise DatabaseError(f"There is no file {path}; {what} has the columns {wanted}.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatabaseError(f"{path.name} cannot be read as a CSV file: {error}.") from error
    missing = [column for column in columns if column not in found]
    if missing:
        raise DatabaseError(
            f"{path.name} has no column {missing[0]!r}: expected a header line with {wanted}, "
            f"found {', '.join(found[:8]) or 'an empty file'}."
        )
    if not rows:
        raise DatabaseError(f"{path.name} has a header but no images.")
    return rows
