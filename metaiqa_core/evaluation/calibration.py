"""Uncertainty of a score: split-conformal intervals, and a population to compare with, from held-out predictions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.protocols import Split
from metaiqa_core.models.card import Calibration

Scores = NDArray[np.float64]


def calibrate(splits: Sequence[Split], population: str, *, level: float = 0.9) -> Calibration:
    """Derive the interval and the population of a model from repeated splits of its recipe.

    The half width is the conformal quantile of the absolute held-out residuals. Its coverage is measured where it was
    not chosen: for each split, with the quantile of the other splits' residuals, leaving out every image of that split.

    Args:
        splits: At least two splits of one database.
        population: Name of the database's photos for people.
        level: Nominal coverage, in (0, 1).

    Returns:
        The calibration on the 0-100 scale.

    Raises:
        EvaluationError: If there are fewer than two splits, or all held out the same images.

    Source:
        Papadopoulos et al., Inductive Confidence Machines for Regression, ECML 2002.
    """
    if len(splits) < 2:
        raise EvaluationError(f"A calibration needs at least two splits, got {len(splits)}: raise --repeats.")
    covered: list[bool] = []
    for held_out in splits:
        others = _residuals_elsewhere(splits, held_out)
        if len(others):
            covered.extend(_residuals(held_out) <= conformal_quantile(others, level))
    if not covered:
        raise EvaluationError(
            "The splits held out the same images, which leaves none to measure the coverage on: raise --repeats."
        )
    by_image: dict[int, list[float]] = defaultdict(list)
    for split in splits:
        for position, predicted in zip(split.test, split.predicted, strict=True):
            by_image[position].append(100 * min(max(predicted, 0.0), 1.0))
    scores = [float(np.mean(values)) for values in by_image.values()]
    return Calibration(
        level=level,
        half_width=conformal_quantile(np.concatenate([_residuals(split) for split in splits]), level),
        measured_coverage=float(np.mean(covered)),
        population=population,
        population_size=len(scores),
        population_quantiles=tuple(np.quantile(scores, np.linspace(0, 1, 101)).round(4).tolist()),
    )


def calibrate_on_several(
    splits: Sequence[Split], others: Mapping[str, tuple[Scores, Scores]], population: str, *, level: float = 0.9
) -> tuple[Calibration, dict[str, float]]:
    """Derive one interval from several databases, each of which has the same weight.

    Args:
        splits: At least two splits of one database, whose photos are the population.
        others: Scores of photos of other databases that the model has not learned from, by database: the model's and
            people's unit scores, each of shape (N,), on the scale that the model answers on.
        population: Name for people of the photos of the splits' database.
        level: Nominal coverage, in (0, 1).

    Returns:
        The calibration, whose measured coverage is the mean over the databases, and the coverage in each database. In
        the other databases, the coverage of each half of the photos is measured with the interval from the residuals of
        the other half and of the splits.

    Raises:
        EvaluationError: If there are fewer than two splits, or all held out the same images.
    """
    calibration = calibrate(splits, population, level=level)
    of_splits = np.concatenate([_residuals(split) for split in splits])
    residuals = {name: 100 * np.abs(np.clip(one, 0, 1) - opinion) for name, (one, opinion) in others.items()}
    halves = {name: np.random.default_rng(0).permutation(len(one)) % 2 for name, one in residuals.items()}
    covered: dict[str, list[bool]] = defaultdict(list)
    for half in (0, 1):
        width = _even_quantile([of_splits, *(one[halves[name] != half] for name, one in residuals.items())], level)
        for name, one in residuals.items():
            covered[name].extend(one[halves[name] == half] <= width)
    for held_out in splits:
        elsewhere = _residuals_elsewhere(splits, held_out)
        if len(elsewhere):
            width = _even_quantile([elsewhere, *residuals.values()], level)
            covered[population].extend(_residuals(held_out) <= width)
    shares = {name: float(np.mean(values)) for name, values in covered.items()}
    return (
        replace(
            calibration,
            half_width=_even_quantile([of_splits, *residuals.values()], level),
            measured_coverage=float(np.mean(list(shares.values()))),
        ),
        shares,
    )


def _even_quantile(parts: Sequence[NDArray[np.float64]], level: float) -> float:
    """Return the residual that covers a share `level` of all residuals, each part having the same total weight."""
    parts = [part for part in parts if len(part)]  # half of one photo may be none
    values = np.concatenate(parts)
    weights = np.concatenate([np.full(len(part), 1 / (len(part) * len(parts))) for part in parts])
    order = np.argsort(values)
    reached = int(np.searchsorted(np.cumsum(weights[order]), level))
    return float(values[order[min(reached, len(values) - 1)]])


def conformal_quantile(residuals: NDArray[np.float64], level: float) -> float:
    """Return the ceil((n + 1) * level)-th smallest residual: it covers a new one with probability at least `level`."""
    rank = min(int(np.ceil((len(residuals) + 1) * level)), len(residuals))
    return float(np.sort(residuals)[rank - 1])


def _residuals(split: Split) -> NDArray[np.float64]:
    predicted = np.clip(np.array(split.predicted), 0, 1)
    return 100 * np.abs(predicted - np.array(split.opinion))


def _residuals_elsewhere(splits: Sequence[Split], held_out: Split) -> NDArray[np.float64]:
    """Return the residuals of all other splits, without those of any image that `held_out` tests on."""
    images = set(held_out.test)
    return np.array(
        [
            residual
            for split in splits
            if split is not held_out
            for position, residual in zip(split.test, _residuals(split), strict=True)
            if position not in images
        ]
    )
