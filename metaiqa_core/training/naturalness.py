"""How natural a photo's patches look, without learning from any opinion: the distance of NIQE.

The statistics of natural scenes (`natural_scene_statistics`) are fitted to patches of 96 pixels at two scales. Those of
pristine photos give one Gaussian, those of a photo another; the distance between the two is large where the photo looks
unlike pristine ones.

Source:
    Mittal, Soundararajan and Bovik, Making a "Completely Blind" Image Quality Analyzer (NIQE), IEEE Signal Processing
    Letters 20(3), 2013. The authors' pristine photos are others: the Gaussian is fitted to those that are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.errors import TrainingError
from metaiqa_core.progress import Work
from metaiqa_core.training.kept_features import Features, kept_rows
from metaiqa_core.training.natural_scene_statistics import (
    SCALES,
    SEEN,
    SHIFTS,
    asymmetric_shape,
    half_size,
    local_contrast,
    luma_of,
    scale_of,
)

PATCH = 96
"""Side of a patch at the first scale, pixels; half of it at the second."""
_SHARP = 0.75
"""Share of the sharpest patch's sharpness from which a patch of a pristine photo counts."""
_PATCHES = 64
"""Most patches of a photo that are kept: a photo of 512 pixels a short side has fewer."""


@dataclass(frozen=True, eq=False)
class NaturalScenes:
    """The Gaussian of the features of pristine patches.

    Attributes:
        mean: (36,).
        covariance: (36, 36).
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @classmethod
    def of(cls, photos: Features) -> "NaturalScenes":
        """Fit pristine photos.

        Args:
            photos: (N, patches, 37), as `patch_rows` returns them: of each photo the sharp patches count.

        Raises:
            TrainingError: If there are fewer patches than features.
        """
        chosen = []
        for patches in photos:
            known = patches[np.isfinite(patches[:, 0])]
            sharpness = known[:, -1]
            chosen.append(known[sharpness > _SHARP * sharpness.max(initial=0)])
        features = np.concatenate(chosen)[:, :-1].astype(np.float64)
        if len(features) <= features.shape[1]:
            raise TrainingError(
                f"Natural scenes need more than {features.shape[1]} sharp patches of {PATCH} pixels, and these photos "
                f"have {len(features)}: name more pristine photos."
            )
        return cls(features.mean(0), np.cov(features, rowvar=False))

    def distance(self, patches: Features) -> float:
        """Return how far a photo is from them, 0 or more: sqrt((m - n)^T ((S + T) / 2)^-1 (m - n)).

        Args:
            patches: (patches, 37) of one photo, as `patch_rows` returns them; all patches count.
        """
        known = patches[np.isfinite(patches[:, 0])][:, :-1].astype(np.float64)
        covariance = np.cov(known, rowvar=False) if len(known) > 1 else np.zeros_like(self.covariance)
        apart = known.mean(0) - self.mean
        inverse = np.linalg.pinv((self.covariance + covariance) / 2)
        return float(np.sqrt(max(apart @ inverse @ apart, 0.0)))


def patch_features(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the features of a photo's patches, side by side from the top left corner.

    Args:
        pixels: (height, width, 3) uint8, RGB, of at least 96 pixels a side.

    Returns:
        (64, 37): 36 features and the sharpness, the mean deviation of the luma under a small window; NaN where there is
        no further patch.

    Raises:
        ValueError: If the photo is smaller than a patch.
    """
    if pixels.ndim != 3 or min(pixels.shape[:2]) < PATCH:
        raise ValueError(f"expected a photo of at least {PATCH} pixels a side with three channels, got {pixels.shape}")
    rows, columns = (side // PATCH for side in pixels.shape[:2])
    luma = luma_of(pixels)[: rows * PATCH, : columns * PATCH]
    parts, sharpness = [], np.zeros(rows * columns)
    for scale in range(SCALES):
        contrast, deviation = local_contrast(luma)
        side = PATCH >> scale
        parts.append([_fits(patch) for patch in _patches(contrast, side)])
        if scale == 0:
            sharpness = _patches(deviation, side).mean((1, 2))
        luma = half_size(luma)
    features = np.concatenate([*map(np.array, parts), sharpness[:, None]], 1)
    if len(features) > _PATCHES:  # spread over the photo
        features = features[np.linspace(0, len(features) - 1, _PATCHES).round().astype(int)]
    result = np.full((_PATCHES, features.shape[1]), np.nan, np.float32)
    result[: len(features)] = features
    return result


def patch_rows(images: Sequence[RatedImage], folder: Path) -> Work[Features]:
    """Return the features of the patches of many images (N, 64, 37), computed once and kept; see `kept_features`.

    Args:
        images: The images.
        folder: Folder of the kept features.

    Raises:
        DatabaseError: If an image cannot be read.
    """
    return (yield from kept_rows(lambda: patch_features, ["natural scene patches"], images, SEEN, folder))


def _patches(values: NDArray[np.floating], side: int) -> NDArray[np.floating]:
    rows, columns = (length // side for length in values.shape)
    return values.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)


def _fits(contrast: NDArray[np.floating]) -> list[float]:
    """Return 18 features of a patch: shape and scale of its values, then those of the products of neighbours."""
    shape, _, left, right = asymmetric_shape(contrast)
    features = [shape, (scale_of(left, shape) + scale_of(right, shape)) / 2]
    for shift in SHIFTS:
        shape, mean, left, right = asymmetric_shape(contrast * np.roll(contrast, shift, (0, 1)))
        features += [shape, mean, scale_of(left, shape), scale_of(right, shape)]
    return features
