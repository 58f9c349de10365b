"""How long a score takes, from file to number, paired within one run.

    python benchmarks/scoring.py [ROUNDS] [--json FILE]

For JPEG photos of 12 megapixels, of 1080 x 800 and of 512 x 384 pixels it times, in turn and several times over:

- `score`: our whole path, `Assessor.assess(path)`: read, decode, shrink, predict, calibrate;
- `engine`: the bare engine on pixels that are ready, at the same input size: what cannot be saved;
- `decode`: reading and decoding the file, reduced as the model needs it;
- `torch`: the bare network in torch;
- `pyiqa paq2piq` and `pyiqa cnniqa`: pyiqa's ResNet18-class metric and its smallest network doing the same work: read
  and decode the file, predict. Their weights are random here, which costs the same time. They need
  `pip install pyiqa`; without it the rows are left out.

Then a new process scores one photo, as `metaiqa score photo.jpg` does: seconds and peak memory. Ratios are medians
over rounds of the ratio within a round; absolute times are of this machine at this moment.
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest import mock

import torch
import torchvision
from PIL import Image
from skimage import data
from torchvision.transforms.functional import to_tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.assess import Assessor  # noqa: E402
from metaiqa_core.images import decode  # noqa: E402

SIZES = {"12 MP": (4000, 3000), "1080 x 800": (1080, 800), "512 x 384": (512, 384)}


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", type=int, nargs="?", default=9)
    parser.add_argument("--json", type=Path, help="also write the numbers there")
    arguments = parser.parse_args()
    assessor = Assessor.load()
    peers = pyiqa_metrics()
    results = {}
    print(f"{assessor.card.name}, {assessor.engine.name}, {assessor.engine.threads} threads; torch {torch.__version__}")
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "photo.jpg"
            path.write_bytes(jpeg(size))
            results[name] = compare(assessor, peers, path, arguments.rounds)
        print(f"\n{name} JPEG")
        for row, value in results[name].items():
            print(f"  {row:<34} {value:8.2f}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(jpeg(SIZES["1080 x 800"]))
        seconds, megabytes = cold_start(path)
    results["a new process"] = {"score, s": seconds, "peak memory, MB": megabytes}
    print(f"\na new process that scores one photo: {seconds:.2f} s, at most {megabytes:.0f} MB")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def compare(assessor: Assessor, peers: dict[str, torch.nn.Module], path: Path, rounds: int) -> dict[str, float]:
    """Return median milliseconds and median paired ratios."""
    short_side = assessor.preprocessing.short_side
    photo = decode(path, minimum_short_side=short_side)
    pixels = assessor.preprocessing.pixels(photo)
    ready = assessor.preprocessing(photo).contiguous(memory_format=torch.channels_last)

    def in_torch() -> None:
        with torch.inference_mode():
            assessor.network(ready)

    def foreign(peer: torch.nn.Module) -> None:
        with torch.inference_mode():
            peer(to_tensor(Image.open(path).convert("RGB"))[None])

    ways: dict[str, Callable[[], object]] = {
        "score": lambda: assessor.assess(path),
        "engine": lambda: assessor.engine.unit_score(pixels),
        "decode": lambda: decode(path, minimum_short_side=short_side),
        "torch": in_torch,
        **{name: partial(foreign, peer) for name, peer in peers.items()},
    }
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


def pyiqa_metrics() -> dict[str, torch.nn.Module]:
    """Return two of pyiqa's metrics with random weights; none where pyiqa is not installed."""
    try:
        from pyiqa.archs.cnniqa_arch import CNNIQA
        from pyiqa.archs.paq2piq_arch import PAQ2PIQ
    except ImportError:
        print("pyiqa is not installed: its rows are left out")
        return {}
    build = torchvision.models.resnet18
    with mock.patch("torchvision.models.resnet18", return_value=build()):  # no download of weights
        peers = {"pyiqa paq2piq": PAQ2PIQ(pretrained=False), "pyiqa cnniqa": CNNIQA(pretrained=False)}
    return {name: peer.eval() for name, peer in peers.items()}


def cold_start(path: Path) -> tuple[float, float]:
    """Return the seconds and the peak memory, MB, of a new process that scores one photo; the best of three."""
    command = [sys.executable, "-c", COLD, str(path)]
    runs = []
    for _ in range(3):
        begin = time.perf_counter()
        outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        runs.append((time.perf_counter() - begin, float(outcome.stderr.split()[-1])))
    return min(runs)


COLD = """
import sys
from metaiqa_core.cli import main
main(["score", sys.argv[1]])
lines = open("/proc/self/status").read().splitlines()
sys.stderr.write(next(str(int(line.split()[1]) / 1024) for line in lines if line.startswith("VmHWM")))
"""


def jpeg(size: tuple[int, int]) -> bytes:
    """Return a JPEG of a bundled photo at that (width, height)."""
    file = io.BytesIO()
    Image.fromarray(data.astronaut()).resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=92)
    return file.getvalue()


if __name__ == "__main__":
    main()
