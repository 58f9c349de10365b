"""What a table of results says, in one sentence each, computed from the numbers that are shown."""

from collections.abc import Sequence

import pandas as pd

from metaiqa_core.results import summaries

_NAMED = 5
"""Largest number of rows that a sentence names one by one."""


def listed(names: Sequence[str], most: int = _NAMED) -> str:
    """Return names as a list in words, the last ones as a number where there are many.

    >>> listed(["MN", "Block", "CTC"]), listed(list("abcdefg"), 3)
    ('MN, Block and CTC', 'a, b, c and 4 others')
    """
    shown, rest = list(names[:most]), len(names) - most
    if rest == 1:
        shown, rest = list(names), 0
    if rest > 0:
        return f"{', '.join(shown)} and {rest} others"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]])) if shown else ""


def where_best(table: pd.DataFrame, method: str) -> str:
    """Return on how many rows a method is best, and where it is not.

    Args:
        table: Table with one row a distortion type and one column a method.
        method: Column to speak of.

    Example:
        "MetaIQA is best on 19 of 24 types; MN, QN, Block, MS and CTC are where it is not."
    """
    measured = table.dropna(how="all")
    is_best = summaries.best(measured)[method]
    others = list(measured.index[~is_best])
    share = f"{method} is best on {int(is_best.sum())} of {len(measured)} types"
    if not others:
        return f"{share}."
    if not is_best.any():
        leader = summaries.best(measured).sum().idxmax()
        return f"{share}; {leader} is best on {int(summaries.best(measured)[leader].sum())}."
    ending = "is where it is not" if len(others) == 1 else "are where it is not"
    return f"{share}; {listed(others)} {ending}."


def hardest(table: pd.DataFrame, method: str, below: float = 0.5) -> str:
    """Return which rows a method judges worst: those below a value, or else its lowest."""
    values = table[method].dropna().sort_values()
    if values.empty:
        return ""
    low = values[values < below]
    if low.empty:
        return f"Its lowest is {values.iloc[0]:.2f}, on {values.index[0]}."
    upside_down = list(low[low < 0].index)
    ending = f" ({listed(upside_down)} even upside down)" if upside_down else ""
    return f"It is below {below:g} on {listed(list(low.index))}{ending}."


def ahead(differences: pd.Series, first: str, second: str) -> str:
    """Return on how many rows one method is ahead of another, by how much on average, and where it is most behind.

    Args:
        differences: First minus second, one value a row.
        first: Name of the one.
        second: Name of the other.
    """
    values = differences.dropna()
    wins, worst = int((values > 0).sum()), values.idxmin()
    sentence = f"{first} is ahead of {second} on {wins} of {len(values)} types, by {values.mean():+.3f} on average"
    return f"{sentence}; most behind on {worst} ({values.min():+.3f})." if values.min() < 0 else f"{sentence}."


def best_of_column(values: pd.Series, metric: str, place: str) -> str:
    """Return which row has the highest value, and how far the next is.

    Args:
        values: One value a method, NaN where none is known.
        metric: Name of the criterion.
        place: Database, or whatever the values are about.
    """
    known = values.dropna().sort_values(ascending=False)
    if known.empty:
        return f"No method reports {metric} on {place}."
    if len(known) == 1:
        return f"{known.index[0]} alone reports {metric} on {place}: {known.iloc[0]:.3f}."
    return (
        f"{known.index[0]} is best on {place} with {metric} {known.iloc[0]:.3f}, {known.iloc[0] - known.iloc[1]:.3f} "
        f"ahead of {known.index[1]}."
    )


def curves_end(points: pd.DataFrame, x: str, unit: str) -> str:
    """Compare the series with each other: which one leads at the smallest x, which at the largest, and by how much.

    `last_gain` follows one series along x instead.

    Args:
        points: Table with the columns `series`, `value` and the one named `x`.
        x: Column of the horizontal axis.
        unit: Unit of x, in words: "labelled photos".

    Example:
        "With 10 labelled photos, A is ahead (0.450; the lowest, B, has 0.295); with 200 it is C (0.746; 0.078 above
        the lowest)."
    """
    means = points.groupby([x, "series"])["value"].mean().unstack()
    means = means.dropna(axis=0, how="all")
    first, last = means.iloc[0].dropna(), means.iloc[-1].dropna()
    few, many = means.index[0], means.index[-1]
    beginning = f"With {_number(few)} {unit}, {first.idxmax()} is ahead ({first.max():.3f}"
    beginning += f"; {_lowest(first)} has {first.min():.3f})" if len(first) > 1 else ")"
    if few == many:
        return f"{beginning}."
    if len(last) > 1 and round(last.max(), 3) == round(last.min(), 3):
        return f"{beginning}; with {_number(many)} there is no difference ({last.max():.3f})."
    highest = f"{last.max():.3f}"
    if len(last) > 1:
        below = last.idxmin() if len(last) == 2 else "the lowest"
        highest += f"; {last.max() - last.min():.3f} above {below}"
    if last.idxmax() == first.idxmax():
        return f"{beginning}, and it still is with {_number(many)} ({highest})."
    return f"{beginning}; with {_number(many)} it is {last.idxmax()} ({highest})."


def last_gain(points: pd.DataFrame, x: str, unit: str) -> str:
    """Follow the series that go furthest along x: what did their last step give? Empty where none has two points.

    Only seeds that both ends of the step have count, so that it is no difference between seeds. `curves_end` compares
    the series with each other instead.

    Args:
        points: Table with the columns `series`, `seed`, `value` and the one named `x`.
        x: Column of the horizontal axis.
        unit: Unit of x, in words: "image passes".

    Example:
        "From 9,600 to 31,200 image passes, MetaIQA gains 0.052 and Baseline gains 0.044."
    """
    steps = []
    for name, rows in points.groupby("series", sort=False):
        table = rows.pivot_table(index="seed", columns=x, values="value")
        if table.shape[1] > 1 and len(both := table[table.columns[-2:]].dropna()):
            steps.append((*both.columns, str(name), float(both.iloc[:, 1].mean() - both.iloc[:, 0].mean())))
    if not steps:
        return ""
    few, many = max((step[:2] for step in steps), key=lambda ends: (ends[1], ends[0]))
    said = [
        f"{name} {'gains' if gain >= 0 else 'loses'} {abs(gain):.3f}"
        for *ends, name, gain in steps
        if ends == [few, many]
    ]
    return f"From {_number(few)} to {_number(many)} {unit}, {listed(said)}."


def _lowest(values: pd.Series) -> str:
    return str(values.idxmin()) if len(values) == 2 else f"the lowest, {values.idxmin()},"


def _number(value: float) -> str:
    """Return a number as people write it: whole ones with thousands set apart."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:g}"
