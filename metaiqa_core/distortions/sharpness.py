"""Excessive sharpening."""

import math

from torch import Tensor

from metaiqa_core.distortions.blur import smooth
from metaiqa_core.distortions.colour_spaces import lab_to_rgb, rgb_to_lab
from metaiqa_core.distortions.randomness import RandomStreams

RADIUS = 3.0  # pixels: the standard deviation of the unsharp mask's Gaussian


def high_sharpen(images: Tensor, amount: float, streams: RandomStreams) -> Tensor:
    """Unsharp-mask the Lab lightness: L + amount * (L - blurred L), clipped to [0, 100]."""
    lab = rgb_to_lab(images)
    lightness = lab[:, :1]
    blurred = smooth(lightness, RADIUS, radius=math.ceil(2 * RADIUS))
    lab[:, :1] = (lightness + amount * (lightness - blurred)).clamp(0, 100)
    return lab_to_rgb(lab)
