"""Test of whether one method's predictions agree better with people than another's on the same images.

Paired bootstrap of the difference in SROCC. Images that share a reference photo are not independent, so whole reference
groups are drawn; where no reference is known each image is its own group.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from metaiqa_core.errors import ResultsError
from metaiqa_core.evaluation.criteria import srocc

MINIMUM_GROUPS = 5


@dataclass(frozen=True)
class PairedComparison:
    """Difference in SROCC between two methods on the same images.

    Attributes:
        first: SROCC of the first method.
        second: SROCC of the second.
        interval: Percentile interval (low, high) of first - second at `level`.
        level: Coverage, in (0, 1).
        images: Number of shared images.
        groups: Number of independent groups that were drawn: references, or images where none is known.
    """

    first: float
    second: float
    interval: tuple[float, float]
    level: float
    images: int
    groups: int


def compare(
    first: pd.DataFrame, second: pd.DataFrame, *, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> PairedComparison:
    """Compare two sets of predictions (`predictions.COLUMNS`) on the images that both hold.

    Raises:
        ResultsError: If they share too few images or groups, or disagree about the opinion scores.
        EvaluationError: If predictions are constant or not finite.
        ValueError: If `level` or `resamples` is out of range.
    """
    if not 0 < level < 1 or resamples < 1:
        raise ValueError(f"level must be in (0, 1) and resamples positive, got {level} and {resamples}")
    _require_unique(first, second)
    pairs = first.merge(second, on="image", suffixes=("_first", "_second"), validate="one_to_one")
    if len(pairs) < 3:
        raise ResultsError(f"A paired comparison needs the same images on both sides; only {len(pairs)} are shared.")
    opinion = pairs["opinion_score_first"].to_numpy(float)
    if not np.allclose(opinion, pairs["opinion_score_second"], atol=1e-6):
        raise ResultsError(
            "The two runs disagree about the opinion scores of the same images: they used different labels."
        )
    predicted = [pairs[f"predicted_score_{side}"].to_numpy(float) for side in ("first", "second")]
    values = [srocc(scores, opinion) for scores in predicted]
    reference = pairs["reference_first"].astype(str)
    codes, names = pd.factorize(reference.where(reference != "", pairs["image"]))
    if len(names) < MINIMUM_GROUPS:
        raise ResultsError(f"A bootstrap needs at least {MINIMUM_GROUPS} independent references, got {len(names)}.")
    members = [np.flatnonzero(codes == code) for code in range(len(names))]
    generator = np.random.default_rng(seed)
    drawn_differences = []
    for _ in range(resamples):
        drawn = np.concatenate([members[code] for code in generator.integers(0, len(members), len(members))])
        # Ranking once a resample and side is several times cheaper than three calls of spearmanr.
        with np.errstate(invalid="ignore", divide="ignore"):
            ranked = stats.rankdata(np.stack([predicted[0][drawn], predicted[1][drawn], opinion[drawn]]), axis=1)
            matrix = np.corrcoef(ranked)
        drawn_differences.append(matrix[0, 2] - matrix[1, 2])
    kept = np.array(drawn_differences)[np.isfinite(drawn_differences)]  # a resample may come out constant
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return PairedComparison(values[0], values[1], (float(low), float(high)), level, len(pairs), len(names))


def _require_unique(*frames: pd.DataFrame) -> None:
    for frame in frames:
        if frame["image"].duplicated().any():
            raise ResultsError("Predictions name the same image twice; compare one seed with one seed.")
