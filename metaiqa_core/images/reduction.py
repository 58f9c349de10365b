"""The first stage of shrinking a large photo: the mean of each square of pixels.

A JPEG file can be decoded at 1/2, 1/4 or 1/8 of its size in a fraction of the time: libjpeg then returns the mean of
each square of 2 x 2, 4 x 4 or 8 x 8 pixels. Photos of other formats get the same means from `Image.reduce`. Means let
the finest lines through as false coarse ones, which is why nearly three times the wanted size is left to the
antialiased filter that follows.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from metaiqa_core.images.photo import Photo

MARGIN = 2.9
"""Minimum short side after the first stage, in multiples of the wanted short side.

Cameras of 12 megapixels have 3,000 or 3,024 rows, 2.93 and 2.95 times a model's 512 after the first stage; 3 would
have them decoded in full. Against the antialiased filter alone, sharp photos of 2,960 rows moved by at most 0.6 points
and of 3,072 by 0.3, photos in halftone by 8.6 and 6.6, and a zone plate by 7.9 and 7.5; with twice, halftones moved by
up to 34.
"""
_FACTORS = (8, 4, 2)
_BAND_PIXELS = 4_000_000


def whole_factor(short_side: int, wanted: int) -> int:
    """Return the side of the squares whose means are taken: 1, 2, 4 or 8 pixels.

    >>> whole_factor(2899, 500), whole_factor(3000, 500), whole_factor(6048, 500)
    (1, 2, 4)

    Args:
        short_side: Short side of the photo, pixels.
        wanted: Short side that will be made of it, pixels.
    """
    return next((factor for factor in _FACTORS if short_side >= factor * MARGIN * wanted), 1)


def reduce_jpeg(image: JpegImagePlugin.JpegImageFile, factor: int) -> tuple[float, float] | None:
    """Have a JPEG file that is not yet loaded decoded at a fraction of its size.

    Args:
        image: Opened image; its size changes.
        factor: Factor by which both sides shrink: 1, 2, 4 or 8.

    Returns:
        The (width, height) that the photo fills of the decoded image, in pixels and fractions of one, or None if it is
        decoded in full.
    """
    width, height = image.size
    drafted = image.draft(None, (width // factor, height // factor)) if factor > 1 else None
    return None if drafted is None else (drafted[1][2], drafted[1][3])


def reduce_by(photo: Photo, factor: int) -> tuple[NDArray[np.uint8] | Image.Image, tuple[float, float, float, float]]:
    """Take the means of squares of a decoded picture.

    Args:
        photo: The photo.
        factor: Side of the squares, pixels.

    Returns:
        The reduced picture, the photo's own where the factor is 1, and the part (left, top, right, bottom) of it that
        the photo fills.
    """
    width, height = photo.size
    left, top, right, bottom = photo.extent or (0, 0, width, height)
    box = (left / factor, top / factor, right / factor, bottom / factor)
    if factor == 1:
        return photo.picture, box
    # Bands of whole squares give the same means; Pillow's copy of a large photo would take half as much again.
    rows = factor * max(1, _BAND_PIXELS // (factor * width))
    bands = [Image.fromarray(photo.pixels[row : row + rows]).reduce(factor) for row in range(0, height, rows)]
    return np.concatenate([np.asarray(band) for band in bands]), box
