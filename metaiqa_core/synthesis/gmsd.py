"""How visibly an image differs from its reference: gradient magnitude similarity deviation (GMSD).

Source: W. Xue, L. Zhang, X. Mou, A. C. Bovik, Gradient Magnitude Similarity Deviation: A Highly Efficient Perceptual
Image Quality Index, IEEE Transactions on Image Processing 23(2), 2014.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

Floats = NDArray[np.float64]

STABILITY = 170.0  # the paper's constant c for values up to 255
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def gmsd(image: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Measure how unevenly the edges of a reference survive (Eqs. 4 to 6).

    Args:
        image: (H, W, 3) uint8 RGB.
        reference: The same shape.

    Returns:
        0 for equal images, larger is worse; hardly ever above 0.5. Changes of colour alone are not seen.

    Raises:
        ValueError: If the shapes differ.
    """
    if image.shape != reference.shape:
        raise ValueError(f"image and reference must have one shape, got {image.shape} and {reference.shape}")
    first, second = _gradient_magnitude(image), _gradient_magnitude(reference)
    similarity = (2 * first * second + STABILITY) / (first**2 + second**2 + STABILITY)
    return float(similarity.std())


def _gradient_magnitude(pixels: NDArray[np.uint8]) -> Floats:
    """Return the Prewitt gradient's magnitude of the luma of 2x2 pixels, as the paper does: (H / 2, W / 2)."""
    luma = pixels @ np.array(LUMA)
    height, width = (side // 2 * 2 for side in luma.shape)
    half = luma[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    third = [1 / 3, 1 / 3, 1 / 3]
    across = correlate1d(correlate1d(half, [1, 0, -1], axis=1, mode="constant"), third, axis=0, mode="constant")
    down = correlate1d(correlate1d(half, [1, 0, -1], axis=0, mode="constant"), third, axis=1, mode="constant")
    return np.hypot(across, down)
