"""Kernel ridge regression of opinion scores on a few features, as hand-crafted methods use support vector regression.

f(x) = m + sum_i a_i exp(-|x - x_i|^2 / (2 w^2)) over the photos x_i learned from, whose features are standardised;
a = (K + p I)^-1 (y - m). Width w and penalty p are those of a grid with the least error on a fifth of these photos.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from metaiqa_core.errors import TrainingError
from metaiqa_core.tasks import split_by_group

Array = NDArray[np.float64]
_WIDTHS = (0.25, 0.5, 1.0, 2.0)
"""Widths of the Gaussians, as a share of the root of the median squared distance between photos."""
_PENALTIES = (0.01, 0.1, 1.0, 10.0)
_CHOICE_SHARE = 0.2


def kernel_ridge(features: Array, unit_scores: Array, groups: Sequence[str], asked: Array, seed: int) -> Array:
    """Learn opinion scores and predict those of other photos.

    Args:
        features: (N, P): features of the photos to learn from.
        unit_scores: (N,): their opinion scores.
        groups: Name of each photo's group; one group stays on one side when width and penalty are chosen.
        asked: (M, P): features of the photos to predict for.
        seed: Seed of that choice.

    Returns:
        (M,): predicted unit scores.

    Raises:
        TrainingError: If there are no two photos with different scores.
    """
    if len(unit_scores) < 2 or np.ptp(unit_scores) == 0:
        raise TrainingError("Scores cannot be learned: expected two photos or more with different scores.")
    mean, deviation = features.mean(0), features.std(0)
    deviation = np.where(deviation > 1e-9, deviation, 1.0)
    learned, asked = (features - mean) / deviation, (asked - mean) / deviation
    distances = squared_distances(learned, learned)
    typical = float(np.median(distances)) or 1.0
    width, penalty = _best_setting(distances / typical, unit_scores, groups, seed)
    others = squared_distances(asked, learned) / typical
    return _predicted(distances / typical, unit_scores, others, width, penalty)


def _best_setting(distances: Array, scores: Array, groups: Sequence[str], seed: int) -> tuple[float, float]:
    settings = [(width, penalty) for width in _WIDTHS for penalty in _PENALTIES]
    if len(set(groups)) < 3:
        return settings[len(settings) // 2]
    training, judged = split_by_group(groups, _CHOICE_SHARE, (seed, 11))

    def error(setting: tuple[float, float]) -> float:
        own, others = distances[np.ix_(training, training)], distances[np.ix_(judged, training)]
        return float(np.square(_predicted(own, scores[training], others, *setting) - scores[judged]).mean())

    return min(settings, key=error)


def _predicted(own: Array, scores: Array, others: Array, width: float, penalty: float) -> Array:
    kernel = np.exp(-own / (2 * width**2))
    kernel[np.diag_indices_from(kernel)] += penalty
    mean = float(scores.mean())
    weights = linalg.solve(kernel, scores - mean, assume_a="pos")
    return np.asarray(mean + np.exp(-others / (2 * width**2)) @ weights)


def squared_distances(one: Array, other: Array) -> Array:
    """Return the squared distances (N, M) of the rows of (N, P) and (M, P)."""
    squares = np.square(one).sum(1)[:, None] + np.square(other).sum(1)
    return np.asarray(np.maximum(squares - 2 * one @ other.T, 0))
