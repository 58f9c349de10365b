"""From the model's pixels back to the photo's: the inverse of the preprocessing's geometry."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from metaiqa_core.images import Photo


def to_photo_pixels(model_map: NDArray[np.float32], photo: Photo) -> NDArray[np.float32]:
    """Interpolate a map at the model's input to the photo's pixels.

    Pixels are areas: the centre of the model's pixel i of w lies at (i + 1/2) / w of the photo's extent. Between the
    centres the map is interpolated linearly, outside the outermost ones it stays constant; where the model's grid is
    finer than the photo's, it is averaged.

    Args:
        model_map: Map, shape (h, w), float32.
        photo: Photo whose `pixels` and `extent` the preprocessing shrank or enlarged to (h, w).

    Returns:
        (H, W), float32, at the size of `photo.pixels`.
    """
    rows, columns = model_map.shape
    height, width = photo.pixels.shape[:2]
    if (rows, columns) == (height, width) and photo.extent is None:
        return model_map.copy()
    left, top, right, bottom = photo.extent or (0.0, 0.0, float(width), float(height))
    across, down = columns / (right - left), rows / (bottom - top)
    # A reduced decode can end on a pixel that the photo fills in part: a border lets the map be read beyond its edge.
    border = 1 + int(max(left * across, top * down, (width - right) * across, (height - bottom) * down))
    image = Image.fromarray(np.pad(model_map, border, mode="edge"))
    box = (
        border - left * across,
        border - top * down,
        border + (width - left) * across,
        border + (height - top) * down,
    )
    return np.array(image.resize((width, height), Image.Resampling.BILINEAR, box=box))
