"""Signs in the pixels that a part of the picture is missing, and the share of its pixels that are."""

import numpy as np
from PIL import Image

MAXIMUM_MISSING_SHARE = 0.1
"""A file that was cut off is refused if it lacks a larger share of its rows than this."""
_MINIMUM_GREY_SHARE = 1 / 16
_MINIMUM_BLACK_SHARE = 1 / 8
_GREY = (127, 128)
"""libjpeg fills what is missing with the middle of every channel: 128, or 127 where a file stores channels inverted."""


def grey_share(image: Image.Image) -> float:
    """Return the share of rows, in [0, 1], at the end of a decoded JPEG file that are filled for want of data.

    Args:
        image: Loaded image as it is stored: mode L, RGB or CMYK, not yet turned or converted.
    """
    corner = image.crop((image.width - 1, image.height - 1, image.width, image.height))
    if not np.isin(np.asarray(corner), _GREY).all():
        return 0.0
    return _plain_rows(np.asarray(image)[::-1]) / image.height


def black_share(image: Image.Image) -> float:
    """Return the share of rows, in [0, 1], at one end of an uncompressed picture that are zero, as lost blocks are.

    Args:
        image: Loaded image as it is stored.
    """
    pixels = np.asarray(image)
    ends = [0 if rows[0].any() else _plain_rows(rows) for rows in (pixels, pixels[::-1])]
    # Bars at both ends, and pictures that are black throughout, are somebody's intention.
    return 0.0 if min(ends) > 0 else max(ends) / image.height


def _plain_rows(rows: np.ndarray) -> int:
    """Count the rows from the first on that hold nothing but its first value."""
    plain = (rows == rows[0, 0]).reshape(len(rows), -1).all(axis=1)
    return len(rows) if plain.all() else int(plain.argmin())


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
