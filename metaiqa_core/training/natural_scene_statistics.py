"""Hand-crafted features of a photo: how far its local contrasts are from those that natural scenes have.

Each pixel of the luma I is compared with its surroundings, x = (I - mu) / (sigma + 1), where mu and sigma are mean and
deviation under a Gaussian window. In photos without distortion x is distributed much the same whatever they show;
distortions change the distribution, and that of the products of neighbours. The features are the parameters of
generalised Gaussians fitted to these by their moments, at two scales.

Source:
    Mittal, Moorthy and Bovik, No-Reference Image Quality Assessment in the Spatial Domain (BRISQUE), IEEE Transactions
    on Image Processing 21(12), 2012, Section III: 36 features.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import gammaln

from metaiqa_core.databases.rated_image import RatedImage
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.training.kept_features import Features, kept_rows

Array = NDArray[np.floating[Any]]
SEEN = Preprocessing(short_side=512, minimum_side=16)
"""Steps from a photo to its pixels: larger photos are shrunk to the size of the databases' photos."""
SCALES = 2
_OFFSETS = np.arange(-3, 4)
_WINDOW = np.exp(-(_OFFSETS**2) / (2 * (7 / 6) ** 2))
_WINDOW /= _WINDOW.sum()
SHIFTS = ((0, 1), (1, 0), (1, 1), (-1, 1))
"""Neighbours to the right, below and on both diagonals."""
_SHAPES = np.arange(0.2, 10.001, 0.001)
_SYMMETRIC = np.exp(gammaln(1 / _SHAPES) + gammaln(3 / _SHAPES) - 2 * gammaln(2 / _SHAPES))
_ASYMMETRIC = 1 / _SYMMETRIC
_LEAST = 1e-12


def natural_scene_features(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the 36 features of BRISQUE: for each of two scales the fit of x, and those of its products.

    Args:
        pixels: (height, width, 3) uint8, RGB, of at least 16 pixels a side.

    Returns:
        (36,): by scale shape and variance of x, then for each of four neighbours shape, mean, left and right variance
        of the products.

    Raises:
        ValueError: If the photo is too small.
    """
    if pixels.ndim != 3 or min(pixels.shape[:2]) < 16:
        raise ValueError(f"expected a photo of at least 16 pixels a side with three channels, got {pixels.shape}")
    luma = luma_of(pixels)
    features: list[float] = []
    for _ in range(SCALES):
        contrast, _ = local_contrast(luma)
        features += _symmetric_fit(contrast)
        for shift in SHIFTS:
            features += _asymmetric_fit(contrast * np.roll(contrast, shift, (0, 1)))
        luma = half_size(luma)
    return np.array(features, np.float32)


def natural_scene_rows(images: Sequence[RatedImage], folder: Path) -> Work[Features]:
    """Return the features of many images (N, 36), computed once and kept; see `kept_features`.

    Args:
        images: The images.
        folder: Folder of the kept features.

    Raises:
        DatabaseError: If an image cannot be read.
    """
    return (yield from kept_rows(lambda: natural_scene_features, ["natural scene statistics"], images, SEEN, folder))


def luma_of(pixels: NDArray[np.uint8]) -> Array:
    """Return the luma (height, width), 0 to 255, of pixels (height, width, 3)."""
    return np.asarray(pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32))


def half_size(luma: Array) -> Array:
    """Return the luma at half its size: means of two by two pixels."""
    rows, columns = (side // 2 * 2 for side in luma.shape)
    return np.asarray(luma[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2).mean((1, 3)))


def local_contrast(luma: Array) -> tuple[Array, Array]:
    """Return each pixel compared with its surroundings, and the deviation of these, both of the shape of the luma."""
    mean = _blurred(luma)
    deviation = np.sqrt(np.abs(_blurred(luma**2) - mean**2))
    return (luma - mean) / (deviation + 1), deviation


def _blurred(luma: Array) -> Array:
    rows = ndimage.correlate1d(luma, _WINDOW, 0, mode="constant")
    return np.asarray(ndimage.correlate1d(rows, _WINDOW, 1, mode="constant"))


def _symmetric_fit(values: Array) -> list[float]:
    """Return shape and variance of a generalised Gaussian with the values' first and second absolute moments."""
    variance = float(np.square(values).mean())
    ratio = variance / max(float(np.abs(values).mean()) ** 2, _LEAST)
    return [float(_SHAPES[np.abs(_SYMMETRIC - ratio).argmin()]), variance]


def _asymmetric_fit(values: Array) -> list[float]:
    """Return shape, mean, left and right variance of an asymmetric generalised Gaussian fitted by moments."""
    shape, mean, left, right = asymmetric_shape(values)
    return [shape, mean, left**2, right**2]


def asymmetric_shape(values: Array) -> tuple[float, float, float, float]:
    """Return shape, mean, left and right deviation of an asymmetric generalised Gaussian fitted by moments."""
    left, right = (_deviation(values[side]) for side in (values < 0, values > 0))
    ratio = float(np.abs(values).mean()) ** 2 / max(float(np.square(values).mean()), _LEAST)
    skew = left / right
    ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shape = float(_SHAPES[np.abs(_ASYMMETRIC - ratio).argmin()])
    mean = (right - left) * float(np.exp(gammaln(2 / shape) - (gammaln(1 / shape) + gammaln(3 / shape)) / 2))
    return shape, mean, left, right


def scale_of(deviation: float, shape: float) -> float:
    """Return the scale beta of a generalised Gaussian of that deviation and shape."""
    return deviation * float(np.exp((gammaln(1 / shape) - gammaln(3 / shape)) / 2))


def _deviation(values: Array) -> float:
    return max(float(np.sqrt(np.square(values).mean())), _LEAST**0.5) if len(values) else _LEAST**0.5
