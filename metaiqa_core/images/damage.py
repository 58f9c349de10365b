"""Signs in the pixels that a part of the picture is missing, and the share of its pixels that are."""

import numpy as np
from PIL import Image

from metaiqa_core.images.bands import bands

MAXIMUM_MISSING_SHARE = 0.1
"""A file that was cut off is refused if it lacks a larger share of its rows than this."""
_MINIMUM_GREY_SHARE = 1 / 16
_MINIMUM_BLACK_SHARE = 1 / 8
_BAND_PIXELS = 250_000
_GREY = (127, 128)
"""libjpeg fills what is missing with the middle of every channel: 128, or 127 where a file stores channels inverted."""


def grey_share(image: Image.Image) -> float:
    """Return the share of rows, in [0, 1], at the end of a decoded JPEG file that are filled for want of data.

    Args:
        image: Loaded image as it is stored: mode L, RGB or CMYK, not yet turned or converted.
    """
    corner = image.getpixel((image.width - 1, image.height - 1))
    if any(value not in _GREY for value in (corner if isinstance(corner, tuple) else (corner,))):
        return 0.0
    return _plain_rows(image, from_bottom=True) / image.height


def black_share(image: Image.Image) -> float:
    """Return the share of rows, in [0, 1], at one end of an uncompressed picture that are zero, as lost blocks are.

    Args:
        image: Loaded image as it is stored.
    """
    top = _plain_rows(image, from_bottom=False) if _is_black(image, 0) else 0
    bottom = _plain_rows(image, from_bottom=True) if _is_black(image, image.height - 1) else 0
    # Bars at both ends, and pictures that are black throughout, are somebody's intention.
    return 0.0 if min(top, bottom) > 0 else max(top, bottom) / image.height


def _is_black(image: Image.Image, row: int) -> bool:
    return not np.asarray(image.crop((0, row, image.width, row + 1))).any()


def _plain_rows(image: Image.Image, *, from_bottom: bool) -> int:
    """Count the rows at one end that hold nothing but the value of its first pixel."""
    plain = 0
    first = None
    for _, band in bands(image, from_bottom=from_bottom, pixels=_BAND_PIXELS):
        rows = np.asarray(band)[:: -1 if from_bottom else 1]
        first = rows[0, 0] if first is None else first
        is_plain = (rows == first).reshape(len(rows), -1).all(axis=1)
        if not is_plain.all():
            return plain + int(is_plain.argmin())
        plain += len(rows)
    return plain


def grey_note(share: float) -> str | None:
    """Return a note that a part of a picture is plain grey; None if the part is small."""
    if share < _MINIMUM_GREY_SHARE:
        return None
    return f"{share:.0%} of the picture are plain grey, as where a file has lost its data"


def black_note(share: float) -> str | None:
    """Return a note that a part of a picture is plain black; None if the part is small."""
    if share < _MINIMUM_BLACK_SHARE:
        return None
    return f"{share:.0%} of the picture are plain black, as where a file has lost its data"
