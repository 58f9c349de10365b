"""Gradient magnitude similarity deviation (GMSD): how visibly an image differs from its reference.

Source: W. Xue, L. Zhang, X. Mou, A. C. Bovik, Gradient Magnitude Similarity Deviation: A Highly Efficient Perceptual
Image Quality Index, IEEE Transactions on Image Processing 23(2), 2014.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def gmsd(image: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Measure how unevenly the edges of a reference survive (Eqs. 4 to 6), in double precision.

    Args:
        image: Distorted image, shape (H, W, 3), uint8, RGB.
        reference: Undistorted image of the same shape.

    Returns:
        0 for equal images, larger is worse; hardly ever above 0.5. Changes of colour alone are not seen.

    Raises:
        ValueError: If the shapes differ.
    """
    import piq  # takes seconds to import, and refined labels alone need it

    if image.shape != reference.shape:
        raise ValueError(f"image and reference must have one shape, got {image.shape} and {reference.shape}")
    return float(piq.gmsd(_as_batch(image), _as_batch(reference), data_range=255))


def _as_batch(pixels: NDArray[np.uint8]) -> Tensor:
    """Return pixels as (1, 3, H, W), float64, an odd last row or column left out: piq would pad it with black."""
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    return torch.from_numpy(pixels[:height, :width].copy()).permute(2, 0, 1)[None].double()
