"""How many photos a second each distortion type makes on one core, and how that compares with plain code.

Three tables for one photo of 512x384 pixels: every type (mean of its five levels), the 125 variants that KADID-10k
makes of a photo, and the five slowest types against straightforward NumPy, SciPy and Pillow code that does the same
(bisection to the same tolerance in place of the interpolating search). Both sides run in turns within one process, so
that what else the machine does hits both alike. With a GPU, a fourth table compares a batch there with the CPU.

    python benchmarks/distortions.py [ROUNDS]
"""

import io
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import fft, ndimage
from skimage.restoration import denoise_wavelet

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.distortions import CATALOGUE, KADID10K, LEVELS, distort, find_distortion  # noqa: E402

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 512, 384
TOLERANCE = 0.1  # dB, the package's own
BISECTIONS = 20
BATCH = 16


def plain_psnr(result: NDArray, photo: NDArray) -> float:
    """Peak signal-to-noise ratio in dB of images in [0, 1]."""
    return -10 * math.log10(max(float(((result - photo) ** 2).mean()), 1e-12))


def bisect(photo: NDArray, degrade: Callable[[float], NDArray], target: float, low: float, high: float) -> NDArray:
    """Find the strength for a PSNR by halving the bracket in the logarithm."""
    for _ in range(BISECTIONS):
        strength = math.sqrt(low * high)
        result = degrade(strength)
        reached = plain_psnr(result, photo)
        if abs(reached - target) <= TOLERANCE:
            break
        low, high = (strength, high) if reached > target else (low, strength)
    return result


def plain_sparse_sampling(pixels: Pixels, target: float) -> NDArray:
    """Keep random pixels, fill with the nearest, then eight rounds of block-DCT thresholding."""
    photo = pixels / 255
    draws = np.random.default_rng(0).random(photo.shape[:2])

    def degrade(odds: float) -> NDArray:
        kept = draws >= odds / (1 + odds)
        rows, columns = ndimage.distance_transform_edt(~kept, return_distances=False, return_indices=True)
        sigma = 0.7 / math.sqrt(kept.mean())
        estimate = ndimage.gaussian_filter(photo[rows, columns], (sigma, sigma, 0), mode="nearest", truncate=2)
        estimate[kept] = photo[kept]
        for step in range(8):
            threshold = 0.3 * (0.02 / 0.3) ** (step / 7)
            shift = (step * 3 % 8, step * 5 % 8)
            blocks = np.roll(estimate, shift, (0, 1)).reshape(HEIGHT // 8, 8, WIDTH // 8, 8, 3)
            coefficients = fft.dctn(blocks, axes=(1, 3), norm="ortho")
            means = coefficients[:, 0, :, 0].copy()
            coefficients[np.abs(coefficients) < threshold] = 0
            coefficients[:, 0, :, 0] = means
            cleaned = fft.idctn(coefficients, axes=(1, 3), norm="ortho").reshape(photo.shape)
            estimate = np.roll(cleaned, (-shift[0], -shift[1]), (0, 1))
            estimate[kept] = photo[kept]
        return estimate.clip(0, 1)

    return bisect(photo, degrade, target, 0.01, 2000)


def plain_jpeg2000(pixels: Pixels, target: float) -> NDArray:
    """Bisect the compression ratio."""

    def degrade(ratio: float) -> NDArray:
        stream = io.BytesIO()
        options = {"quality_mode": "rates", "quality_layers": [ratio], "irreversible": True}
        Image.fromarray(pixels).save(stream, "JPEG2000", **options)
        return np.asarray(Image.open(stream)) / 255

    return bisect(pixels / 255, degrade, target, 1.5, 5000)


def plain_jpeg2000_transmission(pixels: Pixels, target: float) -> NDArray:
    """Overwrite one random burst after the other; take back what overshoots."""
    buffer = io.BytesIO()
    options = {"quality_mode": "dB", "quality_layers": [40], "irreversible": True, "codeblock_size": (32, 32)}
    Image.fromarray(pixels).save(buffer, "JPEG2000", **options)
    stream = bytearray(buffer.getvalue())
    start = stream.index(b"\xff\x93") + 2
    generator = np.random.default_rng(0)
    nearest = None
    for _ in range(400):
        candidate = stream.copy()
        position = int(generator.integers(start, len(stream) - 10))
        candidate[position : position + 4] = generator.integers(0, 255, 4).astype(np.uint8).tobytes()
        try:
            decoded = np.asarray(Image.open(io.BytesIO(candidate)).convert("RGB")) / 255
        except OSError:
            continue
        reached = plain_psnr(decoded, pixels / 255)
        if reached >= target - 0.25:
            stream, nearest = candidate, decoded
            if reached <= target + 0.25:
                break
    return pixels / 255 if nearest is None else nearest


def plain_colour_quantisation(pixels: Pixels, target: float) -> NDArray:
    """Bisect the number of colours of Pillow's median cut with its own k-means, then dither."""
    image = Image.fromarray(pixels)

    def degrade(strength: float) -> NDArray:
        palette = image.quantize(round(256 / strength), method=Image.Quantize.MEDIANCUT, kmeans=1)
        return np.asarray(image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).convert("RGB")) / 255

    return bisect(pixels / 255, degrade, target, 1, 128)


def plain_denoising(pixels: Pixels, target: float) -> NDArray:
    """Bisect the noise that a wavelet denoiser removes."""
    photo = (pixels / 255).astype(np.float32)
    noise = np.random.default_rng(0).standard_normal(photo.shape).astype(np.float32)

    def degrade(deviation: float) -> NDArray:
        noisy = (photo + deviation * noise).clip(0, 1)
        options = {"wavelet": "db2", "convert2ycbcr": True, "rescale_sigma": True, "channel_axis": -1}
        return denoise_wavelet(noisy, sigma=deviation, **options).clip(0, 1)

    return bisect(photo, degrade, target, 5e-3, 2)


PLAIN: dict[str, Callable[[Pixels, float], NDArray]] = {
    "tid2013:SSR": plain_sparse_sampling,
    "tid2013:J2TE": plain_jpeg2000_transmission,
    "tid2013:JP2K": plain_jpeg2000,
    "tid2013:ICQD": plain_colour_quantisation,
    "tid2013:DEN": plain_denoising,
}


def seconds(action: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main(rounds: int) -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    photo = np.asarray(Image.fromarray(skimage.data.coffee()).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))

    print(f"{WIDTH}x{HEIGHT}, one core, median of {rounds} rounds over the five levels\n\ntype | photos a second")
    for entry in CATALOGUE:
        distort(photo, entry, 1)
        times = [
            statistics.fmean([seconds(lambda e=entry, n=level: distort(photo, e, n)) for level in LEVELS])
            for _ in range(rounds)
        ]
        print(f"{entry.key} | {1 / statistics.median(times):.2f}", flush=True)

    def all_variants() -> None:
        for entry in KADID10K:
            for level in LEVELS:
                distort(photo, entry, level)

    times = [seconds(all_variants) for _ in range(rounds)]
    print(f"\nThe 125 variants of one photo: {statistics.median(times):.2f} s (best {min(times):.2f} s)")

    print("\ntype | this package, ms | plain, ms | plain / package | largest PSNR error, dB: package, plain")
    for key, plain in PLAIN.items():
        ours, theirs, our_gap, their_gap = [], [], 0.0, 0.0
        for _ in range(rounds):
            for level, target in zip(LEVELS, find_distortion(key).parameters, strict=True):
                ours.append(seconds(lambda k=key, n=level: distort(photo, k, n)))
                theirs.append(seconds(lambda p=plain, t=target: p(photo, t)))
        for level, target in zip(LEVELS, find_distortion(key).parameters, strict=True):
            our_gap = max(our_gap, abs(plain_psnr(distort(photo, key, level) / 255, photo / 255) - target))
            their_gap = max(their_gap, abs(plain_psnr(plain(photo, target), photo / 255) - target))
        ratio = statistics.median([b / a for a, b in zip(ours, theirs, strict=True)])
        print(
            f"{key} | {1e3 * statistics.fmean(ours):.0f} | {1e3 * statistics.fmean(theirs):.0f} | {ratio:.2f} | "
            f"{our_gap:.2f}, {their_gap:.2f}",
            flush=True,
        )

    if torch.cuda.is_available():
        print(f"\ntype | batch of {BATCH}: CPU ms per photo | GPU ms per photo")
        batch = torch.from_numpy(photo / np.float32(255)).permute(2, 0, 1).expand(BATCH, -1, -1, -1).contiguous()
        on_gpu = batch.cuda()
        for entry in (entry for entry in CATALOGUE if entry.batched):
            distort(on_gpu, entry, 3)
            cpu = seconds(lambda e=entry: distort(batch, e, 3)) / BATCH
            gpu = seconds(lambda e=entry: distort(on_gpu, e, 3).cpu()) / BATCH
            print(f"{entry.key} | {1e3 * cpu:.1f} | {1e3 * gpu:.1f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
