"""Denoising of noisy photos: smeared texture, and residual noise where the noise was too strong.

KADID-10k uses the network DnCNN, TID2013 a block-matching transform filter. Both are replaced by scikit-image's wavelet
shrinkage, which also works in a transform domain; the fidelity report gives the difference.
"""

import math

import torch
from skimage.restoration import denoise_wavelet
from torch import Tensor

from metaiqa_core.distortions.level_search import Degradation
from metaiqa_core.distortions.noise import prepare_white_noise, white_noise
from metaiqa_core.distortions.randomness import RandomStreams

STRONGEST_KNOWN_NOISE = 55 / 255  # DnCNN was trained for deviations up to 55 of 255: stronger noise is not all removed
WAVELET = "db2"


def denoise(image: Tensor, deviation: float) -> Tensor:
    """Remove noise of a known standard deviation by BayesShrink in the wavelet domain of Y, Cb and Cr.

    Args:
        image: (1, 3, H, W) in [0, 1].
        deviation: Standard deviation of the noise in R, G and B, for an image range of 1.

    Returns:
        (1, 3, H, W) in [0, 1].
    """
    denoised = denoise_wavelet(
        image[0].permute(1, 2, 0).cpu().numpy(),
        sigma=deviation,
        wavelet=WAVELET,
        mode="soft",
        method="BayesShrink",
        convert2ycbcr=True,
        rescale_sigma=True,
        channel_axis=-1,
    )
    return torch.from_numpy(denoised).permute(2, 0, 1)[None].to(image).clamp(0, 1)


def noise_then_denoise(images: Tensor, variance: float, streams: RandomStreams) -> Tensor:
    """Add white noise to one image and denoise it by a denoiser that knows noise up to `STRONGEST_KNOWN_NOISE`."""
    noisy = white_noise(images, variance, streams)
    return denoise(noisy, min(math.sqrt(variance), STRONGEST_KNOWN_NOISE))


def prepare_denoising(images: Tensor, streams: RandomStreams) -> Degradation:
    """Noise, then a denoiser that knows its level, on one image; the strength is the noise's standard deviation."""
    add_noise = prepare_white_noise(images, streams)

    def degrade(strength: Tensor) -> Tensor:
        return denoise(add_noise(strength), float(strength))

    return degrade
