"""Active choice: which photo, or which two, to ask about next, so that each answer teaches as much as it can.

A photo is worth asking about where its answer would narrow down the opinions of all photos most. Two are worth
comparing where the answer is open although each hypothesis on the taste is sure of it: the mutual information between
answer and opinions (BALD).

Source:
    Seo et al., Gaussian Process Regression: Active Data Selection and Test Point Rejection, IJCNN 2000; Houlsby et al.,
    Bayesian Active Learning for Classification and Preference Learning, 2011, for the closed form of BALD.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, ndtr

from metaiqa_core.taste.taste import Taste

Array = NDArray[np.float64]

_ASKED_BEFORE = 0.5
"""Factor of a pair's worth for each photo that both pairs share with the last one: variety keeps people awake."""


def next_photos(taste: Taste, asked: Collection[int], count: int = 1) -> list[int]:
    """Return the positions of the photos whose stars would teach most, each given the answers to those before it.

    Args:
        taste: Taste as far as it is known.
        asked: Positions of the photos that have stars or were skipped.
        count: Number of photos wanted; there are fewer where the others were asked about.
    """
    covariance = _without_level(taste.covariance)
    found: list[int] = []
    for _ in range(count):
        free = [place for place in range(len(taste.space)) if place not in {*asked, *found}]
        if not free:
            break
        reach = np.diag(covariance) + taste.noise
        worth = np.square(covariance).sum(0) / reach
        best = max(free, key=lambda place: (round(float(worth[place]), 12), -place))
        covariance = covariance - np.outer(covariance[best], covariance[best]) / reach[best]
        found.append(best)
    return found


def next_pairs(
    taste: Taste, asked: Collection[frozenset[int]], last: Collection[int] = (), count: int = 1
) -> list[tuple[int, int]]:
    """Return the positions of the pairs whose comparison would teach most, such that photos seldom follow themselves.

    Args:
        taste: Taste as far as it is known.
        asked: Pairs that were compared or skipped.
        last: Positions of the photos of the last question, which are less welcome.
        count: Number of pairs wanted; there are fewer where the others were compared.
    """
    found: list[tuple[int, int]] = []
    shown = list(last)
    for _ in range(count):
        pair = _next_pair(taste, {*asked, *map(frozenset, found)}, shown)
        if pair is None:
            break
        found.append(pair)
        shown += pair
    return found


def _next_pair(taste: Taste, asked: set[frozenset[int]], last: list[int]) -> tuple[int, int] | None:
    """Return the pair whose comparison would teach most; None where all were compared."""
    count = len(taste.space)
    one, other = np.triu_indices(count, 1)
    free = np.array([frozenset((int(a), int(b))) not in asked for a, b in zip(one, other, strict=True)], bool)
    if not free.any():
        return None
    one, other = one[free], other[free]
    variances = np.diag(taste.covariance)
    spread = np.maximum(variances[one] + variances[other] - 2 * taste.covariance[one, other], 0)
    worth = information(taste.opinions[one] - taste.opinions[other], spread, 2 * taste.noise)
    repeated = np.isin(one, list(last)).astype(int) + np.isin(other, list(last)).astype(int)
    best = int(np.argmax(np.round(worth * _ASKED_BEFORE**repeated, 12)))
    return int(one[best]), int(other[best])


def information(margin: Array, spread: Array, noise: float) -> Array:
    """Return the mutual information, in bits, between the answers to comparisons and the opinions behind them.

    Args:
        margin: Expected differences of the opinions.
        spread: Variances of these differences.
        noise: Variance of an answer around the difference.
    """
    margin, spread = margin / np.sqrt(noise), spread / noise
    probability = ndtr(margin / np.sqrt(spread + 1))
    total = (entr(probability) + entr(1 - probability)) / np.log(2)
    constant = np.pi * np.log(2) / 2
    expected = np.sqrt(constant / (spread + constant)) * np.exp(-np.square(margin) / (2 * (spread + constant)))
    return total - expected


def _without_level(covariance: Array) -> Array:
    """Return the covariance of opinions minus their mean over the photos, which ranks nothing."""
    rows = covariance - covariance.mean(0, keepdims=True)
    return rows - rows.mean(1, keepdims=True)
