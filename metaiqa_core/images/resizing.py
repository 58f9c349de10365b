"""The second stage of shrinking a photo: Pillow's antialiased bicubic filter, on the vectors of the processor."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

try:
    import cykooz_resizer as vectors
except ImportError:  # Linux on ARM has no wheel of it
    vectors = None


def resize(
    picture: NDArray[np.uint8] | Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
) -> NDArray[np.uint8]:
    """Bring a part of a picture to another size, row by row first and then column by column, as Pillow does.

    Where `cykooz-resizer` is installed it computes what Pillow would, with weights of 16 bits: of 200 values one is off
    by 1 of 255, rarely by 2, in whole numbers, with vectors or without; a score moves by 0.01 points. It takes an
    eighth of the time. Elsewhere Pillow does it.

    Args:
        picture: Pixels (height, width, 3), uint8, or Pillow's image, mode RGB, which gives the same bits sooner.
        size: Wanted (width, height), pixels.
        box: Part (left, top, right, bottom) of the picture that is wanted, pixels.

    Returns:
        (height, width, 3), uint8, read-only.
    """
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    width, height = size
    left, top, right, bottom = box
    # Two steps, each to 8 bits: in one, Pillow would choose the order by the shape, and the other keep what overshoots.
    narrow = _filter(image, (width, image.height), (left, 0, right, image.height))
    return np.asarray(_filter(narrow, (width, height), (0, top, width, bottom)))


def _filter(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> Image.Image:
    if size == image.size and box == (0, 0, *size):
        return image
    if vectors is None:
        return image.resize(size, Image.Resampling.BICUBIC, box=box)
    left, top, right, bottom = box
    resized = Image.new("RGB", size)
    # The cubic of Catmull and Rom is the one that Pillow calls bicubic.
    vectors.Resizer().resize_pil(
        image,
        resized,
        vectors.ResizeOptions(
            vectors.ResizeAlg.convolution(vectors.FilterType.catmull_rom),
            crop_box=vectors.CropBox(left, top, right - left, bottom - top),
        ),
    )
    return resized
