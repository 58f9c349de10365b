"""Blur: Gaussian, lens (a disk) and motion (a line), with replicated borders."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal.windows import gaussian as gaussian_window
from torch import Tensor
from torch.nn import functional as F

from metaiqa_core.distortions.level_search import Degradation
from metaiqa_core.distortions.randomness import RandomStreams

DISK_SAMPLES = 512  # columns per pixel in the integral of the disk's edge


def gaussian_kernel(sigma: float, radius: int) -> NDArray[np.float64]:
    """Sample a Gaussian at 2 * radius + 1 integers and normalise it to sum 1."""
    window = gaussian_window(2 * radius + 1, sigma)
    return window / window.sum()


def disk_kernel(radius: float) -> NDArray[np.float64]:
    """Compute the share of every pixel that a disk covers, normalised to sum 1.

    Args:
        radius: Radius of the disk, pixels, above 0.

    Returns:
        (2 * ceil(radius - 0.5) + 1) squared weights: pixels on the edge have the weight of their covered part.
    """
    reach = math.ceil(radius - 0.5)
    centres = np.arange(-reach, reach + 1)
    columns = (np.arange((2 * reach + 1) * DISK_SAMPLES) + 0.5) / DISK_SAMPLES - reach - 0.5
    half_chords = np.sqrt(np.clip(radius**2 - columns**2, 0, None))
    top = np.minimum(half_chords, centres[:, None] + 0.5)
    bottom = np.maximum(-half_chords, centres[:, None] - 0.5)
    covered = np.clip(top - bottom, 0, None).reshape(len(centres), len(centres), DISK_SAMPLES).mean(2)
    return covered / covered.sum()


def line_kernel(length: float, angle: float) -> NDArray[np.float64]:
    """Draw an anti-aliased line: each pixel weighs 1 - its distance to the line, if positive; normalised to sum 1.

    Args:
        length: Length of the line, pixels, at least 1; 1 is a single pixel.
        angle: Direction of the line, degrees counter-clockwise from the horizontal.

    Returns:
        Square weights of odd size, symmetric about the centre.
    """
    half = (length - 1) / 2
    reach = math.ceil(half) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = x * math.cos(math.radians(angle)) - y * math.sin(math.radians(angle))
    nearest = np.clip(along, -half, half)
    distance = np.hypot(
        x - nearest * math.cos(math.radians(angle)),
        y + nearest * math.sin(math.radians(angle)),
    )
    weights = np.clip(1 - distance, 0, None)
    return weights / weights.sum()


def convolve(images: Tensor, kernels: Sequence[NDArray[np.float64]]) -> Tensor:
    """Filter every image with its own kernel; borders are replicated.

    Args:
        images: (B, C, H, W).
        kernels: B kernels (rows, columns) of one common shape, odd in both directions.

    Returns:
        (B, C, H, W).
    """
    batch, channels, height, width = images.shape
    weights = images.new_tensor(np.stack(kernels))
    rows, columns = weights.shape[1:]
    padded = F.pad(images, (columns // 2, columns // 2, rows // 2, rows // 2), mode="replicate")
    padded = padded.transpose(0, 1)  # (C, B, H', W'): one group per image, so that each gets its own kernel
    return F.conv2d(padded, weights[:, None], groups=batch).transpose(0, 1).reshape(batch, channels, height, width)


def smooth(images: Tensor, sigma: float, radius: int | None = None) -> Tensor:
    """Filter (B, C, H, W) with a Gaussian, one direction after the other; borders are replicated.

    Args:
        images: (B, C, H, W).
        sigma: Standard deviation of the Gaussian, pixels.
        radius: Half the window, pixels; None for ceil(4 sigma), where the tail is negligible.

    Returns:
        (B, C, H, W).
    """
    radius = math.ceil(4 * sigma) if radius is None else radius
    kernel = gaussian_kernel(sigma, radius)
    for dimension, padding in ((2, (0, 0, radius, radius)), (3, (radius, radius, 0, 0))):
        size = images.shape[dimension]
        padded = F.pad(images, padding, mode="replicate")
        # A sum of shifted images: on a CPU two to ten times as fast as conv2d with a kernel of one column.
        images = kernel[0] * padded.narrow(dimension, 0, size)
        for offset, weight in enumerate(kernel[1:], start=1):
            images.add_(padded.narrow(dimension, offset, size), alpha=float(weight))
    return images


def gaussian_blur(images: Tensor, sigma: float, streams: RandomStreams) -> Tensor:
    """Blur with a Gaussian cut off at a window of 2 * ceil(2 * sigma) + 1 pixels, as KADID-10k does."""
    return smooth(images, sigma, radius=math.ceil(2 * sigma))


def lens_blur(images: Tensor, radius: float, streams: RandomStreams) -> Tensor:
    """Blur with a disk: every point becomes a circle, as out of focus."""
    return convolve(images, [disk_kernel(radius)] * len(images))


def motion_blur(images: Tensor, length: float, streams: RandomStreams) -> Tensor:
    """Blur along a line of a random direction, as by a moving camera."""
    angles = streams.integers(0, 180).tolist()
    return convolve(images, [line_kernel(length, angle) for angle in angles])


def prepare_gaussian_blur(images: Tensor, streams: RandomStreams) -> Degradation:
    """Gaussian blur of one image; the strength is sigma in pixels."""

    def degrade(strength: Tensor) -> Tensor:
        sigma = min(float(strength), max(images.shape[-2:]) / 4)  # beyond that nothing but the mean is left
        return smooth(images, sigma)

    return degrade
