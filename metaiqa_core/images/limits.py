"""Limits on the size of a photo, checked before a pixel of it is decoded."""

import math
from dataclasses import dataclass

from PIL import Image

from metaiqa_core.errors import PhotoError

MOST_PIXELS_OF_FORMAT = {"WEBP": 60_000_000, "AVIF": 90_000_000, "HEIF": 80_000_000, "JPEG2000": 45_000_000}
"""Formats whose decoders hold a picture several times, or with wide numbers, until it is decoded: 12 bytes a pixel
(AVIF) to 24 (JPEG 2000), where others need 7. So many pixels take about a gigabyte."""


@dataclass(frozen=True)
class DecodeLimits:
    """Limits on the size of a photo, checked before its pixels are decoded.

    Attributes:
        max_file_bytes: Largest file, bytes.
        max_pixels: Most pixels; of the formats in `MOST_PIXELS_OF_FORMAT` fewer are read. Pillow's own limit against
            decompression bombs (178 million) bounds it from above.
        max_side: Longest side, pixels.
        min_side: Shortest side, pixels.
        max_aspect: Largest ratio of the long to the short side.
    """

    max_file_bytes: int = 200 * 2**20
    max_pixels: int = 150_000_000
    max_side: int = 30_000
    min_side: int = 16
    max_aspect: float = 20.0

    def __post_init__(self) -> None:
        for field in ("max_file_bytes", "max_pixels", "max_side", "min_side"):
            value = getattr(self, field)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{field} must be a positive integer, got {value!r}")
        if Image.MAX_IMAGE_PIXELS is not None and self.max_pixels > 2 * Image.MAX_IMAGE_PIXELS:
            raise ValueError(
                f"max_pixels must be at most {2 * Image.MAX_IMAGE_PIXELS} (twice PIL.Image.MAX_IMAGE_PIXELS), "
                f"got {self.max_pixels}"
            )
        if self.min_side > self.max_side:
            raise ValueError(f"min_side ({self.min_side}) must not exceed max_side ({self.max_side})")
        if not 1 <= self.max_aspect < math.inf:
            raise ValueError(f"max_aspect must be a finite number of at least 1, got {self.max_aspect!r}")

    def check_size(self, width: int, height: int, name: str, pillow_format: str | None = None) -> None:
        """Raise a `PhotoError` that calls the photo `name` if its size (pixels) lies outside the limits.

        Args:
            width: Width, pixels.
            height: Height, pixels.
            name: Name of the photo in messages.
            pillow_format: Pillow's name of the format of its file, or None if it came from no file.
        """
        short, long = sorted((width, height))
        size = f"{name} is {width} x {height} pixels"
        if short < self.min_side:
            raise PhotoError(f"{size}: each side must have at least {self.min_side}.")
        if long > self.max_side:
            raise PhotoError(f"{size}: no side may have more than {self.max_side}, please make it smaller.")
        most = min(self.max_pixels, MOST_PIXELS_OF_FORMAT.get(pillow_format or "", self.max_pixels))
        if width * height > most:
            of_format = f" of a {pillow_format} file" if most < self.max_pixels else ""
            raise PhotoError(
                f"{size}, {width * height / 1e6:.0f} megapixels: "
                f"at most {most / 1e6:g}{of_format} are read, please make it smaller."
            )
        if long > self.max_aspect * short:
            raise PhotoError(
                f"{size}: the long side may be at most {self.max_aspect:g} times the short side, please crop it."
            )
