"""How long a score takes, from file to number, paired within one run.

    python benchmarks/scoring.py [ROUNDS] [--json FILE]

For a 12 MP JPEG and a 1080 x 800 one it times, in turn and several times over:

- `score`: our whole path, `Assessor.assess(path)`: read, decode, shrink, predict, calibrate;
- `forward`: the bare network on a tensor that is ready, at the same input size: what cannot be saved;
- `pyiqa paq2piq`: the ResNet18-class metric of pyiqa doing the same work: read and decode the file, predict. Its
  weights are random here, which costs the same time. Needs `pip install pyiqa`; without it the row is left out.

Ratios are medians over rounds of the ratio within a round; absolute times are of this machine at this moment.
"""

import argparse
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import torch
import torchvision
from PIL import Image
from skimage import data
from torchvision.transforms.functional import to_tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from metaiqa_core.assess import Assessor
from metaiqa_core.images import decode

SIZES = {"12 MP": (4000, 3000), "1080 x 800": (1080, 800)}


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", type=int, nargs="?", default=9)
    parser.add_argument("--json", type=Path, help="also write the numbers there")
    arguments = parser.parse_args()
    assessor = Assessor.load()
    peer = pyiqa_metric()
    results = {}
    print(f"{assessor.card.name}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "photo.jpg"
            path.write_bytes(jpeg(size))
            results[name] = compare(assessor, peer, path, arguments.rounds)
        print(f"\n{name} JPEG")
        for row, value in results[name].items():
            print(f"  {row:<34} {value:8.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def compare(assessor: Assessor, peer: torch.nn.Module | None, path: Path, rounds: int) -> dict[str, float]:
    """Return median milliseconds and median paired ratios."""
    photo = decode(path, minimum_short_side=assessor.preprocessing.short_side)
    ready = assessor.preprocessing(photo).contiguous(memory_format=torch.channels_last)

    def forward() -> None:
        with torch.inference_mode():
            assessor.network(ready)

    def foreign() -> None:
        with torch.inference_mode():
            peer(to_tensor(Image.open(path).convert("RGB"))[None])

    ways: dict[str, Callable[[], object]] = {"score": lambda: assessor.assess(path), "forward": forward}
    if peer is not None:
        ways["pyiqa paq2piq"] = foreign
    times: dict[str, list[float]] = {way: [] for way in ways}
    for way in ways.values():
        way()  # the first call pays for set-up
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append(1000 * (time.perf_counter() - start))
    numbers = {f"{name}, ms": statistics.median(values) for name, values in times.items()}
    for other in list(ways)[1:]:
        ratios = [mine / theirs for mine, theirs in zip(times["score"], times[other], strict=True)]
        numbers[f"score / {other}"] = statistics.median(ratios)
    return numbers


def pyiqa_metric() -> torch.nn.Module | None:
    """Return pyiqa's ResNet18 metric with random weights, or None where pyiqa is not installed."""
    try:
        from pyiqa.archs.paq2piq_arch import PAQ2PIQ
    except ImportError:
        print("pyiqa is not installed: its row is left out")
        return None
    build = torchvision.models.resnet18
    with mock.patch("torchvision.models.resnet18", return_value=build()):  # no download of weights
        return PAQ2PIQ(pretrained=False).eval()


def jpeg(size: tuple[int, int]) -> bytes:
    """Return a JPEG of a bundled photo at that (width, height)."""
    file = io.BytesIO()
    Image.fromarray(data.astronaut()).resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=92)
    return file.getvalue()


if __name__ == "__main__":
    main()
