"""Colour: diffusion, shift, aberration, saturation and palettes."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.cluster.vq import vq
from torch import Tensor

from metaiqa_core.distortions.blur import smooth
from metaiqa_core.distortions.codecs import as_tensor, as_uint8
from metaiqa_core.distortions.colour_spaces import (
    hsv_to_rgb,
    lab_to_rgb,
    luminance,
    rgb_to_hsv,
    rgb_to_lab,
)
from metaiqa_core.distortions.level_search import Degradation, psnr
from metaiqa_core.distortions.randomness import RandomStreams
from metaiqa_core.distortions.resampling import translate

MASK_SIGMA = 4.0  # pixels
MASK_PERCENTILES = (0.01, 0.99)
LARGEST_PALETTE = 256
PALETTE_ROUNDS = 8  # of k-means, which lowers the variance within each colour
PALETTE_SAMPLES = 16384  # pixels that the palette is fitted to
ABERRATION_BLUR = 0.25  # sigma of the blur over the shift of a channel


def colour_diffusion(images: Tensor, amount: float, streams: RandomStreams) -> Tensor:
    """Blur Lab's a and b with sigma = 1.5 * amount + 2 and multiply them by the amount: colours bleed and glow."""
    lab = rgb_to_lab(images)
    sigma = 1.5 * amount + 2
    lab[:, 1:] = amount * smooth(lab[:, 1:], sigma, radius=math.ceil(2 * sigma))
    return lab_to_rgb(lab)


def edge_mask(images: Tensor) -> Tensor:
    """Compute a mask of the edges: the smoothed gradient magnitude of the luma, stretched to [0, 1] per image.

    Args:
        images: (B, 3, H, W).

    Returns:
        (B, 1, H, W) in [0, 1], cut at its 1st and 99th percentile; zero for a flat image.
    """
    luma = luminance(images)
    vertical, horizontal = torch.gradient(luma, dim=(2, 3))
    strength = smooth(torch.hypot(vertical, horizontal), MASK_SIGMA, radius=math.ceil(2 * MASK_SIGMA))
    lowest, highest = strength.amin(dim=(2, 3), keepdim=True), strength.amax(dim=(2, 3), keepdim=True)
    strength = (strength - lowest) / (highest - lowest).clamp_min(1e-6)
    ranked = strength.flatten(1).sort(1).values
    cuts = [ranked[:, round(share * (ranked.shape[1] - 1))][:, None, None, None] for share in MASK_PERCENTILES]
    return strength.maximum(cuts[0]).minimum(cuts[1])


def colour_shift(images: Tensor, amount: float, streams: RandomStreams) -> Tensor:
    """Move the green channel by `amount` pixels in a random direction, and let it show at edges only."""
    angle = 2 * math.pi * streams.uniform()
    moved = translate(images[:, 1:2], torch.round(amount * angle.sin()), torch.round(amount * angle.cos()))
    mask = edge_mask(images)
    result = images.clone()
    result[:, 1:2] = mask * moved + (1 - mask) * images[:, 1:2]
    return result


def scale_hsv_saturation(images: Tensor, factor: float, streams: RandomStreams) -> Tensor:
    """Multiply the HSV saturation; a negative factor gives faint complementary colours."""
    hsv = rgb_to_hsv(images)
    hsv[:, 1] *= factor
    return hsv_to_rgb(hsv)


def scale_lab_chroma(images: Tensor, factor: float, streams: RandomStreams) -> Tensor:
    """Multiply Lab's a and b."""
    lab = rgb_to_lab(images)
    lab[:, 1:] *= factor
    return lab_to_rgb(lab)


def scale_chroma(images: Tensor, factor: float, streams: RandomStreams) -> Tensor:
    """Multiply the distance of every pixel from its own BT.601 grey, which is to multiply Cb and Cr."""
    grey = luminance(images)
    return (grey + factor * (images - grey)).clamp(0, 1)


def quantise_colours(pixels: NDArray[np.uint8], colours: int) -> NDArray[np.uint8]:
    """Reduce an image to a palette of small variance, with Floyd-Steinberg dither.

    Pillow's octree proposes the colours, k-means moves them to where the variance within each colour is smallest.

    Args:
        pixels: (H, W, 3) uint8.
        colours: Maximum number of colours, 2 to 256.

    Returns:
        (H, W, 3) uint8 with at most `colours` different colours.
    """
    image = Image.fromarray(pixels)
    proposal = image.quantize(colours, method=Image.Quantize.FASTOCTREE).getpalette("RGB") or []
    samples = pixels.reshape(-1, 3)[:: math.ceil(pixels.size / 3 / PALETTE_SAMPLES)].astype(np.float32)
    means = np.reshape(proposal, (-1, 3))[:colours].astype(np.float32)
    for _ in range(PALETTE_ROUNDS):
        nearest, _ = vq(samples, means)
        counts = np.bincount(nearest, minlength=len(means))
        sums = np.stack([np.bincount(nearest, channel, len(means)) for channel in samples.T], axis=1)
        means = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], means).astype(np.float32)
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.rint(means).astype(np.uint8).ravel().tolist())
    return np.asarray(image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).convert("RGB"))


def colour_quantisation(images: Tensor, colours: float, streams: RandomStreams) -> Tensor:
    """Reduce one image to a number of colours with dither."""
    return as_tensor(quantise_colours(as_uint8(images), int(colours)), images)


def colour_quantisation_to_psnr(images: Tensor, target: float, streams: RandomStreams) -> Tensor:
    """Reduce one image to the number of colours, 2 to 256, whose PSNR is nearest to `target` dB."""
    pixels = as_uint8(images)
    fewest, most = 2, LARGEST_PALETTE
    nearest, nearest_gap = images, math.inf
    while fewest <= most:
        colours = round(math.sqrt(fewest * most))
        quantised = as_tensor(quantise_colours(pixels, colours), images)
        reached = float(psnr(quantised, images))
        if abs(reached - target) < nearest_gap:
            nearest, nearest_gap = quantised, abs(reached - target)
        if reached > target:
            most = colours - 1
        else:
            fewest = colours + 1
    return nearest


def prepare_chromatic_aberration(images: Tensor, streams: RandomStreams) -> Degradation:
    """Move red and blue apart along a random direction and blur all channels; the strength is the shift in pixels."""
    angle = 2 * math.pi * streams.uniform()

    def degrade(strength: Tensor) -> Tensor:
        rows, columns = strength * angle.sin(), strength * angle.cos()
        red, green, blue = images.split(1, dim=1)
        split = torch.cat([translate(red, rows, columns), green, translate(blue, -rows, -columns)], dim=1)
        sigma = ABERRATION_BLUR * min(float(strength), max(images.shape[-2:]) / 4)
        return smooth(split, max(sigma, 0.05))

    return degrade
