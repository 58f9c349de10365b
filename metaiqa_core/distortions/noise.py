"""Noise: additive, correlated, masked, high-frequency, impulse, multiplicative and quantisation.

The recipes of KADID-10k take a variance or a density. Those of TID2013 draw one fixed noise field, and the search
scales it until the PSNR is met. All results are clipped to [0, 1].
"""

import math

import torch
from torch import Tensor

from metaiqa_core.distortions.block_dct import BLOCK, JPEG_LUMINANCE_TABLE, from_blocks
from metaiqa_core.distortions.blur import smooth
from metaiqa_core.distortions.colour_spaces import luminance, ycbcr_to_rgb_difference
from metaiqa_core.distortions.level_search import PSNR_TOLERANCE, Degradation, psnr, reach_psnr
from metaiqa_core.distortions.randomness import RandomStreams

CHROMA_TO_LUMA = 3.0  # ANC: standard deviation of the noise in Cb and Cr over that in Y
CORRELATION_SIGMA = 1.0  # SCN: pixels
HIGHEST_SPARED_FREQUENCY = 0.25  # HFN: cycles per pixel, half of the highest there is
SCANNED_STEPS = 100  # QN: where the search for the step fails
MASKING_FLOOR = 0.01  # MN: the activity of a perfectly flat area, so that a flat photo can be damaged at all


def _like(images: Tensor, streams: RandomStreams) -> Tensor:
    """Draw white noise of the images' shape (B, 3, H, W)."""
    return streams.normal(*images.shape[1:]).to(images)


def _unit_variance(noise: Tensor) -> Tensor:
    return noise / noise.std(dim=(1, 2, 3), keepdim=True)


def _additive(images: Tensor, noise: Tensor) -> Degradation:
    def degrade(strength: Tensor) -> Tensor:
        return (images + strength[:, None, None, None] * noise).clamp(0, 1)

    return degrade


def white_noise(images: Tensor, variance: float, streams: RandomStreams) -> Tensor:
    """Add Gaussian noise, independent in every pixel and every RGB channel."""
    return (images + math.sqrt(variance) * _like(images, streams)).clamp(0, 1)


def white_noise_ycbcr(images: Tensor, variance: float, streams: RandomStreams) -> Tensor:
    """Add Gaussian noise, independent in Y, Cb and Cr, so that it is correlated between R, G and B."""
    return (images + ycbcr_to_rgb_difference(math.sqrt(variance) * _like(images, streams))).clamp(0, 1)


def _salt_and_pepper(images: Tensor, draws: Tensor, density: Tensor | float) -> Tensor:
    """Set the samples whose uniform draw lies in the outer `density`: the lower half to 0, the upper half to 1."""
    salted = torch.where(draws >= 1 - density / 2, torch.ones_like(images), images)
    return torch.where(draws < density / 2, torch.zeros_like(images), salted)


def impulse_noise(images: Tensor, density: float, streams: RandomStreams) -> Tensor:
    """Set a share `density` of all samples to 0 or 1, half and half, each channel on its own."""
    return _salt_and_pepper(images, streams.uniform(*images.shape[1:]).to(images), density)


def multiplicative_noise(images: Tensor, variance: float, streams: RandomStreams) -> Tensor:
    """Replace x by x + x * n with Gaussian n: bright areas are noisy, black stays black."""
    return (images + images * math.sqrt(variance) * _like(images, streams)).clamp(0, 1)


def prepare_white_noise(images: Tensor, streams: RandomStreams) -> Degradation:
    """Additive Gaussian noise; the strength is its standard deviation."""
    return _additive(images, _like(images, streams))


def prepare_colour_noise(images: Tensor, streams: RandomStreams) -> Degradation:
    """Additive noise that is stronger in Cb and Cr than in Y; the strength is its standard deviation in Y."""
    weights = images.new_tensor([1.0, CHROMA_TO_LUMA, CHROMA_TO_LUMA])[:, None, None]
    return _additive(images, ycbcr_to_rgb_difference(weights * _like(images, streams)))


def prepare_correlated_noise(images: Tensor, streams: RandomStreams) -> Degradation:
    """Low-pass Gaussian noise; the strength is its standard deviation."""
    return _additive(images, _unit_variance(smooth(_like(images, streams), CORRELATION_SIGMA)))


def prepare_high_frequency_noise(images: Tensor, streams: RandomStreams) -> Degradation:
    """Gaussian noise without its frequencies below `HIGHEST_SPARED_FREQUENCY`; the strength is its deviation."""
    height, width = images.shape[-2:]
    radius = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :]).to(images.device)
    spectrum = torch.fft.rfft2(_like(images, streams)) * (radius > HIGHEST_SPARED_FREQUENCY)
    return _additive(images, _unit_variance(torch.fft.irfft2(spectrum, s=(height, width))))


def prepare_masked_noise(images: Tensor, streams: RandomStreams) -> Degradation:
    """Noise where the eye sees it least; the strength is its deviation per unit of local activity.

    In frequency it follows JPEG's luminance table (the less visible, the stronger), in space the local standard
    deviation of the luma over about one 8x8 block.
    """
    batch, channels, height, width = images.shape
    rows, columns = math.ceil(height / BLOCK), math.ceil(width / BLOCK)
    coefficients = streams.normal(channels, rows, columns, BLOCK, BLOCK).to(images)
    shaped = from_blocks(coefficients * images.new_tensor(JPEG_LUMINANCE_TABLE), height, width)
    luma = luminance(images)
    variance = smooth(luma.square(), BLOCK / 2) - smooth(luma, BLOCK / 2).square()
    return _additive(images, _unit_variance(shaped) * (variance.clamp_min(0).sqrt() + MASKING_FLOOR))


def prepare_impulse_noise(images: Tensor, streams: RandomStreams) -> Degradation:
    """Salt and pepper; the strength is the share of samples."""
    draws = streams.uniform(*images.shape[1:]).to(images)

    def degrade(strength: Tensor) -> Tensor:
        return _salt_and_pepper(images, draws, strength[:, None, None, None])

    return degrade


def prepare_multiplicative_noise(images: Tensor, streams: RandomStreams) -> Degradation:
    """Noise that is proportional to the sample; the strength is its relative standard deviation."""
    return _additive(images, images * _like(images, streams))


def quantise_to_psnr(images: Tensor, target: float, streams: RandomStreams) -> Tensor:
    """Quantise every sample uniformly, with the step that gives a PSNR of `target` dB.

    The levels are 8-bit values: to round them afterwards would move a large flat area by up to half a dB. The PSNR then
    jumps, and not always downwards, where such an area changes its level: where the search ends at a jump, a scan of
    other steps takes over.
    """

    def degrade(strength: Tensor) -> Tensor:
        step = strength[:, None, None, None]
        return (torch.round(images / step) * step * 255).round().clamp(0, 255) / 255

    result = reach_psnr(images, degrade, target, 2e-3, 2.0)
    gap = (psnr(result, images) - target).abs()
    expected_step = math.sqrt(12) * 10 ** (-target / 20)  # the error of a uniform quantiser is step / sqrt(12)
    for factor in torch.linspace(0.5, 2, SCANNED_STEPS).tolist():
        if bool((gap <= PSNR_TOLERANCE).all()):
            break
        candidate = degrade(images.new_full((len(images),), factor * expected_step))
        candidate_gap = (psnr(candidate, images) - target).abs()
        better = (candidate_gap < gap) & (gap > PSNR_TOLERANCE)
        result = torch.where(better[:, None, None, None], candidate, result)
        gap = torch.where(better, candidate_gap, gap)
    return result
