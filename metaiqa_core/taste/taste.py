"""A taste: what ratings say of a person, averaged over all hypotheses by how well each explains the ratings.

Averaging is what keeps a model safe: where the ratings do not contradict the general model, the hypothesis "like
everybody" keeps its probability, and the taste hardly departs from the general scores.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.errors import TasteError
from metaiqa_core.taste.inference import Evidence, Posterior, infer, prior_covariance, prior_mean
from metaiqa_core.taste.prior import UNKNOWN_LEVEL, Hypothesis, Prior
from metaiqa_core.taste.ratings import Ratings
from metaiqa_core.taste.space import TasteSpace

Array = NDArray[np.float64]

LEAST_RATINGS = 10
"""Least number of ratings that a taste is inferred from."""
_NEGLIGIBLE = 1e-4


@dataclass(frozen=True, eq=False)
class Correction:
    """A taste as a linear function of what a correction reads of a photo: see `models.personal.seen`.

    Attributes:
        weights: Weight of each value (1 + 9 + P,).
        constant: Constant that is added.
    """

    weights: Array
    constant: float


class Taste:
    """What ratings say of a person's opinions of some photos, in units of the ratings' standard deviation.

    Args:
        space: All photos of the person, rated or not.
        evidence: Ratings.
        prior: Prior on tastes.
    """

    def __init__(self, space: TasteSpace, evidence: Evidence, prior: Prior = Prior()) -> None:  # noqa: B008 (frozen)
        self.space, self.evidence = space, evidence
        self.hypotheses: tuple[Hypothesis, ...] = prior.hypotheses()
        self._covariances: dict[tuple[float, float, float], Array] = {}
        self.posteriors: list[Posterior] = [
            infer(prior_mean(space, one), self.prior_covariance(one), one.noise, evidence) for one in self.hypotheses
        ]
        self.log_weights: Array = np.array(
            [
                np.log(one.probability) + found.log_evidence
                for one, found in zip(self.hypotheses, self.posteriors, strict=True)
            ]
        )

    @cached_property
    def probabilities(self) -> Array:
        """Probability of each hypothesis after the ratings."""
        return normalised(self.log_weights)

    @property
    def like_everybody(self) -> float:
        """Probability that the person agrees with the general model but for noise."""
        own = [bool(one.looks or one.features) for one in self.hypotheses]
        return float(self.probabilities[~np.array(own)].sum())

    @cached_property
    def opinions(self) -> Array:
        """Expected opinions of all photos (N,)."""
        return self.probabilities @ np.array([found.opinions for found in self.posteriors])

    @cached_property
    def covariance(self) -> Array:
        """Posterior covariance (N, N) of the opinions."""
        total = np.zeros((len(self.space), len(self.space)))
        for one, found, probability in zip(self.hypotheses, self.posteriors, self.probabilities, strict=True):
            if probability > _NEGLIGIBLE:
                away = found.opinions - self.opinions
                away = away - away.mean()  # a level that nobody sees teaches nothing
                total += probability * (found.covariance(self.prior_covariance(one)) + np.outer(away, away))
        return total

    @property
    def noise(self) -> float:
        """Expected variance of a rating around the opinion."""
        return float(self.probabilities @ np.array([one.noise for one in self.hypotheses]))

    def correction(self) -> Correction:
        """Return the taste as a function of what is seen of any photo."""
        slope, constant = 0.0, 0.0
        looks, features = np.zeros(len(self.space)), np.zeros(len(self.space))
        for one, found, probability in zip(self.hypotheses, self.posteriors, self.probabilities, strict=True):
            slope += probability * (one.slope + one.slope_variance * float(self.space.z @ found.dual))
            constant += probability * UNKNOWN_LEVEL * float(found.dual.sum())
            looks += probability * one.looks * found.dual
            features += probability * one.features * found.dual
        weights = self.space.slopes(looks, features)
        weights[0] = slope / self.space.deviation
        return Correction(weights, constant - float(weights @ self.space.centre))

    def prior_covariance(self, hypothesis: Hypothesis) -> Array:
        """Return the prior covariance (N, N) of the opinions under a hypothesis; equal ones are computed once."""
        key = (hypothesis.slope_variance, hypothesis.looks, hypothesis.features)
        if key not in self._covariances:
            self._covariances[key] = prior_covariance(self.space, hypothesis)
        return self._covariances[key]


def normalised(log_weights: Array) -> Array:
    """Return probabilities that are proportional to exp(log_weights), along the first axis."""
    shifted = np.exp(log_weights - log_weights.max(0))
    return shifted / shifted.sum(0)


def evidence_of(ratings: Ratings, photos: list[str]) -> Evidence:
    """Return ratings as inference sees them; those about photos that are not there are left out.

    Args:
        ratings: The ratings.
        photos: Names of the photos, in the order of their space.
    """
    place = {photo: position for position, photo in enumerate(photos)}
    stars = {photo: stars for photo, stars in ratings.stars.items() if photo in place}
    values = np.array(list(stars.values()), np.float64)
    if len(values):
        values = (values - values.mean()) / (values.std() or 1.0)
    choices = [choice for choice in ratings.choices if choice.better in place and choice.worse in place]
    return Evidence(
        np.array([place[photo] for photo in stars], np.intp),
        values,
        np.array([place[choice.better] for choice in choices], np.intp),
        np.array([place[choice.worse] for choice in choices], np.intp),
    )


def require_teachable(ratings: Ratings) -> None:
    """Refuse ratings that teach nothing.

    Raises:
        TasteError: If there are too few, or all of them are the same number of stars.
    """
    if len(ratings) < LEAST_RATINGS:
        raise TasteError(f"At least {LEAST_RATINGS} ratings are needed to learn from, and there are {len(ratings)}.")
    if not ratings.choices and len(set(ratings.stars.values())) < 2:
        raise TasteError("All photos have the same number of stars, which says nothing of a taste: use more of them.")
