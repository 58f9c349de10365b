"""Labels refined by content: within a level, a photo that hides the damage is labelled better than one that shows it.

The published means know nothing of the photo. Within a type, a monotone map leads from a full-reference metric (higher
is better) to the means of the levels. How far an image's own metric leads away from where its level leads on average is
added to its mean, times a weight. So every level keeps its mean, and no score of a single image is needed.

Measured against people's scores of single images in `docs/label_refinement.md`.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

Floats = NDArray[np.float64]
Curve = tuple[Floats, Floats]

WEIGHT = 0.3
"""Weight of GMSD, chosen by cross-validation on people's scores of tid2013-kodak."""


def refine(metric: Floats, means: Floats, weight: float = WEIGHT) -> Floats:
    """Refine the labels of all images of one type.

    Args:
        metric: Metric of each image, (N,), higher is better.
        means: Mean score of each image's level, (N,); equal means are one level.
        weight: Weight of the refinement, 0 or more; 0 keeps the means.

    Returns:
        Labels (N,), whose average over each level is its mean.
    """
    read = interpolate(monotone_map(metric, means), metric)
    return means + weight * (read - averages(read, means)[np.searchsorted(np.unique(means), means)])


def averages(values: Floats, means: Floats) -> Floats:
    """Return the average value of each level, levels in the order of their means."""
    return np.array([values[means == mean].mean() for mean in np.unique(means)])


def monotone_map(metric: Floats, score: Floats) -> Curve:
    """Fit the non-decreasing map from a metric to scores that has the least squared error.

    Args:
        metric: Metric of each image of one type, (N,), higher is better.
        score: Mean score of each image's level, (N,).

    Returns:
        The knots of a piecewise linear map: ascending metrics and their scores. One knot stands for each run of equal
        fitted scores, at the run's median metric, so that the map has slopes instead of steps.
    """
    order = np.lexsort((score, metric))
    fitted = np.asarray(isotonic_regression(score[order]).x)
    runs = np.split(np.arange(len(fitted)), np.flatnonzero(np.diff(fitted) > 0) + 1)
    return (
        np.array([np.median(metric[order][run]) for run in runs]),
        np.array([fitted[run[0]] for run in runs]),
    )


def interpolate(curve: Curve, metric: Floats) -> Floats:
    """Return the scores (N,) that a map gives to metrics (N,); beyond its ends it is constant."""
    return np.interp(metric, *curve)
