"""Which share of pristine photos, and of damaged ones, `synthesize` refuses as references.

python benchmarks/pristine.py [--most 30] FOLDER...
"""

import argparse
import io
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.distortions import distort  # noqa: E402
from metaiqa_core.images import decode  # noqa: E402
from metaiqa_core.synthesis import find_photos  # noqa: E402
from metaiqa_core.synthesis.pristine import (  # noqa: E402
    MAXIMUM_BLOCKING,
    MAXIMUM_NOISY_SHARE,
    MINIMUM_SHARPNESS,
    blocking,
    luma_of,
    noisy_share,
    sharpness,
)

SIDE = 384  # pixels: the largest centre window that all photos have is cut to at most this


def damaged(pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Return a photo as it is and damaged in ways that are common before a photo reaches anyone."""
    versions = {"as it is": pixels}
    for quality in (90, 80, 70, 50):
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
        versions[f"JPEG {quality}, saved again as PNG"] = np.asarray(Image.open(stream))
    for key, level, name in (("GB", 2, "blur, sigma 0.5"), ("GB", 3, "blur, sigma 1"), ("LB", 2, "defocus, radius 2")):
        versions[name] = distort(pixels, f"kadid10k:{key}", level)
    half = Image.fromarray(pixels).resize((pixels.shape[1] // 2, pixels.shape[0] // 2), Image.Resampling.LANCZOS)
    versions["enlarged twice"] = np.asarray(half.resize(pixels.shape[1::-1], Image.Resampling.BICUBIC))
    generator = np.random.default_rng(0)
    for deviation in (2, 4, 8):
        noisy = pixels + generator.normal(0, deviation, pixels.shape)
        versions[f"noise of {deviation} levels"] = noisy.clip(0, 255).round().astype(np.uint8)
    return versions


def main() -> None:
    """Print the share that each measure refuses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--most", type=int, default=30, help="photos of each folder")
    arguments = parser.parse_args()
    for folder in arguments.folders:
        photos = find_photos([folder])
        count = min(arguments.most, len(photos))
        refused: dict[str, list[tuple[bool, bool, bool]]] = {}
        for path in (photos[index * len(photos) // count] for index in range(count)):
            pixels = decode(path).pixels
            top, left = (max((side - SIDE) // 2, 0) for side in pixels.shape[:2])
            for name, version in damaged(pixels[top : top + SIDE, left : left + SIDE]).items():
                luma = luma_of(version)
                edges = sharpness(luma)
                verdict = (
                    blocking(luma) > MAXIMUM_BLOCKING,
                    edges is None or edges < MINIMUM_SHARPNESS,
                    noisy_share(luma) > MAXIMUM_NOISY_SHARE,
                )
                refused.setdefault(name, []).append(verdict)
        print(f"\n{folder.name}, {count} photos | refused | for blocks | for blur | for noise")
        for name, verdicts in refused.items():
            by_reason = np.mean(verdicts, axis=0)
            shares = " | ".join(f"{share:.0%}" for share in (np.any(verdicts, axis=1).mean(), *by_reason))
            print(f"{name} | {shares}", flush=True)


if __name__ == "__main__":
    main()
