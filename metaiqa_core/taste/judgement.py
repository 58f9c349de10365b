"""Judgement of a taste by ratings that it did not learn from: of two photos, does it pick the one the person prefers?

For each two photos that the person tells apart, the taste is inferred anew without any rating of either, and asked
which one is better. With stars alone that has a closed form (the block inverse of Gaussian processes); with choices the
inference is repeated. Leaving out pairs, not single photos, matters: the mean of the other ratings rises when a low one
is left out, so that one by one even a model that knows nothing would seem to rank photos the wrong way round.

Source:
    Airola et al., An experimental comparison of cross-validation techniques for estimating the area under the ROC
    curve, Computational Statistics and Data Analysis 55, 2011, for leaving out pairs; Rasmussen and Williams, Gaussian
    Processes for Machine Learning, 2006, equations 5.10 to 5.12, for the closed form.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from metaiqa_core.taste.inference import infer, prior_mean
from metaiqa_core.taste.taste import Taste, normalised

Array = NDArray[np.float64]

LEVEL = 0.95
"""Nominal coverage of the interval of the gain."""
WORTHWHILE = 0.03
"""Least gain that is worth having: three pairs of a hundred."""
MOST_REFITS = 60
"""Largest number of pairs that are judged where each needs an inference of its own."""
_NEGLIGIBLE = 1e-3


class Verdict(StrEnum):
    """The three answers to "does it agree with me now?"."""

    BETTER = "it agrees better with you now"
    UNCERTAIN = "cannot tell yet"
    NO_HELP = "it did not help"


@dataclass(frozen=True)
class Judgement:
    """Agreement of the general and the personal model with ratings that the latter did not learn from.

    Attributes:
        pairs: Number of pairs of photos that were judged.
        photos: Number of different photos in these pairs.
        before: Share of the pairs that the general model orders as the person does, in [0, 1]; ties count half.
        after: Share of the pairs that the personal model orders as the person does.
        low: Lower end of the interval around `after` - `before`.
        high: Upper end of that interval.
    """

    pairs: int
    photos: int
    before: float
    after: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """Difference of the two shares, above 0 where the personal model agrees better."""
        return self.after - self.before

    @property
    def verdict(self) -> Verdict:
        """The answer: better where the interval lies above 0, no help where it excludes a gain worth having."""
        if self.low > 0:
            return Verdict.BETTER
        return Verdict.NO_HELP if self.high < WORTHWHILE else Verdict.UNCERTAIN

    def rank_correlation(self, share: float) -> float:
        """Return the rank correlation (Goodman and Kruskal's gamma, in [-1, 1]) that a share of pairs stands for.

        >>> Judgement(10, 5, 0.5, 0.75, 0.1, 0.4).rank_correlation(0.75)
        0.5
        """
        return 2 * share - 1


def judge(taste: Taste) -> Judgement:
    """Judge a taste by its own ratings, each left out in turn.

    Args:
        taste: The taste; its ratings must tell at least two photos apart.
    """
    evidence = taste.evidence
    if len(evidence.better):
        better, worse = _told_apart(taste)
        margins = _refitted(taste, better, worse)
    else:
        better, worse, margins = _closed_form(taste)
    z = taste.space.z
    before, after = _agreement(z[better] - z[worse]), _agreement(margins)
    low, high = _interval(after - before, better, worse)
    photos = len(np.unique(np.concatenate((better, worse))))
    return Judgement(len(better), photos, float(before.mean()), float(after.mean()), low, high)


def _agreement(margins: Array) -> Array:
    """Return 1 for a margin above 0, 0 for one below, a half for a tie."""
    return (np.sign(np.where(np.abs(margins) < 1e-12, 0, margins)) + 1) / 2


def _told_apart(taste: Taste) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the better and the worse photo of each pair that is judged: choices first, then pairs of stars."""
    evidence = taste.evidence
    stars = _pairs_of_stars(evidence.rated, evidence.opinions)
    room = max(0, MOST_REFITS - len(evidence.better))
    taken = np.linspace(0, max(0, len(stars) - 1), min(room, len(stars))).astype(np.intp)
    chosen = np.column_stack((evidence.better, evidence.worse))
    if len(chosen) > MOST_REFITS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MOST_REFITS).astype(np.intp)]
    pairs = np.concatenate((chosen, stars[taken]))
    return pairs[:, 0], pairs[:, 1]


def _pairs_of_stars(rated: NDArray[np.intp], opinions: Array) -> NDArray[np.intp]:
    """Return (better, worse) of all pairs with different stars, (K, 2)."""
    better, worse = np.nonzero(opinions[:, None] > opinions[None, :])
    return np.column_stack((rated[better], rated[worse]))


def _refitted(taste: Taste, better: NDArray[np.intp], worse: NDArray[np.intp]) -> Array:
    """Return the expected margin of each pair, by a taste that knows no rating of either photo."""
    # Hypotheses that the ratings have ruled out altogether would only cost time.
    kept = np.flatnonzero(taste.probabilities > _NEGLIGIBLE)
    margins = np.empty(len(better))
    for place, (one, other) in enumerate(zip(better, worse, strict=True)):
        evidence = taste.evidence.without(int(one), int(other))
        log_weights, differences = [], []
        for number in kept:
            hypothesis = taste.hypotheses[number]
            mean, covariance = prior_mean(taste.space, hypothesis), taste.prior_covariance(hypothesis)
            found = infer(mean, covariance, hypothesis.noise, evidence)
            log_weights.append(np.log(hypothesis.probability) + found.log_evidence)
            differences.append(found.opinions[one] - found.opinions[other])
        margins[place] = normalised(np.array(log_weights)) @ np.array(differences)
    return margins


def _closed_form(taste: Taste) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Return the pairs of stars and the expected margin of each, by a taste that knows the stars of neither photo."""
    rated, opinions = taste.evidence.rated, taste.evidence.opinions
    one, other = np.nonzero(opinions[:, None] > opinions[None, :])
    log_weights, margins = [], []
    for hypothesis, log_weight in zip(taste.hypotheses, taste.log_weights, strict=True):
        covariance = taste.prior_covariance(hypothesis)[np.ix_(rated, rated)]
        inverse = np.linalg.inv(covariance + hypothesis.noise * np.eye(len(rated)))
        weighted = inverse @ (opinions - prior_mean(taste.space, hypothesis)[rated])
        # The 2 x 2 block of the inverse that belongs to the pair, and its own inverse.
        a, b, c = inverse[one, one], inverse[one, other], inverse[other, other]
        determinant = a * c - b * b
        first = (c * weighted[one] - b * weighted[other]) / determinant
        second = (a * weighted[other] - b * weighted[one]) / determinant
        margins.append((opinions[one] - first) - (opinions[other] - second))
        squares = a * first**2 + 2 * b * first * second + c * second**2
        log_density = -squares / 2 + np.log(determinant) / 2 - np.log(2 * np.pi)
        log_weights.append(log_weight - log_density)
    expected = (normalised(np.array(log_weights)) * np.array(margins)).sum(0)
    return rated[one], rated[other], expected


def _interval(gains: Array, better: NDArray[np.intp], worse: NDArray[np.intp]) -> tuple[float, float]:
    """Return the interval of the mean gain, by the jackknife over photos and Student's t: pairs share photos."""
    photos = np.unique(np.concatenate((better, worse)))
    total, mean = gains.sum(), float(gains.mean())
    left = []
    for photo in photos:
        about = (better == photo) | (worse == photo)
        if not about.all():
            left.append((total - gains[about].sum()) / (~about).sum())
    if len(left) < 2:
        return -1.0, 1.0
    deviation = float(np.sqrt((len(left) - 1) / len(left) * np.square(np.array(left) - np.mean(left)).sum()))
    reach = deviation * float(student.ppf((1 + LEVEL) / 2, len(photos) - 1))
    return max(-1.0, mean - reach), min(1.0, mean + reach)
