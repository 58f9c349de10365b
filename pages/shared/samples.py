"""Sample photos: five that scikit-image bundles, each with one or two damaged versions.

Nothing is stored in the repository; all is made at run time, the same bytes every time.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from scipy.ndimage import uniform_filter1d
from skimage import data

from metaiqa_core.images import png
from pages.shared.encoding import jpeg

_NOISE_SEED = 2020
_MISSING_STOPS, _EXTRA_STOPS = -3.0, 1.6
_SHAKE = 25
"""Length of a camera's horizontal shake, pixels."""
_ENLARGEMENT = 3


def _bundled(name: str) -> Image.Image:
    if name == "motorcycle":  # the loader would return a stereo pair with its disparities
        return Image.open(Path(data.__file__).parent / "motorcycle_left.png").convert("RGB")
    return Image.fromarray(getattr(data, name)())


def _blurred(photo: Image.Image) -> Image.Image:
    return photo.filter(ImageFilter.GaussianBlur(4))  # standard deviation, pixels


def _shaken(photo: Image.Image) -> Image.Image:
    pixels = uniform_filter1d(np.asarray(photo, np.float64), _SHAKE, axis=1, mode="nearest")
    return Image.fromarray(pixels.round().astype(np.uint8))


def _noisy(photo: Image.Image) -> Image.Image:
    pixels = np.asarray(photo, np.float64)
    noise = np.random.default_rng(_NOISE_SEED).normal(0, 35, pixels.shape)  # levels of 255, each channel on its own
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def _exposed(photo: Image.Image, stops: float) -> Image.Image:
    """Double the light that many times (the light is about the level to the power of 2.2); beyond white it is lost."""
    pixels = (np.asarray(photo, np.float64) / 255) ** 2.2 * 2**stops
    return Image.fromarray((255 * pixels.clip(0, 1) ** (1 / 2.2)).round().astype(np.uint8))


def _enlarged(photo: Image.Image) -> Image.Image:
    """Zoom in as a phone does without a tele lens: more pixels, no more detail."""
    return photo.resize((photo.width * _ENLARGEMENT, photo.height * _ENLARGEMENT), Image.Resampling.BICUBIC)


_MAKERS: dict[str, Callable[[], bytes]] = {
    "coffee.png": lambda: png(_bundled("coffee")),
    "coffee, digital zoom.jpg": lambda: jpeg(_enlarged(_bundled("coffee")), 95),
    "coffee, strong JPEG.jpg": lambda: jpeg(_bundled("coffee"), 6),
    "astronaut.png": lambda: png(_bundled("astronaut")),
    "astronaut, blurred.png": lambda: png(_blurred(_bundled("astronaut"))),
    "astronaut, underexposed.png": lambda: png(_exposed(_bundled("astronaut"), _MISSING_STOPS)),
    "cat.png": lambda: png(_bundled("chelsea")),
    "cat, noisy.png": lambda: png(_noisy(_bundled("chelsea"))),
    "rocket.png": lambda: png(_bundled("rocket")),
    "rocket, camera shake.png": lambda: png(_shaken(_bundled("rocket"))),
    "motorcycle.png": lambda: png(_bundled("motorcycle")),
    "motorcycle, overexposed.png": lambda: png(_exposed(_bundled("motorcycle"), _EXTRA_STOPS)),
}
NAMES: tuple[str, ...] = tuple(_MAKERS)
"""Names of the samples, the one to open first in front."""


@lru_cache(maxsize=len(NAMES))
def content(name: str) -> bytes:
    """Return a sample's file content; equal names give equal bytes."""
    return _MAKERS[name]()
