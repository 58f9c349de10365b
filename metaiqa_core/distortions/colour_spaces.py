"""Colour spaces of image batches, by scikit-image: (B, 3, H, W) tensors in and out.

CIE Lab (white point D65) and HSV run on the CPU whatever the tensor's device. YCbCr is linear: its matrix is taken from
scikit-image and applied by torch on the tensor's own device.
"""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from skimage import color
from torch import Tensor


def _channels_last(images: Tensor) -> NDArray[np.float32]:
    return images.permute(0, 2, 3, 1).cpu().numpy()


def _channels_first(array: NDArray[np.floating], like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).permute(0, 3, 1, 2).to(like).contiguous()


def rgb_to_lab(images: Tensor) -> Tensor:
    """Convert RGB in [0, 1] to CIE Lab: L in [0, 100], a and b about -128 to 127."""
    return _channels_first(color.rgb2lab(_channels_last(images)), images)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Convert CIE Lab to RGB; colours outside the RGB cube are clipped to [0, 1]."""
    lightness, a, b = lab.unbind(1)
    # A larger b has a negative Z, which the library would set to zero too, but with a warning for every image. The
    # margin covers the rounding of float32.
    b = b.minimum((lightness + 16) * (200 / 116) - 1e-3)
    rgb = color.lab2rgb(_channels_last(torch.stack([lightness, a, b], 1)))
    return _channels_first(rgb, lab).clamp(0, 1)


def rgb_to_hsv(images: Tensor) -> Tensor:
    """Convert RGB in [0, 1] to hue, saturation and value, all in [0, 1]."""
    return _channels_first(color.rgb2hsv(_channels_last(images)), images)


def hsv_to_rgb(hsv: Tensor) -> Tensor:
    """Convert HSV to RGB, clipped to [0, 1]; a negative saturation turns a colour into its complement."""
    return _channels_first(color.hsv2rgb(_channels_last(hsv)), hsv).clamp(0, 1)


@cache
def _ycbcr_matrix() -> NDArray[np.float64]:
    """The 3x3 matrix from RGB in [0, 1] to ITU-R BT.601 studio-range YCbCr over 255, without its offset."""
    black, *primaries = color.rgb2ycbcr(np.vstack([np.zeros(3), np.eye(3)])[:, None, :])[:, 0]
    return np.stack([primary - black for primary in primaries], axis=1) / 255


def luminance(images: Tensor) -> Tensor:
    """Compute the BT.601 luma of RGB (B, 3, H, W) in [0, 1]: (B, 1, H, W) in [0, 1]."""
    weights = _ycbcr_matrix()[0] / _ycbcr_matrix()[0].sum()
    return (images * images.new_tensor(weights)[:, None, None]).sum(1, keepdim=True)


def rgb_to_ycbcr_difference(rgb: Tensor) -> Tensor:
    """Convert an RGB difference (B, 3, H, W) to a YCbCr difference: the linear part, without the offset."""
    return torch.einsum("oc,bchw->bohw", rgb.new_tensor(_ycbcr_matrix()), rgb)


def ycbcr_to_rgb_difference(ycbcr: Tensor) -> Tensor:
    """Convert a YCbCr difference (B, 3, H, W), such as noise, to an RGB difference: the linear part only."""
    return torch.einsum("oc,bchw->bohw", ycbcr.new_tensor(np.linalg.inv(_ycbcr_matrix())), ycbcr)
