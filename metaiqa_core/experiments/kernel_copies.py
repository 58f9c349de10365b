"""Copies of photos that are worse than the photos, whoever looks: a kernel head is told so, by differences.

A network that has learned from opinion scores alone may like a copy better that was reduced or recompressed, since
noise has gone with the detail. The falls are no opinion scores: they are what the network says on average without them.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from metaiqa_core.images import Photo
from metaiqa_core.images.exposure import exposed

Copied = Callable[[Image.Image, float], Image.Image]
_SEED = 7


@dataclass(frozen=True)
class CopyKind:
    """A way to copy a photo.

    Attributes:
        name: Its name.
        copied: (photo, strength) -> copy.
        weakest: Strength of the weakest copy.
        strongest: Strength of the strongest copy.
        falls: Unit scores that the weakest and the strongest copy are worse by.
    """

    name: str
    copied: Copied
    weakest: float
    strongest: float
    falls: tuple[float, float]

    def copy(self, photo: Photo, number: int) -> NDArray[np.uint8]:
        """Return a copy (H, W, 3) of a photo, with a strength that follows from the photo's number."""
        strength = self.weakest + self._share(number) * (self.strongest - self.weakest)
        return np.asarray(self.copied(Image.fromarray(photo.pixels), strength))

    def fall(self, number: int) -> float:
        """Return how much worse the copy of the photo with this number is, unit score."""
        weakest, strongest = self.falls
        return weakest + self._share(number) * (strongest - weakest)

    def _share(self, number: int) -> float:
        return float(np.random.default_rng((_SEED, number)).random())


def _reduced(photo: Image.Image, side: float) -> Image.Image:
    scale = min(1.0, side / min(photo.size))
    return photo.resize(_scaled(photo.size, scale), Image.Resampling.LANCZOS)


def _enlarged(photo: Image.Image, factor: float) -> Image.Image:
    small = photo.resize(_scaled(photo.size, 1 / factor), Image.Resampling.LANCZOS)
    return small.resize(photo.size, Image.Resampling.BICUBIC)


def _recompressed(photo: Image.Image, scale: float) -> Image.Image:
    # Messengers reduce and compress at once: to half the size with JPEG quality 30, to nine tenths with 50.
    return _stored(photo.resize(_scaled(photo.size, scale), Image.Resampling.LANCZOS), round(50 * scale + 5))


def _cropped(photo: Image.Image, share: float) -> Image.Image:
    width, height = _scaled(photo.size, share)
    left, top = (photo.width - width) // 2, (photo.height - height) // 2
    return photo.crop((left, top, left + width, top + height)).resize(photo.size, Image.Resampling.BICUBIC)


def _darkened(photo: Image.Image, stops: float) -> Image.Image:
    return Image.fromarray(exposed(np.asarray(photo), -stops))


def _stored(photo: Image.Image, quality: float) -> Image.Image:
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=round(quality))
    return Image.open(stream)


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


COPY_KINDS = (
    CopyKind("stored as a good JPEG", _stored, 97, 91, (0.0, 0.0)),
    CopyKind("reduced a little", _reduced, 450, 350, (0.02, 0.08)),
    CopyKind("reduced", _reduced, 350, 250, (0.08, 0.14)),
    CopyKind("reduced a lot", _reduced, 250, 180, (0.14, 0.22)),
    CopyKind("reduced and enlarged", _enlarged, 1.5, 2.5, (0.10, 0.20)),
    CopyKind("reduced and recompressed", _recompressed, 0.95, 0.6, (0.09, 0.15)),
    CopyKind("cropped and enlarged", _cropped, 0.65, 0.4, (0.16, 0.26)),
)

DARKENED_KINDS = (
    CopyKind("underexposed a little", _darkened, 1.0, 1.5, (0.03, 0.08)),
    CopyKind("underexposed", _darkened, 2.3, 2.7, (0.60, 0.70)),
)
"""Underexposed copies. The falls are larger than what is meant: with a weight that leaves opinion scores their say,
about half of such a fall is learned."""
