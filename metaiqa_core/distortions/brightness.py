"""Brightness: tone curves, mean shift and contrast."""

from collections.abc import Sequence

import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from metaiqa_core.distortions.colour_spaces import lab_to_rgb, rgb_to_lab
from metaiqa_core.distortions.level_search import Degradation, reach_psnr
from metaiqa_core.distortions.randomness import RandomStreams


def tone_curve(values: Tensor, points: Sequence[tuple[float, float]]) -> Tensor:
    """Map values through the not-a-knot cubic spline of (0, 0), the given points and (1, 1), clipped to [0, 1].

    Args:
        values: Values of any shape, in [0, 1].
        points: (input, output) pairs, inputs increasing within (0, 1). A single point makes the curve a parabola.

    Returns:
        Values of the same shape, in [0, 1].
    """
    inputs, outputs = zip((0.0, 0.0), *points, (1.0, 1.0), strict=True)
    spline = CubicSpline(inputs, outputs, bc_type="not-a-knot")
    pieces = torch.bucketize(values, values.new_tensor(spline.x[1:-1]), right=True)
    offsets = values - values.new_tensor(spline.x)[pieces]
    result = torch.zeros_like(values)
    for coefficients in spline.c:  # highest power first: Horner's scheme
        result = result * offsets + values.new_tensor(coefficients)[pieces]
    return result.clamp(0, 1)


def brighten(images: Tensor, amount: float, streams: RandomStreams) -> Tensor:
    """Lift the mid-tones by a curve through (0.5, 0.5 + amount / 2): one third on Lab lightness, two thirds on RGB."""
    points = [(0.5, 0.5 + amount / 2)]
    lab = rgb_to_lab(images)
    lab[:, 0] = 100 * tone_curve(lab[:, 0] / 100, points)
    return (lab_to_rgb(lab) + 2 * tone_curve(images, points)) / 3


def darken(images: Tensor, amount: float, streams: RandomStreams) -> Tensor:
    """Lower the mid-tones by a curve through (0.5, 0.5 - amount / 2) on RGB."""
    return tone_curve(images, [(0.5, 0.5 - amount / 2)])


def mean_shift(images: Tensor, shift: float, streams: RandomStreams) -> Tensor:
    """Add a constant to every channel and clip."""
    return (images + shift).clamp(0, 1)


def contrast_curve(images: Tensor, amount: float, streams: RandomStreams) -> Tensor:
    """Change the contrast by a curve through (0.3, 0.25 - amount / 4), (0.5, 0.5) and (0.7, 0.75 + amount / 4)."""
    return tone_curve(images, [(0.3, 0.25 - amount / 4), (0.5, 0.5), (0.7, 0.75 + amount / 4)])


def mean_shift_to_psnr(images: Tensor, signed_target: float, streams: RandomStreams) -> Tensor:
    """Shift the mean until the PSNR is |signed_target| dB: up where the sign is positive, down where it is negative."""
    direction = 1.0 if signed_target > 0 else -1.0

    def degrade(strength: Tensor) -> Tensor:
        return (images + direction * strength[:, None, None, None]).clamp(0, 1)

    return reach_psnr(images, degrade, abs(signed_target), 1e-3, 1.0)


def contrast_to_psnr(images: Tensor, signed_target: float, streams: RandomStreams) -> Tensor:
    """Stretch (positive) or compress (negative) the contrast about the photo's mean until |signed_target| dB."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)

    def degrade(strength: Tensor) -> Tensor:
        strength = strength[:, None, None, None]
        gain = 1 + strength if signed_target > 0 else (1 - strength).clamp_min(0)
        return (mean + gain * (images - mean)).clamp(0, 1)

    degradation: Degradation = degrade
    strongest = 50.0 if signed_target > 0 else 1.0
    return reach_psnr(images, degradation, abs(signed_target), 1e-3, strongest)
