"""Photos damaged in a known place, to test whether a map finds the damage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.distortions import distort
from metaiqa_core.explain.regions import Region
from metaiqa_core.images.exposure import exposed

FEATHER = 0.2
"""Width of the soft rim on each side of a damaged region, as a share of its side."""

_EXPOSURE_STOPS = 2.5


@dataclass(frozen=True)
class Damage:
    """One way to damage a photo.

    Attributes:
        key: Name in files.
        title: Name on a page.
        apply: Function from pixels (H, W, 3), uint8, and a seed to pixels of the same shape, damaged all over.
    """

    key: str
    title: str
    apply: Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]


def _distorted(name: str, level: int) -> Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]:
    return lambda pixels, seed: distort(pixels, name, level, seed=seed)


def _exposed(stops: float) -> Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]:
    return lambda pixels, seed: exposed(pixels, stops)  # nothing is random


DAMAGES: Mapping[str, Damage] = MappingProxyType(
    {
        damage.key: damage
        for damage in (
            Damage("blur", "Gaussian blur (sigma 5 pixels)", _distorted("kadid10k:GB", 5)),
            Damage("noise", "White noise (standard deviation 0.1)", _distorted("kadid10k:WN", 5)),
            Damage("jpeg", "JPEG (quality 4)", _distorted("kadid10k:JPEG", 5)),
            Damage("overexposure", "Overexposed by 2.5 stops", _exposed(_EXPOSURE_STOPS)),
            Damage("underexposure", "Underexposed by 2.5 stops", _exposed(-_EXPOSURE_STOPS)),
        )
    }
)
"""Every damage by its key: the strongest level of KADID-10k, or an exposure that a camera gets wrong."""


def random_square(height: int, width: int, seed: int) -> Region:
    """Return a square of 1/9 to 1/6 of the area (as far as it fits), anywhere in a photo of `height` x `width` pixels.

    Args:
        height: Height of the photo, pixels.
        width: Width of the photo, pixels.
        seed: Seed of size and place, 0 or more.
    """
    generator = np.random.default_rng(seed)
    side = min(round(float(np.sqrt(generator.uniform(1 / 9, 1 / 6) * height * width))), height, width)
    top = int(generator.integers(0, height - side + 1))
    left = int(generator.integers(0, width - side + 1))
    return Region(top, left, top + side, left + side)


def damage_region(
    pixels: NDArray[np.uint8], damage: Damage, region: Region, *, seed: int = 0, feather: float = FEATHER
) -> NDArray[np.uint8]:
    """Damage a region and nothing else.

    The damage fades in over a rim inside the region (a raised cosine): a hard edge would be a square that no camera
    makes, and a map that only found edges would pass the test.

    Args:
        pixels: Pixels of the photo, (H, W, 3), uint8.
        damage: Damage to apply.
        region: Region to damage; outside it every pixel stays as it is.
        seed: Seed of a random damage, 0 or more.
        feather: Width of the rim as a share of the region's side, in [0, 0.5].

    Returns:
        (H, W, 3), uint8, new.
    """
    if not 0 <= feather <= 0.5:
        raise ValueError(f"feather must be in [0, 0.5], got {feather!r}")
    weight = np.outer(_fade(region.bottom - region.top, feather), _fade(region.right - region.left, feather))[
        :, :, None
    ]  # (h, w, 1)
    # Damaged as a whole: a codec's blocks and a blur's reach must not know where the region ends.
    damaged = damage.apply(pixels, seed)
    area = slice(region.top, region.bottom), slice(region.left, region.right)
    result = pixels.copy()
    result[area] = np.round(weight * damaged[area] + (1 - weight) * pixels[area]).astype(np.uint8)
    return result


def _fade(length: int, feather: float) -> NDArray[np.float64]:
    """Return weights (length,) that rise from 0 to 1 and fall back within `feather` of the length."""
    distance = np.minimum(np.arange(length) + 0.5, length - np.arange(length) - 0.5)
    rim = max(feather * length, 0.5)
    return 0.5 - 0.5 * np.cos(np.pi * np.minimum(distance / rim, 1))
