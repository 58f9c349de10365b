"""Transmission errors: real JPEG and JPEG2000 streams are damaged and then decoded.

Bursts of random bytes hit the coded data; headers stay intact. Hits are added until the PSNR of the level is met, more
at a time while they do little; a hit that would overshoot it, or that the decoder cannot survive, is taken back and
other places are tried. Nothing global is touched: libjpeg decodes damaged data by itself (only a missing end would need
Pillow's process-wide `LOAD_TRUNCATED_IMAGES`), and OpenJPEG's refusals are caught.
"""

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from metaiqa_core.distortions.codecs import as_tensor, as_uint8, decode, encode
from metaiqa_core.distortions.level_search import psnr
from metaiqa_core.distortions.randomness import RandomStreams
from metaiqa_core.errors import DistortionError

CLEAN_JPEG_QUALITY = 92
CLEAN_JPEG2000_PSNR = 40  # dB
LONGEST_BURST = 8  # bytes
MAXIMUM_HITS_AT_ONCE = 64
TRANSMISSION_TOLERANCE = 0.25  # dB
JPEG_ATTEMPTS = 100
JPEG2000_ATTEMPTS = 60
MARKER = 0xFF
START_OF_SCAN = b"\xff\xda"
START_OF_DATA = b"\xff\x93"


def _hits(seed: int, data_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield damage without end: a position within the data and the bytes that arrive there."""
    generator = np.random.default_rng(seed)
    while True:
        length = int(generator.integers(1, LONGEST_BURST + 1))
        yield int(generator.integers(0, data_bytes)), generator.bytes(length)


def damage(stream: bytes, position: int, burst: bytes) -> bytes:
    """Overwrite bytes of the coded data, but never make, break or move a marker (any byte next to 0xFF is spared).

    Args:
        stream: JPEG or JPEG2000 stream, headers included.
        position: Index of the first byte to overwrite.
        burst: Bytes to write there.

    Returns:
        The damaged stream, of the same length.
    """
    damaged = bytearray(stream)
    for index, value in enumerate(burst, start=position):
        if index >= len(stream) - 2:  # the end-of-image marker
            break
        if MARKER not in (value, damaged[index], damaged[index - 1]):
            damaged[index] = value
    return bytes(damaged)


def transmit(images: Tensor, stream: bytes, data_start: int, target: float, attempts: int, seed: int) -> Tensor:
    """Damage a stream until its decoded image has the PSNR `target`, as near as the attempts allow.

    Args:
        images: (1, 3, H, W) in [0, 1], the reference of the PSNR.
        stream: Intact JPEG or JPEG2000 stream.
        data_start: Index of the first byte after the headers.
        target: PSNR in dB.
        attempts: Largest number of hits to try.
        seed: Seed of the positions and bytes of the hits.

    Returns:
        (1, 3, H, W) in [0, 1].

    Raises:
        DistortionError: If the decoder refused every damaged stream.
    """
    nearest = as_tensor(decode(stream), images)
    reached = float(psnr(nearest, images))
    line = _hits(seed, len(stream) - data_start)
    survived, hits = 0, 1
    for _ in range(attempts):
        candidate = stream
        for offset, burst in itertools.islice(line, hits):
            candidate = damage(candidate, data_start + offset, burst)
        decoded = _decode_or_none(candidate, images)
        after = -math.inf if decoded is None else float(psnr(decoded, images))
        survived += decoded is not None
        if decoded is not None and target - TRANSMISSION_TOLERANCE <= after:
            stream, nearest, reached = candidate, decoded, after
            hits = min(2 * hits, MAXIMUM_HITS_AT_ONCE)
        else:
            hits = max(hits // 2, 1)
        if survived and reached <= target + TRANSMISSION_TOLERANCE:
            break
    if not survived:
        raise DistortionError(
            f"Expected a damaged stream that still decodes, but the decoder refused all {attempts} that were tried; "
            "choose another seed or a larger photo."
        )
    return nearest


def _decode_or_none(stream: bytes, like: Tensor) -> Tensor | None:
    try:
        pixels: NDArray[np.uint8] = decode(stream)
    except (OSError, ValueError, SyntaxError):  # what Pillow raises for streams beyond repair
        return None
    return as_tensor(pixels, like) if pixels.shape[:2] == like.shape[-2:] else None


def _seed(streams: RandomStreams) -> int:
    return int(streams.integers(0, 2**62))


def jpeg_transmission(images: Tensor, target: float, streams: RandomStreams) -> Tensor:
    """Send one image as JPEG over a bad line; restart markers after every row of blocks let the decoder recover."""
    stream = encode(as_uint8(images), "JPEG", quality=CLEAN_JPEG_QUALITY, restart_marker_rows=1)
    scan = stream.index(START_OF_SCAN)
    data_start = scan + 2 + int.from_bytes(stream[scan + 2 : scan + 4], "big")
    return transmit(images, stream, data_start, target, JPEG_ATTEMPTS, _seed(streams))


def jpeg2000_transmission(images: Tensor, target: float, streams: RandomStreams) -> Tensor:
    """Send one image as JPEG2000 over a bad line; damage spreads over whole wavelet blocks."""
    stream = encode(
        as_uint8(images),
        "JPEG2000",
        quality_mode="dB",
        quality_layers=[CLEAN_JPEG2000_PSNR],
        irreversible=True,
        codeblock_size=(32, 32),  # the smaller the blocks, the more local the damage
    )
    data_start = stream.index(START_OF_DATA) + len(START_OF_DATA)
    return transmit(images, stream, data_start, target, JPEG2000_ATTEMPTS, _seed(streams))
