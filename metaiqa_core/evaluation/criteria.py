"""The field's criteria of agreement between predicted and opinion scores (Section 4.1, Eqs. 11 and 12).

Everywhere `predicted` and `opinion` are 1-D float arrays of one length n on scales where higher is better.
"""

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from metaiqa_core.errors import EvaluationError

Scores = NDArray[np.float64]

MINIMUM_IMAGES = 3
"""Least number of images that a correlation needs."""


@dataclass(frozen=True)
class Criteria:
    """Agreement on n images; each interval is a bootstrap percentile interval (low, high).

    That of `plcc_logistic` takes the curve as fitted once, to all images.

    Attributes:
        n: Number of images.
        srocc: Spearman rank-order correlation coefficient, tie-aware.
        plcc: Pearson linear correlation coefficient of the raw predictions (Eq. 11).
        plcc_logistic: PLCC after fitting a rising logistic function, as VQEG recommends; without the function where the
            predictions run the wrong way.
        krocc: Kendall's tau-b.
        rmse: Root of the mean squared difference, in units of the opinion scores.
        interval_level: Coverage of the intervals.
    """

    n: int
    srocc: float
    plcc: float
    plcc_logistic: float
    krocc: float
    rmse: float
    srocc_interval: tuple[float, float]
    plcc_interval: tuple[float, float]
    plcc_logistic_interval: tuple[float, float]
    krocc_interval: tuple[float, float]
    rmse_interval: tuple[float, float]
    interval_level: float = 0.95

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON-ready values."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def evaluate(predicted: ArrayLike, opinion: ArrayLike, *, resamples: int = 1000, seed: int = 0) -> Criteria:
    """Compute all criteria with 95 % bootstrap intervals over images.

    Raises:
        EvaluationError: If there are fewer than three pairs, or scores are constant or not finite.
    """
    predicted, opinion = checked(predicted, opinion)

    fitted = fit_logistic(predicted, opinion)

    def interval(criterion: Callable[[Scores, Scores], float], scores: Scores = predicted) -> tuple[float, float]:
        return bootstrap_interval(criterion, scores, opinion, resamples=resamples, seed=seed)

    return Criteria(
        n=len(opinion),
        srocc=srocc(predicted, opinion),
        plcc=plcc(predicted, opinion),
        plcc_logistic=plcc(fitted, opinion),
        krocc=krocc(predicted, opinion),
        rmse=rmse(predicted, opinion),
        srocc_interval=interval(srocc),
        plcc_interval=interval(plcc),
        plcc_logistic_interval=interval(plcc, fitted),
        krocc_interval=interval(krocc),
        rmse_interval=interval(rmse),
    )


def srocc(predicted: ArrayLike, opinion: ArrayLike) -> float:
    """Spearman's rank correlation with average ranks for ties; Eq. 12 is its special case without ties."""
    predicted, opinion = checked(predicted, opinion)
    return float(stats.spearmanr(predicted, opinion).statistic)


def plcc(predicted: ArrayLike, opinion: ArrayLike) -> float:
    """Pearson's linear correlation (Eq. 11)."""
    predicted, opinion = checked(predicted, opinion)
    return float(stats.pearsonr(predicted, opinion).statistic)


def krocc(predicted: ArrayLike, opinion: ArrayLike) -> float:
    """Kendall's tau-b."""
    predicted, opinion = checked(predicted, opinion)
    return float(stats.kendalltau(predicted, opinion).statistic)


def rmse(predicted: ArrayLike, opinion: ArrayLike) -> float:
    """Root mean squared difference, in units of the scores."""
    predicted, opinion = checked(predicted, opinion)
    return float(np.sqrt(np.mean((predicted - opinion) ** 2)))


def fit_logistic(predicted: ArrayLike, opinion: ArrayLike) -> Scores:
    """Map predictions to opinion scores by a fitted four-parameter logistic that rises.

    y = b2 + (b1 - b2) / (1 + exp(-(x - b3) / |b4|)) with b1 > b2, fitted by least squares (VQEG, FR-TV Phase I, 2000).

    Both sides are higher is better, so a curve that falls would turn round a model that runs the wrong way and give it
    a high correlation. The best curve that may not fall is flat there and has no correlation: such predictions stay as
    they are, and keep their own negative one.

    Returns:
        The mapped predictions (n,), in the order of the predictions; a straight-line fit where the logistic does not
        converge or has more parameters than there are images, and the standardised predictions where the fit is flat
        or falls.
    """
    predicted, opinion = checked(predicted, opinion)
    centre, spread = predicted.mean(), predicted.std()
    standard = (predicted - centre) / spread

    def logistic(x: Scores, top: float, bottom: float, middle: float, width: float) -> Scores:
        return bottom + (top - bottom) / (1 + np.exp(np.clip(-(x - middle) / (abs(width) + 1e-9), -500, 500)))

    slope, height = np.polyfit(standard, opinion, 1)
    line = slope * standard + height
    line = line if slope > 0 and np.ptp(line) > 0 else standard
    if len(opinion) < 4:
        return line
    start = (opinion.max(), opinion.min(), 0.0, 1.0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optimize.OptimizeWarning)  # of the covariance, which is not used
            parameters, _ = optimize.curve_fit(logistic, standard, opinion, p0=start, maxfev=5000)
    except RuntimeError:
        return line
    if parameters[0] <= parameters[1]:
        return standard
    mapped = logistic(standard, *parameters)
    return mapped if np.ptp(mapped) > 0 and np.isfinite(mapped).all() else line


def bootstrap_interval(
    criterion: Callable[[Scores, Scores], float],
    predicted: ArrayLike,
    opinion: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of a criterion over resampled images; resamples that came out constant are left out."""
    predicted, opinion = checked(predicted, opinion)
    drawn = np.random.default_rng(seed).integers(0, len(opinion), (resamples, len(opinion)))
    rows = predicted[drawn], opinion[drawn]
    varied = np.all([np.ptp(part, axis=1) > 0 for part in rows], axis=0)
    first, second = (part[varied] for part in rows)
    if criterion in _CRITERIA_OF_ROWS:
        values = _CRITERIA_OF_ROWS[criterion](first, second)
    else:
        values = np.array([criterion(one, other) for one, other in zip(first, second, strict=True)])
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _plcc_of_rows(predicted: Scores, opinion: Scores) -> Scores:
    predicted, opinion = (part - part.mean(axis=1, keepdims=True) for part in (predicted, opinion))
    products = (predicted * opinion).sum(axis=1)
    correlations = products / np.sqrt((predicted**2).sum(axis=1) * (opinion**2).sum(axis=1))
    return np.clip(correlations, -1, 1)  # of few images, rounding makes 1.0000000000000002


def _srocc_of_rows(predicted: Scores, opinion: Scores) -> Scores:
    return _plcc_of_rows(stats.rankdata(predicted, axis=1), stats.rankdata(opinion, axis=1))


def _rmse_of_rows(predicted: Scores, opinion: Scores) -> Scores:
    return np.sqrt(np.mean((predicted - opinion) ** 2, axis=1))


_CRITERIA_OF_ROWS: dict[Callable[[Scores, Scores], float], Callable[[Scores, Scores], Scores]] = {
    srocc: _srocc_of_rows,
    plcc: _plcc_of_rows,
    rmse: _rmse_of_rows,
}
"""The criteria for many resamples at once, from scores (R, n) to values (R,)."""


def checked(predicted: ArrayLike, opinion: ArrayLike) -> tuple[Scores, Scores]:
    """Return both as float arrays, or say why they cannot be compared.

    Raises:
        EvaluationError: If there are fewer than three pairs, or either side is constant or not finite.
        ValueError: If the shapes differ.
    """
    predicted, opinion = np.asarray(predicted, dtype=np.float64), np.asarray(opinion, dtype=np.float64)
    if predicted.ndim != 1 or predicted.shape != opinion.shape:
        raise ValueError(
            f"predicted and opinion must be 1-D and equally long, got {predicted.shape} and {opinion.shape}"
        )
    if len(opinion) < MINIMUM_IMAGES:
        raise EvaluationError(f"A correlation needs at least {MINIMUM_IMAGES} images, got {len(opinion)}.")
    for name, scores in (("predicted", predicted), ("opinion", opinion)):
        if not np.isfinite(scores).all():
            raise EvaluationError(
                f"{int((~np.isfinite(scores)).sum())} {name} scores are not finite; leave them out or repair them."
            )
        if np.ptp(scores) == 0:
            raise EvaluationError(
                f"All {len(scores)} {name} scores are {scores[0]:g}: a constant has no rank correlation."
            )
    return predicted, opinion
