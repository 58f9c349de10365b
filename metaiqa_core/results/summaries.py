"""Arithmetic over a table of results: averages, ranks, best methods, differences.

A table is a DataFrame of float64 with one row a distortion type (or database) and one column a method, NaN where a
number is missing. Correlations: higher is better.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np
import pandas as pd

from metaiqa_core.results.published import PRINTED_DECIMALS, distortion_types
from metaiqa_core.results.records import Measured, ResultRecord


def by_type(records: Iterable[ResultRecord], rows: Sequence[str], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Arrange records of one metric by distortion type and label; several seeds of one cell are averaged.

    Args:
        records: Records whose distortion type is one of `rows`; others are left out.
        rows: Distortion types in the order of the rows.
        columns: Labels in the order of the columns; by default in that of their first appearance.
    """
    kept = [record for record in records if record.distortion_type in set(rows)]
    return _arrange([(record.distortion_type or "", record.label, record.value) for record in kept], rows, columns)


def by_database(records: Iterable[ResultRecord], databases: Sequence[str], metrics: Sequence[str]) -> pd.DataFrame:
    """Arrange records by label (rows) and (database, metric) (columns); repeats of one cell are averaged."""
    cells = [(record.label, (record.database, record.metric), record.value) for record in records]
    rows = list(dict.fromkeys(row for row, _, _ in cells))
    table = _arrange(cells, rows, [(database, metric) for database in databases for metric in metrics])
    table.columns = pd.MultiIndex.from_tuples(table.columns, names=["database", "metric"])
    return table


def paired_repeats(records: Iterable[ResultRecord], first: str, second: str) -> pd.DataFrame:
    """Arrange the repeats that two methods share, one row a (database, metric, seed, split) and one column each.

    Printed numbers have no seed and count as one repeat; a repeat that only one of the two has would make their means
    means over different splits, and is left out.
    """
    cells = [(r.database, r.metric, *_repeat(r), r.method, r.value) for r in records]
    keys = ["database", "metric", "seed", "split", "method"]
    values = pd.DataFrame(cells, columns=[*keys, "value"]).groupby(keys, sort=False)["value"].mean()
    return values.unstack().reindex(columns=[first, second]).dropna()


def _repeat(record: ResultRecord) -> tuple[int, str]:
    source = record.source
    return (source.seed, source.split_hash) if isinstance(source, Measured) else (0, "")


def averages(table: pd.DataFrame) -> pd.Series:
    """Return each method's mean over all rows; NaN where a cell is missing: a partial mean misleads."""
    return table.mean(skipna=False)


def ranks(table: pd.DataFrame) -> pd.DataFrame:
    """Return each method's rank within each row: 1 is the best, ties share the mean rank, NaN where missing."""
    return table.rank(axis=1, ascending=False, method="average")


def best(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of booleans, True where a method has the best value of its row; ties are all best."""
    return table.eq(table.max(axis=1), axis=0) & table.notna()


def ranking(table: pd.DataFrame, threshold: float = 0.9) -> pd.DataFrame:
    """Summarise each method: average, average rank, rows where it is best, rows above a threshold, rows measured.

    Returns:
        One row a method with the columns average, average_rank, best, above and measured, best average rank first.
    """
    summary = pd.DataFrame(
        {
            "average": averages(table),
            "average_rank": ranks(table).mean(),
            "best": best(table).sum(),
            "above": (table > threshold).sum(),
            "measured": table.notna().sum(),
        }
    )
    return summary.sort_values("average_rank", kind="stable")


def differences(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return each method minus the reference method; the reference's own column is left out.

    Raises:
        KeyError: If the reference is not a column.
    """
    return table.drop(columns=reference).sub(table[reference], axis=0)


def check_averages(table: pd.DataFrame, printed: Iterable[ResultRecord]) -> pd.DataFrame:
    """Recompute the averages of a printed table and compare them with the printed ones.

    The sum is exact (decimal), so that a correctly rounded average is never called a misprint.

    Returns:
        One row a method: printed, recomputed, difference and agrees (the printed value is a correct rounding to
        `PRINTED_DECIMALS`, either way for a tie).
    """
    half_unit = Decimal(1).scaleb(-PRINTED_DECIMALS) / 2
    rows = {}
    for record in printed:
        exact = sum((Decimal(str(value)) for value in table[record.label]), Decimal(0)) / len(table)
        difference = Decimal(str(record.value)) - exact
        rows[record.label] = {
            "printed": record.value,
            "recomputed": float(exact),
            "difference": float(difference),
            "agrees": abs(difference) <= half_unit,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def sort_types(table: pd.DataFrame, database: str, by: str, method: str, reference: str | None = None) -> pd.DataFrame:
    """Order the rows of a table.

    Args:
        table: Table whose rows are distortion types of `database`.
        database: Name of the database, for the ids of its types.
        by: Order of the rows: "type id", "value" (of `method`, best first) or "difference" (`method` minus `reference`,
            largest first).
        method: Method to sort by.
        reference: Method to compare with; for "difference" only.

    Raises:
        ValueError: If `by` is unknown or "difference" lacks its reference.
    """
    if by == "type id":
        known = [entry.abbreviation for entry in distortion_types(database)]
        return table.loc[
            [row for row in known if row in table.index] + [row for row in table.index if row not in known]
        ]
    if by == "value":
        key = table[method]
    elif by == "difference" and reference is not None:
        key = table[method] - table[reference]
    else:
        raise ValueError(f"sort by 'type id', 'value', or 'difference' with a reference, got {by!r}")
    return table.loc[key.sort_values(ascending=False, kind="stable").index]


def transposed_pairs(records: Iterable[ResultRecord], originals: Iterable[ResultRecord]) -> list[str]:
    """Find databases where a method's PLCC and SROCC were swapped on the way from the original table.

    Later papers often print MetaIQA's LIVE Challenge and KonIQ-10k pairs so: the original prints PLCC first.

    Returns:
        One sentence for each (method, database) whose two values are the original's in the other order.
    """
    original = {(record.method, record.database, record.metric): record.value for record in originals}
    given = {(record.method, record.database, record.metric): record.value for record in records}
    sentences = []
    for method, database in dict.fromkeys((method, database) for method, database, _ in given):
        pair = [given.get((method, database, metric)) for metric in ("plcc", "srocc")]
        swapped = [original.get((method, database, metric)) for metric in ("srocc", "plcc")]
        if None not in swapped and pair == swapped and pair[0] != pair[1]:
            sentences.append(
                f"{method} on {database}: PLCC {pair[0]:.3f} and SROCC {pair[1]:.3f} are the original's in the other "
                "order. The original prints PLCC first."
            )
    return sentences


def _arrange(cells: Sequence[tuple], rows: Sequence, columns: Sequence | None) -> pd.DataFrame:
    columns = list(dict.fromkeys(column for _, column, _ in cells)) if columns is None else list(columns)
    place_row = {row: position for position, row in enumerate(rows)}
    place_column = {column: position for position, column in enumerate(columns)}
    total, count = np.zeros((len(rows), len(columns))), np.zeros((len(rows), len(columns)))
    for row, column, value in cells:
        if row in place_row and column in place_column:
            total[place_row[row], place_column[column]] += value
            count[place_row[row], place_column[column]] += 1
    values = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    table = pd.DataFrame(values, index=pd.Index(rows, dtype=object))
    table.columns = pd.Index(columns, tupleize_cols=False, dtype=object)
    return table
