"""Tests of whether a photo is pristine enough to be a reference, so that no damaged photo is labelled as a good one.

Four measures, each with the share of pristine photos (CID22, BSDS500, Kodak) and of damaged ones that it refuses in
`docs/label_refinement.md`. They catch flaws that are visible at a glance; a person who picks the photos sees more.
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from metaiqa_core.errors import PhotoError
from metaiqa_core.images import Photo
from metaiqa_core.synthesis.compression_traces import jpeg_quality
from metaiqa_core.synthesis.windows import Window

MINIMUM_JPEG_QUALITY = 85  # where the window keeps more than half of the photo's resolution
MINIMUM_REDUCED_JPEG_QUALITY = 50  # where a reduction averages four pixels or more
MAXIMUM_BLOCKING = 0.4  # levels of 255
MINIMUM_SHARPNESS = 0.45
MAXIMUM_NOISY_SHARE = 0.05

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
BLOCK = 8  # pixels: the grid of JPEG
STEP_LIMIT = 16  # levels: what an edge of the scene may add to the blocking
REACH = 8  # pixels across an edge within which its contrast is sought
EDGE_CONTRAST = 40  # levels: what counts as an edge
MINIMUM_EDGE_PIXELS = 500
TILE = 16  # pixels, of the half-size bands
NOISE_DEVIATION = 2.0  # levels


def refuse_flaws(path: Path, photo: Photo, window: Window) -> None:
    """Raise a `PhotoError` that names the flaw if a photo is compressed, blurred or noisy.

    Args:
        path: File of the photo, for the tables of a JPEG.
        photo: Decoded photo.
        window: Part of the photo that would be used.
    """
    reduced = 2 * window.scaled_size[0] <= photo.pixels.shape[1]
    quality, minimum = jpeg_quality(path), MINIMUM_REDUCED_JPEG_QUALITY if reduced else MINIMUM_JPEG_QUALITY
    if quality is not None and quality < minimum:
        raise PhotoError(f"{path.name} was saved as a JPEG of quality {quality}: at least {minimum} is needed.")
    if not reduced and (traces := blocking(luma_of(photo.pixels))) > MAXIMUM_BLOCKING:
        raise PhotoError(
            f"{path.name} shows a grid, as compression or enlargement leaves it ({traces:.2f} levels, at most "
            f"{MAXIMUM_BLOCKING:g} are accepted): use the original."
        )
    luma = luma_of(window.cut(photo.pixels))
    sharpest = sharpness(luma)
    if sharpest is None:
        raise PhotoError(f"{path.name} shows hardly any edges, so it cannot be told whether it is sharp.")
    if sharpest < MINIMUM_SHARPNESS:
        reached = math.floor(sharpest * 100) / 100  # 0.449 is not enough, so it is not to read as 0.45
        raise PhotoError(
            f"{path.name} is blurred or was enlarged: its sharpest edges reach {reached:.2f} of a step from one pixel "
            f"to the next, at least {MINIMUM_SHARPNESS:g} is needed."
        )
    if (share := noisy_share(luma)) > MAXIMUM_NOISY_SHARE:
        raise PhotoError(
            f"{path.name} is noisy: noise prevails in {share:.0%} of its area, at most {MAXIMUM_NOISY_SHARE:.0%} is "
            "accepted."
        )


def luma_of(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the luma (H, W), 0 to 255, of pixels (H, W, 3)."""
    return pixels @ np.array(LUMA)


def blocking(luma: NDArray[np.float64]) -> float:
    """Measure how much larger steps are every eight pixels than elsewhere, in levels; about 0 without compression.

    A step counts as far as it exceeds the mean of its two neighbours, so that textures and slopes cancel. The grid may
    begin anywhere (a cropped photo's does). It must show in both directions, as no fence does, and at most lines of the
    grid, so that a few long straight edges do not count.
    """
    excess = []
    for rows in (luma, luma.T):
        steps = np.abs(np.diff(rows, axis=0))
        beyond = (steps[1:-1] - (steps[:-2] + steps[2:]) / 2).clip(-STEP_LIMIT, STEP_LIMIT).mean(axis=1)
        by_phase = np.median(beyond[: len(beyond) // BLOCK * BLOCK].reshape(-1, BLOCK), axis=0)
        excess.append(float(by_phase.max() - np.median(by_phase)))
    return min(excess)


def sharpness(luma: NDArray[np.float64]) -> float | None:
    """Measure how much of an edge's contrast its sharpest pixels cross in one step: 1 for a hard edge.

    A Gaussian blur of sigma 1 leaves 0.4 at most. The 95th percentile over all edges, in the better direction: an
    unsharp background does no harm.

    Returns:
        The share, or None if there are too few edges to tell.
    """
    shares = []
    for rows in (luma, luma.T):
        contrast = (maximum_filter1d(rows, REACH, axis=0) - minimum_filter1d(rows, REACH, axis=0))[1:]
        edges = contrast > EDGE_CONTRAST
        if edges.sum() >= MINIMUM_EDGE_PIXELS:
            shares.append(float(np.percentile(np.abs(np.diff(rows, axis=0))[edges] / contrast[edges], 95)))
    return max(shares, default=None)


def noisy_share(luma: NDArray[np.float64]) -> float:
    """Measure the share of the area in which noise prevails.

    White noise is as strong in the finest diagonal band as in the means of 2x2 pixels, while textures of a scene grow
    with scale. A tile counts if its means deviate less than twice as much as that band, and the band by 2 levels.
    """
    height, width = (side // (2 * TILE) * 2 * TILE for side in luma.shape)
    cells = luma[:height, :width].reshape(height // 2, 2, width // 2, 2)
    mean = cells.sum(axis=(1, 3)) / 2  # orthonormal bands: white noise deviates equally in both
    diagonal = (cells[:, 0, :, 0] - cells[:, 0, :, 1] - cells[:, 1, :, 0] + cells[:, 1, :, 1]) / 2
    fine, coarse = _tile_deviations(diagonal), _tile_deviations(mean)
    return float(np.mean((coarse < 2 * fine) & (fine > NOISE_DEVIATION)))


def _tile_deviations(band: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, columns = band.shape[0] // TILE, band.shape[1] // TILE
    return band.reshape(rows, TILE, columns, TILE).std(axis=(1, 3))
