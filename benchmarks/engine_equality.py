"""How far the engine's scores lie from torch's, and whether a photo gets the same score alone and among others.

    python benchmarks/engine_equality.py FOLDER [--photos 500] [--model NAME|FILE]

For photos of a folder, evenly spread over its names, it takes the score by torch, by ONNX Runtime for each photo alone,
by ONNX Runtime for all photos together, one by one and side by side, and by ONNX Runtime after Pillow's own filter,
which shrinks photos where the one on vectors is not installed. Differences are in points of 100.
"""

import argparse
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
from torch import set_num_threads

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.assess import Assessor  # noqa: E402
from metaiqa_core.assessment import Assessment  # noqa: E402
from metaiqa_core.images import resizing  # noqa: E402
from metaiqa_core.images.photo_folders import FolderScan  # noqa: E402

ALLOWED = 0.01
"""Largest difference that is accepted, points."""


def main() -> None:
    """Compare and print; the exit status is 1 if a difference is too large."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--model", default="default", metavar="NAME|FILE")
    arguments = parser.parse_args()
    found = FolderScan().photos_in(arguments.folder)
    if not found:
        parser.error(f"{arguments.folder} holds no photos: name the folder that the photos lie in")
    places = np.linspace(0, len(found) - 1, min(arguments.photos, len(found))).astype(int)
    files = [found[place] for place in places]
    onnx, torch = (Assessor.load(arguments.model, engine=name) for name in ("onnx", "torch"))
    set_num_threads(1)  # of torch: two that other programs disturb wait for each other
    print(
        f"{onnx.card.name}, {len(files)} photos, {onnx.engine.threads} threads (onnx), {torch.engine.threads} (torch)"
    )

    begin = time.perf_counter()
    alone = [onnx.assess(file).score for file in files]
    truth = [torch.assess(file).score for file in files]
    together = [outcome.score for outcome in onnx.assess_many(files) if isinstance(outcome, Assessment)]
    backwards = [outcome.score for outcome in onnx.assess_many(files[::-1]) if isinstance(outcome, Assessment)]
    with mock.patch.object(resizing, "vectors", None):
        by_pillow = [onnx.assess(file).score for file in files]
    print(f"{time.perf_counter() - begin:.0f} seconds")

    apart = np.abs(np.subtract(alone, truth))
    print(f"onnx and torch: at most {apart.max():.6f} points, mean {apart.mean():.6f}")
    print(f"alone and among others: at most {np.abs(np.subtract(alone, together)).max():.6f} points")
    print(f"alone and among others, backwards: at most {np.abs(np.subtract(alone, backwards[::-1])).max():.6f} points")
    moved = np.subtract(alone, by_pillow)
    sizes = np.abs(moved)
    print(
        f"on vectors and by Pillow: at most {sizes.max():.4f} points, 99 % at most {np.quantile(sizes, 0.99):.4f}, "
        f"mean {sizes.mean():.4f}, with their signs {moved.mean():+.4f}"
    )
    sys.exit(int(max(apart.max(), np.ptp([alone, together, backwards[::-1]], axis=0).max()) > ALLOWED))


if __name__ == "__main__":
    main()
