"""Rows as text, piece by piece, so that each is seen once it is finished: CSV, JSON or a table of fixed widths."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from metaiqa_core.commands.output import as_csv, as_json, as_table

Row = Mapping[str, Any]


def csv_pieces(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[str]:
    """Yield the header with the first row, then one line for each row."""
    header = as_csv([], columns)
    for row in rows:
        yield header + as_csv([row], columns).removeprefix(as_csv([], columns))
        header = ""
    yield header


def json_pieces(rows: Iterable[Row]) -> Iterator[str]:
    """Yield a list piece by piece; it is valid JSON from the last piece on, as `as_json` writes it."""
    opening = "[\n"
    for row in rows:
        yield opening + as_json([row]).removeprefix("[\n").removesuffix("\n]\n")
        opening = ",\n"
    yield "[]\n" if opening == "[\n" else "\n]\n"


def table_pieces(rows: Iterable[Sequence[str]], header: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Yield the header with the first row, then one line for each row.

    Args:
        rows: Cells of each row.
        header: Names of the columns.
        widths: Width of each column, characters; a longer cell moves the rest of its line.
    """
    pending = as_table([], header, widths)
    for row in rows:
        yield pending + as_table([row], header, widths).removeprefix(as_table([], header, widths))
        pending = ""
    yield pending
