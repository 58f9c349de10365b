"""The second stage of shrinking a photo: Pillow's antialiased filter, on two processors for what takes long."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_FILTER = Image.Resampling.BICUBIC
_REACH = 2
"""Pixels that the filter sees to each side, in pixels of the coarser of both sizes."""
_WORTH_A_THREAD = 400_000
"""Pixels of a source whose filtering takes several milliseconds, many times what a second thread takes to start."""


def resize(
    picture: NDArray[np.uint8] | Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
) -> NDArray[np.uint8]:
    """Bring a part of a picture to another size.

    The upper and the lower half of a large one are made at the same time, each from the rows that it needs. Which
    pictures are halved depends on their size alone: the same pixels give the same bits on any machine.

    Args:
        picture: Pixels (height, width, 3), uint8, or Pillow's image, mode RGB, which gives the same bits sooner.
        size: Wanted (width, height), pixels.
        box: Part (left, top, right, bottom) of the picture that is wanted, pixels.

    Returns:
        (height, width, 3), uint8.
    """
    width, height = size
    left, top, right, bottom = box
    resized = np.empty((height, width, 3), np.uint8)
    reach = math.ceil(_REACH * max(1.0, (bottom - top) / height)) + 1
    columns, rows = picture.size if isinstance(picture, Image.Image) else (picture.shape[1], picture.shape[0])

    def fill(start: int, stop: int) -> None:
        upper, lower = (top + (bottom - top) * row / height for row in (start, stop))
        first, last = max(math.floor(upper) - reach, 0), min(math.ceil(lower) + reach, rows)
        image, above = picture, first
        if not isinstance(image, Image.Image):
            image, above = Image.fromarray(image[first:last]), 0  # a copy, of no more than these rows
        # Row by row first: Pillow would choose the order by the shape, and a half has another one than the whole.
        narrow = image.resize((width, last - first), _FILTER, box=(left, above, right, above + last - first))
        box = (0, upper - first, width, lower - first)
        resized[start:stop] = np.asarray(narrow.resize((width, stop - start), _FILTER, box=box))

    if columns * rows < _WORTH_A_THREAD or height < 2:
        fill(0, height)
        return resized
    with ThreadPoolExecutor(1) as other:
        half = other.submit(fill, 0, height // 2)
        fill(height // 2, height)
        half.result()
    return resized
