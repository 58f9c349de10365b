"""What a kernel head is told besides opinion scores: how much worse one image is than another of the same content.

A difference of two images is a row of the regression: z(worse) - z(better), whose answer is minus the fall. Every study
gets it, so that whatever they are mixed to keeps it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.training.kept_features import Features

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Differences:
    """Pairs of images of the same content.

    Attributes:
        better: Pooled features (N, P).
        worse: Pooled features (N, P).
        falls: Unit scores (N,) by which the second ones are worse.
        weight: Weight of a pair, where a rated image has 1.
        are_copies: Whether the second ones are copies: a study's own photo is no less its own for being copied.
    """

    better: Features
    worse: Features
    falls: Array
    weight: float
    are_copies: bool = False


@dataclass(frozen=True, eq=False)
class DifferenceRows:
    """Pairs as a regression sees them.

    Attributes:
        gram: Sum of the weighted squares (M, M) of all pairs' rows.
        side: Sum (M,) of their weighted products with the falls, in unit scores.
        copies: Sum of the squares (M, M) of the copies' rows, each with weight 1.
    """

    gram: Array
    side: Array
    copies: Array


def difference_rows(
    differences: Sequence[Differences], likeness: Callable[[Features], Array], functions: int
) -> DifferenceRows:
    """Sum pairs up.

    Args:
        differences: The pairs.
        likeness: Features (N, P) -> functions (N, M).
        functions: Number of functions, M.
    """
    gram, side, copies = np.zeros((functions, functions)), np.zeros(functions), np.zeros((functions, functions))
    for one in differences:
        rows = likeness(one.worse) - likeness(one.better)
        square = rows.T @ rows
        gram += one.weight * square
        side -= one.weight * (rows.T @ one.falls)
        if one.are_copies:
            copies += square
    return DifferenceRows(gram, side, copies)
