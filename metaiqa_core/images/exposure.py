"""A photo as a longer or a shorter exposure would have made it."""

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.images.colour_spaces import srgb_signal, srgb_transfer


def exposed(pixels: NDArray[np.uint8], stops: float) -> NDArray[np.uint8]:
    """Scale the light of an sRGB photo by 2^stops, as a camera would: in linear light, clipped at white.

    Args:
        pixels: Pixels of the photo, uint8, of any shape.
        stops: Steps of exposure; below 0 the photo becomes darker.

    Returns:
        Pixels of the same shape, uint8.
    """
    light = np.minimum(srgb_transfer(np.arange(256) / 255) * 2**stops, 1)
    return np.round(255 * srgb_signal(light)).astype(np.uint8)[pixels]
