"""How far a score can be trusted: split-conformal intervals and a population, from held-out predictions alone."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.protocols import Split
from metaiqa_core.models.card import Calibration


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
        images = set(held_out.test)
        others = [
            residual
            for split in splits
            if split is not held_out
            for position, residual in zip(split.test, _residuals(split), strict=True)
            if position not in images
        ]
        if others:
            covered.extend(_residuals(held_out) <= conformal_quantile(np.array(others), level))
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


def conformal_quantile(residuals: NDArray[np.float64], level: float) -> float:
    """Return the ceil((n + 1) * level)-th smallest residual: it covers a new one with probability at least `level`."""
    rank = min(int(np.ceil((len(residuals) + 1) * level)), len(residuals))
    return float(np.sort(residuals)[rank - 1])


def _residuals(split: Split) -> NDArray[np.float64]:
    predicted = np.clip(np.array(split.predicted), 0, 1)
    return 100 * np.abs(predicted - np.array(split.opinion))
