"""The functions of a kernel regression: Gaussian functions around rated photos, of what the head sees, whitened."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
import torch
from numpy.typing import NDArray

from metaiqa_core.models.regressor import Standardise
from metaiqa_core.models.tones import tone_features
from metaiqa_core.training.kept_features import Features
from metaiqa_core.training.kernel_configuration import KernelConfig
from metaiqa_core.training.kernel_ridge import squared_distances

Array = NDArray[np.float64]
_JITTER = 1e-6
_TONE_WIDTH = 1.0
"""Width of the functions of tones, as a share of the root of the median squared distance of two photos."""
_LEAST_TONE_DEVIATION = 1e-3
"""Added to the deviations of tones, some of which hardly any photo has."""


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Gaussian functions of features of one kind.

    Attributes:
        projection: (F, D): from the features to those that the functions see.
        centres: (M, D).
        width: Width of the functions.
    """

    projection: Array
    centres: Array
    width: float

    def __call__(self, features: Array) -> Array:
        """Return the functions (N, M) of features (N, F)."""
        return self._at(features @ self.projection)

    @cached_property
    def whitening(self) -> Array:
        """W (M, M) with W W^T the inverse of the centres' kernel.

        Likenesses times W have the kernel as their inner product.
        """
        kernel = self._at(self.centres)
        lower = scipy.linalg.cholesky(kernel + _JITTER * len(kernel) * np.eye(len(kernel)), lower=True)
        return np.asarray(scipy.linalg.solve_triangular(lower, np.eye(len(kernel)), lower=True).T)

    def _at(self, projected: Array) -> Array:
        return np.asarray(np.exp(-squared_distances(projected, self.centres) / (2 * self.width**2)))


@dataclass(frozen=True, eq=False)
class KernelFunctions:
    """Gaussian functions of what the backbone sees, and of the tones if there are any; the kernel is their sum.

    Attributes:
        kinds: Functions of the features of each kind, in their order.
    """

    kinds: tuple[Gaussian, ...]

    def __call__(self, features: Array) -> Array:
        """Return the whitened functions (N, M) of standardised features (N, P)."""
        edges = np.cumsum([len(kind.projection) for kind in self.kinds])[:-1]
        parts = np.split(features, edges, axis=1)
        return np.concatenate([kind(one) @ kind.whitening for kind, one in zip(self.kinds, parts, strict=True)], 1)

    @property
    def count(self) -> int:
        """Number of functions, M."""
        return sum(len(kind.centres) for kind in self.kinds)

    @property
    def whitening(self) -> Array:
        """(M, M): from the functions to the whitened ones."""
        return np.asarray(scipy.linalg.block_diag(*(kind.whitening for kind in self.kinds)))


def choose_functions(features: Sequence[Array], config: KernelConfig) -> KernelFunctions:
    """Choose centres among the studies' images, and the projection and the width that fit them.

    Args:
        features: Standardised features (N, P) of each study; tones, if any, come last.
        config: Settings of the regression.
    """
    draws = np.random.default_rng((config.seed, 4))
    rows = [np.sort(draws.permutation(len(one))[: config.centres]) for one in features]
    seen_by_backbone = features[0].shape[1] - tone_features(config.tones)
    pooled = [one[:, :seen_by_backbone] for one in features]
    kinds = [_gaussian(pooled, rows, _principal_components(np.concatenate(pooled), config), config.width)]
    if config.tones:
        tones = [one[:, seen_by_backbone:] for one in features]
        some = [one[np.linspace(0, len(one) - 1, min(config.tone_centres, len(one))).astype(int)] for one in rows]
        kinds.append(_gaussian(tones, some, np.eye(tones[0].shape[1]), _TONE_WIDTH))
    return KernelFunctions(tuple(kinds))


def with_tones(standard: Standardise, features: Sequence[Features]) -> Standardise:
    """Return the standardisation of what the head sees: the network's, and one of the tones that come after it.

    Args:
        standard: Standardisation of the pooled features.
        features: Features (N, P) of each study, as they are.
    """
    known, seen = standard.mean.numel(), features[0].shape[1]
    if seen == known:
        return standard
    tones = torch.from_numpy(np.concatenate([one[:, known:] for one in features]))
    together = Standardise(seen)
    deviation = tones.std(0, correction=0) + _LEAST_TONE_DEVIATION
    together.load_state_dict(
        {
            "mean": torch.cat([standard.mean, tones.mean(0)]),
            "deviation": torch.cat([standard.deviation, deviation]),
            "fitted": standard.fitted,
        }
    )
    return together


def _gaussian(features: Sequence[Array], rows: Sequence[NDArray[np.int_]], projection: Array, width: float) -> Gaussian:
    """Return functions with these rows of the studies' features as centres, and a width as a share of distances."""
    centres = np.concatenate([one[chosen] @ projection for one, chosen in zip(features, rows, strict=True)])
    return Gaussian(projection, centres, width * float(np.sqrt(np.median(squared_distances(centres, centres)))))


def _principal_components(features: Array, config: KernelConfig) -> Array:
    """Return the projection (P, D) to the directions in which features vary most; the origin stays where it is."""
    dimensions = min(config.dimensions, *features.shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        _, _, directions = torch.pca_lowrank(torch.from_numpy(features), q=dimensions, niter=2)
    return directions.numpy()
