"""The 8x8 block transform of the JPEG family, for batches of images of any size."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct
from torch import Tensor
from torch.nn import functional as F

BLOCK = 8

# ITU-T T.81, Annex K, Table K.1: how coarsely the eye lets each luminance frequency be quantised, in 8-bit steps.
JPEG_LUMINANCE_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


@cache
def _transform() -> NDArray[np.float64]:
    """The 64x64 matrix of the orthonormal two-dimensional DCT-II of a flattened block: one product does it all."""
    one_dimension = dct(np.eye(BLOCK), norm="ortho", axis=0)
    return np.kron(one_dimension, one_dimension)


def to_blocks(images: Tensor) -> Tensor:
    """Transform every 8x8 block; sides that are no multiple of 8 are extended by replication.

    Args:
        images: (B, C, H, W).

    Returns:
        (B, C, ceil(H / 8), ceil(W / 8), 8, 8) coefficients, the block's mean times 8 first.
    """
    batch, channels, height, width = images.shape
    rows, columns = math.ceil(height / BLOCK), math.ceil(width / BLOCK)
    padded = F.pad(images, (0, columns * BLOCK - width, 0, rows * BLOCK - height), mode="replicate")
    blocks = padded.reshape(batch, channels, rows, BLOCK, columns, BLOCK).transpose(3, 4)
    return (blocks.flatten(-2) @ images.new_tensor(_transform()).T).unflatten(-1, (BLOCK, BLOCK))


def from_blocks(coefficients: Tensor, height: int, width: int) -> Tensor:
    """Invert `to_blocks` and cut the extension off.

    Args:
        coefficients: (B, C, rows, columns, 8, 8).
        height: Rows of pixels to keep.
        width: Columns of pixels to keep.

    Returns:
        (B, C, height, width).
    """
    batch, channels, rows, columns = coefficients.shape[:4]
    blocks = (coefficients.flatten(-2) @ coefficients.new_tensor(_transform())).unflatten(-1, (BLOCK, BLOCK))
    return blocks.transpose(3, 4).reshape(batch, channels, rows * BLOCK, columns * BLOCK)[..., :height, :width]
