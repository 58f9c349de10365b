"""Inference of a taste from ratings: exact for stars, by Laplace's approximation where there are choices.

Of n photos, opinions f have a Gaussian prior N(m, C). Stars y say N(y; f, s); a choice says Phi((f_better - f_worse) /
sqrt(2 s)), which is Thurstone's law with the same noise. With W the negative second derivative of the log-likelihood at
the most probable opinions, these are f = m + C a, and

    log p(ratings) = log p(ratings | f) - a . (f - m) / 2 - log det(I + C W) / 2.

Source:
    Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, sections 2.2 and 3.4; Chu and Ghahramani,
    Preference Learning with Gaussian Processes, ICML 2005.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from metaiqa_core.taste.prior import UNKNOWN_LEVEL, Hypothesis
from metaiqa_core.taste.space import TasteSpace

Array = NDArray[np.float64]
Positions = NDArray[np.intp]

_STEPS = 50
_HALVINGS = 20
_EXACT = 1e-8


@dataclass(frozen=True, eq=False)
class Evidence:
    """Ratings as inference sees them: photos by their positions in a `TasteSpace`.

    Attributes:
        rated: Positions of the photos with stars, (S,).
        opinions: Their stars, standardised, (S,).
        better: Positions of the preferred photos, (C,).
        worse: Positions of the others, (C,).
    """

    rated: Positions
    opinions: Array
    better: Positions
    worse: Positions

    def without(self, *photos: int) -> "Evidence":
        """Return the ratings that are not about these photos."""
        kept = ~np.isin(self.rated, photos)
        apart = ~(np.isin(self.better, photos) | np.isin(self.worse, photos))
        return Evidence(self.rated[kept], self.opinions[kept], self.better[apart], self.worse[apart])

    def among(self, photos: Positions) -> "Evidence":
        """Return the ratings with their positions in an ascending list of photos, which holds all of them."""
        rated, better, worse = (np.searchsorted(photos, places) for places in (self.rated, self.better, self.worse))
        return Evidence(rated, self.opinions, better, worse)


@dataclass(frozen=True, eq=False)
class Posterior:
    """What the ratings say of a taste under one hypothesis.

    Attributes:
        log_evidence: Log-probability of the ratings.
        opinions: Most probable opinions of all photos (N,).
        dual: Coefficients a (N,): opinions are m + C a.
        certainty: W (N, N).
    """

    log_evidence: float
    opinions: Array
    dual: Array
    certainty: Array

    def covariance(self, prior: Array) -> Array:
        """Return the posterior covariance (N, N) of the opinions.

        Args:
            prior: Prior covariance C (N, N).
        """
        asked = np.flatnonzero(np.diag(self.certainty))
        certainty, among = self.certainty[np.ix_(asked, asked)], prior[np.ix_(asked, asked)]
        middle = np.linalg.solve(np.eye(len(asked)) + certainty @ among, certainty)
        return prior - prior[:, asked] @ middle @ prior[asked]


def prior_mean(space: TasteSpace, hypothesis: Hypothesis) -> Array:
    """Return the prior mean m (N,) of the opinions."""
    return hypothesis.slope * space.z


def prior_covariance(space: TasteSpace, hypothesis: Hypothesis) -> Array:
    """Return the prior covariance C (N, N) of the opinions."""
    covariance = UNKNOWN_LEVEL + hypothesis.slope_variance * np.outer(space.z, space.z)
    if hypothesis.looks:
        covariance += hypothesis.looks * space.looks_kernel
    if hypothesis.features:
        covariance += hypothesis.features * space.features_kernel
    return covariance


def infer(mean: Array, covariance: Array, noise: float, evidence: Evidence) -> Posterior:
    """Infer opinions by Newton's method, which is exact after one step where there are stars alone.

    Args:
        mean: Prior mean of the opinions (N,).
        covariance: Prior covariance of the opinions (N, N).
        noise: Variance s of a rating around the opinion.
        evidence: The ratings.
    """
    asked = np.unique(np.concatenate((evidence.rated, evidence.better, evidence.worse)))
    inner = _newton(mean[asked], covariance[np.ix_(asked, asked)], noise, evidence.among(asked))
    dual, certainty = np.zeros_like(mean), np.zeros_like(covariance)
    dual[asked], certainty[np.ix_(asked, asked)] = inner.dual, inner.certainty
    return Posterior(inner.log_evidence, mean + covariance @ dual, dual, certainty)


def _newton(mean: Array, covariance: Array, noise: float, evidence: Evidence) -> Posterior:
    """Infer the opinions of photos that something was said about."""
    unit = np.eye(len(mean))
    dual, opinions = np.zeros_like(mean), mean
    objective, gradient, certainty = _likelihood(opinions, noise, evidence)
    for _ in range(_STEPS):
        # W C and C W have the same determinant, but only the former stays well away from singular here.
        target = certainty @ (opinions - mean) + gradient
        step = np.linalg.solve(unit + certainty @ covariance, target) - dual
        for _ in range(_HALVINGS):
            tried = dual + step
            found = mean + covariance @ tried
            likelihood, gradient, certainty = _likelihood(found, noise, evidence)
            value = likelihood - float(tried @ (found - mean)) / 2
            if value >= objective - _EXACT:
                break
            step = step / 2
        change, gain = float(np.abs(found - opinions).max(initial=0.0)), value - objective
        dual, opinions, objective = tried, found, value
        if not len(evidence.better) or change < _EXACT or abs(gain) < _EXACT:
            break
    _, determinant = np.linalg.slogdet(unit + certainty @ covariance)
    return Posterior(objective - float(determinant) / 2, opinions, dual, certainty)


def _likelihood(opinions: Array, noise: float, evidence: Evidence) -> tuple[float, Array, Array]:
    """Return the log-likelihood, its gradient (N,), and its negative second derivative (N, N)."""
    gradient, certainty = np.zeros_like(opinions), np.zeros((len(opinions), len(opinions)))
    errors = evidence.opinions - opinions[evidence.rated]
    value = -float(errors @ errors) / (2 * noise) - len(errors) / 2 * np.log(2 * np.pi * noise)
    np.add.at(gradient, evidence.rated, errors / noise)
    np.add.at(certainty, (evidence.rated, evidence.rated), 1 / noise)
    scale = np.sqrt(2 * noise)
    margins = (opinions[evidence.better] - opinions[evidence.worse]) / scale
    logs = log_ndtr(margins)
    ratios = np.exp(-np.square(margins) / 2 - np.log(2 * np.pi) / 2 - logs)
    np.add.at(gradient, evidence.better, ratios / scale)
    np.add.at(gradient, evidence.worse, -ratios / scale)
    curvature = ratios * (margins + ratios) / scale**2
    for one, other, sign in ((0, 0, 1), (1, 1, 1), (0, 1, -1), (1, 0, -1)):
        places = (evidence.better, evidence.worse)
        np.add.at(certainty, (places[one], places[other]), sign * curvature)
    return value + float(logs.sum()), gradient, certainty
