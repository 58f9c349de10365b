"""Compression: JPEG, JPEG2000, and the two types of TID2013 that imitate the effect of a coder on texture and noise."""

import torch
from torch import Tensor

from metaiqa_core.distortions.block_dct import JPEG_LUMINANCE_TABLE, from_blocks, to_blocks
from metaiqa_core.distortions.codecs import as_tensor, as_uint8, decode, encode
from metaiqa_core.distortions.colour_spaces import rgb_to_ycbcr_difference, ycbcr_to_rgb_difference
from metaiqa_core.distortions.level_search import Degradation
from metaiqa_core.distortions.noise import prepare_white_noise
from metaiqa_core.distortions.randomness import RandomStreams

BASELINE_LIMIT = 255  # the coarsest step of an 8-bit quantisation table
COARSEST_STEP = 32767
COMFORT_LIMIT = 8.0  # CN: the strength at which all signs flip; no AC coefficient exceeds half of it
STEP_PER_NOISE = 4.0  # LCNI: the coder's step over the noise's deviation: most of the noise is quantised away


def jpeg(images: Tensor, quality: float, streams: RandomStreams) -> Tensor:
    """Code one image as JPEG with 4:2:0 chroma, the common default."""
    return as_tensor(decode(encode(as_uint8(images), "JPEG", quality=int(quality))), images)


def jpeg2000(images: Tensor, ratio: float, streams: RandomStreams) -> Tensor:
    """Code one image as JPEG2000 (irreversible 9/7 wavelet) at a compression ratio."""
    options = {"quality_mode": "rates", "quality_layers": [ratio], "irreversible": True}
    return as_tensor(decode(encode(as_uint8(images), "JPEG2000", **options)), images)


def encode_with_table(images: Tensor, table: list[int]) -> bytes:
    """Code one image as 4:4:4 JPEG with one quantisation table (64 steps) for luma and chroma."""
    # 16-bit tables need a progressive stream: in a sequential one libjpeg writes a warning to stderr.
    progressive = max(table) > BASELINE_LIMIT
    return encode(as_uint8(images), "JPEG", qtables=[table, table], subsampling="4:4:4", progressive=progressive)


def prepare_jpeg(images: Tensor, streams: RandomStreams) -> Degradation:
    """JPEG of one image; the strength scales the standard's luminance table, finer than a quality of 1 to 100 can."""
    steps = torch.tensor(JPEG_LUMINANCE_TABLE, dtype=torch.float64).flatten()

    def degrade(strength: Tensor) -> Tensor:
        table = (steps * float(strength)).round().clamp(1, COARSEST_STEP).int().tolist()
        return as_tensor(decode(encode_with_table(images, table)), images)

    return degrade


def prepare_jpeg2000(images: Tensor, streams: RandomStreams) -> Degradation:
    """JPEG2000 of one image; the strength is the compression ratio."""

    def degrade(strength: Tensor) -> Tensor:
        return jpeg2000(images, float(strength), streams)

    return degrade


def prepare_compressed_noise(images: Tensor, streams: RandomStreams) -> Degradation:
    """Lossy compression of one noisy image; the strength is the noise's standard deviation.

    The coder is JPEG with one step for all frequencies, `STEP_PER_NOISE` times the noise's deviation.
    """
    add_noise = prepare_white_noise(images, streams)

    def degrade(strength: Tensor) -> Tensor:
        step = min(max(round(STEP_PER_NOISE * 255 * float(strength)), 1), COARSEST_STEP)
        return as_tensor(decode(encode_with_table(add_noise(strength), [step] * 64)), images)

    return degrade


def prepare_comfort_noise(images: Tensor, streams: RandomStreams) -> Degradation:
    """Comfort noise: the fine texture that a coder would drop is replaced by noise of the same spectrum.

    In the 8x8 DCT of Y, Cb and Cr every AC coefficient below the strength keeps its size and gets a random sign. In a
    photo with so little texture that this is not enough, more than half of the signs flip.
    """
    height, width = images.shape[-2:]
    coefficients = to_blocks(rgb_to_ycbcr_difference(images))
    draws = streams.uniform(*coefficients.shape[1:]).to(images)
    draws[..., 0, 0] = 1  # the block means stay

    def degrade(strength: Tensor) -> Tensor:
        threshold = strength[:, None, None, None, None, None]
        flipped = (coefficients.abs() < threshold) & (draws < (threshold / COMFORT_LIMIT).clamp(0.5, 1))
        error = torch.where(flipped, -2 * coefficients, torch.zeros_like(coefficients))
        return (images + ycbcr_to_rgb_difference(from_blocks(error, height, width))).clamp(0, 1)

    return degrade
