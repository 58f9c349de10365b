"""Levels that are defined by PSNR: find the strength at which a degradation reaches it.

TID2013 sets most of its levels by peak signal-to-noise ratio, about 33, 30, 27, 24 and 21 dB, so the strength differs
from photo to photo. Everything random is drawn once before the search, which makes the PSNR a function of the strength.

Source: N. Ponomarenko et al., Image database TID2013: Peculiarities, results and perspectives, Signal Processing: Image
Communication 30, 2015.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from metaiqa_core.distortions.randomness import RandomStreams

Degradation = Callable[[Tensor], Tensor]
"""Strengths (B,), one per image, larger is worse -> degraded images (B, 3, H, W) in [0, 1]."""

PSNR_TOLERANCE = 0.1  # dB at which the search is content; the promise is 0.3 dB, the rest is room for 8-bit rounding
MAXIMUM_EVALUATIONS = 20
DECIBEL_PER_LOG_STRENGTH = 20 / math.log(10)  # exact where the error is proportional to the strength
EXTRAPOLATION_GROWTH = 1.5  # by how much each further extrapolation oversteps the one before it
IDENTICAL_MSE = 1e-12  # two identical images count as 120 dB


def psnr(images: Tensor, references: Tensor) -> Tensor:
    """Peak signal-to-noise ratio over all pixels and channels, peak 1.

    Args:
        images: (B, 3, H, W) in [0, 1].
        references: Undistorted images of the same shape.

    Returns:
        (B,) float64 in dB, at most 120.
    """
    mean_squared_error = (images.double() - references.double()).square().mean(dim=(1, 2, 3))
    return -10 * torch.log10(mean_squared_error.clamp_min(IDENTICAL_MSE))


def reach_psnr(images: Tensor, degrade: Degradation, target: float, weakest: float, strongest: float) -> Tensor:
    """Degrade every image by the strength that brings it to a PSNR.

    A bracketing search in the logarithm of the strength: it extrapolates at 20 dB a decade, in growing steps, until the
    target lies between two known strengths, then interpolates, and bisects every third time so that it cannot stall.

    Args:
        images: (B, 3, H, W) float32 in [0, 1], the references of the PSNR.
        degrade: Degradation of a given strength; its PSNR should fall as the strength rises.
        target: PSNR to reach, dB.
        weakest: Smallest strength to try, above 0.
        strongest: Largest strength to try.

    Returns:
        (B, 3, H, W): for every image the result nearest to the target among all that were tried. A photo that cannot be
        damaged that much (a flat one cannot be blurred) gets its nearest result.
    """
    batch = images.shape[0]
    low = torch.full((batch,), math.log(weakest), dtype=torch.float64)
    high = torch.full((batch,), math.log(strongest), dtype=torch.float64)
    low_psnr = torch.full((batch,), math.nan, dtype=torch.float64)
    high_psnr = low_psnr.clone()
    strength = (low + high) / 2
    nearest, nearest_gap = images.clone(), torch.full((batch,), math.inf, dtype=torch.float64)

    for evaluation in range(MAXIMUM_EVALUATIONS):
        degraded = degrade(strength.exp().to(images))
        reached = psnr(degraded, images).cpu()
        gap = (reached - target).abs()
        better = (gap < nearest_gap) & (nearest_gap > PSNR_TOLERANCE)  # a settled image stays as it is
        nearest = torch.where(better.to(images.device)[:, None, None, None], degraded, nearest)
        nearest_gap = torch.where(better, gap, nearest_gap)

        too_weak = reached > target
        low, low_psnr = torch.where(too_weak, strength, low), torch.where(too_weak, reached, low_psnr)
        high, high_psnr = torch.where(too_weak, high, strength), torch.where(too_weak, high_psnr, reached)

        fraction = ((low_psnr - target) / (low_psnr - high_psnr)).clamp(0.05, 0.95)
        interpolated = low + fraction * (high - low)
        extrapolated = strength + (reached - target) / DECIBEL_PER_LOG_STRENGTH * EXTRAPOLATION_GROWTH**evaluation
        proposal = torch.where(torch.isnan(fraction), extrapolated, interpolated)
        if evaluation % 3 == 2:
            proposal = torch.where(torch.isnan(fraction), proposal, (low + high) / 2)
        proposal = proposal.maximum(low).minimum(high)

        exhausted = (proposal - strength).abs() < 1e-3  # the bracket has closed, or the strongest was not enough
        if bool(((nearest_gap <= PSNR_TOLERANCE) | exhausted).all()):
            break
        strength = proposal
    return nearest


@dataclass(frozen=True)
class PsnrDefined:
    """A recipe whose level parameter is the PSNR that it reaches.

    Attributes:
        prepare: Function that makes all random draws for (images, streams) and returns the degradation.
        weakest: Smallest strength of the search.
        strongest: Largest strength of the search.
    """

    prepare: Callable[[Tensor, RandomStreams], Degradation]
    weakest: float
    strongest: float

    def __call__(self, images: Tensor, target: float, streams: RandomStreams) -> Tensor:
        """Degrade images (B, 3, H, W) to `target` dB."""
        return reach_psnr(images, self.prepare(images, streams), target, self.weakest, self.strongest)
