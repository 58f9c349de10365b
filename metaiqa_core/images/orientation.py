"""Turning a stored picture upright, as its EXIF data ask."""

import numpy as np
from PIL import Image

_FLIPPED_SIDEWAYS, _FLIPPED_UP_DOWN, _TURNED = (2, 3, 6, 7), (3, 4, 7, 8), (5, 6, 7, 8)
_OTHERS = {*_FLIPPED_SIDEWAYS, *_FLIPPED_UP_DOWN, *_TURNED}


def upright(picture: np.ndarray | Image.Image, orientation: object) -> np.ndarray | Image.Image:
    """Return a stored picture upright.

    Args:
        picture: The picture as it is stored: pixels (height, width, 3), or Pillow's image.
        orientation: Value of the tag; one that is none leaves the picture as it is.

    Returns:
        The picture: `picture` itself if that is upright, else C-contiguous pixels; height and width are exchanged for
        one that was turned by a quarter.

    Source: Exif 2.3 (CIPA DC-008-2012), section 4.6.4, tag 274, Orientation.
    """
    if orientation not in _OTHERS:
        return picture
    pixels = np.asarray(picture)
    if orientation in _TURNED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in _FLIPPED_UP_DOWN:
        pixels = pixels[::-1]
    if orientation in _FLIPPED_SIDEWAYS:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def upright_extent(
    filled: tuple[float, float], size: tuple[int, int], orientation: int
) -> tuple[float, float, float, float] | None:
    """Return the part (left, top, right, bottom) of an upright image that is filled; None where that is all of it.

    Args:
        filled: Width and height that are filled from the top left of the stored image.
        size: Width and height of the upright image.
        orientation: Value of the tag.
    """
    width, height = filled[::-1] if orientation in _TURNED else filled
    if (width, height) == size:
        return None
    left = size[0] - width if orientation in _FLIPPED_SIDEWAYS else 0.0
    top = size[1] - height if orientation in _FLIPPED_UP_DOWN else 0.0
    return left, top, left + width, top + height
