"""How long a score takes, from file to number, paired within one run.

    python benchmarks/scoring.py [ROUNDS] [--json FILE]

For JPEG photos of 12 megapixels, of 1080 x 800 and of 512 x 384 pixels it times, in turn and several times over:

- `score`: our whole path, `Assessor.assess(path)`: read, decode, shrink, predict, calibrate;
- `engine`: the bare engine on pixels that are ready, at the same input size: what cannot be saved;
- `decode`: reading and decoding the file, reduced as the model needs it;
- `decode in full`: the same by Pillow, in full size, as other programs do.

One after another, as photos of a folder come; the first two also after a rest, as in a program that waits for somebody.
Beside others, after a rest in which the threads of the way before stop to wait for work in a loop:

- `torch`: the bare network in torch;
- `pyiqa paq2piq` and `pyiqa cnniqa`: pyiqa's ResNet18-class metric and its smallest network doing the same work: read
  and decode the file, predict. Their weights are random here, which costs the same time. They need
  `pip install pyiqa`; without it the rows are left out.

A way is warm when it is timed: it ran once before. Cold is a new process, which scores one photo as `metaiqa score
photo.jpg` does: seconds, processor seconds and peak memory for each size. Ratios are medians over rounds of the ratio
within a round, by the clock and by this process's processor time, which other programs disturb less; absolute times are
of this machine at this moment.
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

REST = 0.1
"""Seconds before each way where it comes after a rest."""
SIZES = {"512 x 384": (512, 384), "1080 x 800": (1080, 800), "12 MP": (4000, 3000)}


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
        print(f"\n{name} JPEG", flush=True)
        for row, value in results[name].items():
            print(f"  {row:<56} {value:8.2f}", flush=True)
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "photo.jpg"
            path.write_bytes(jpeg(size))
            seconds, busy, megabytes = cold_start(path)
        results[f"a new process, {name}"] = {"score, s": seconds, "processor, s": busy, "peak memory, MB": megabytes}
        told = f"{seconds:.2f} s, {busy:.2f} s of the processors, at most {megabytes:.0f} MB"
        print(f"\na new process that scores one photo of {name}: {told}")
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

    bare: dict[str, Callable[[], object]] = {
        "score": lambda: assessor.assess(path),
        "engine": lambda: assessor.engine.unit_score(pixels),
    }
    parts: dict[str, Callable[[], object]] = {
        **bare,
        "decode": lambda: decode(path, minimum_short_side=short_side),
        "decode in full": lambda: Image.open(path).load(),
    }
    others: dict[str, Callable[[], object]] = {
        "score": bare["score"],
        "torch": in_torch,
        **{name: partial(foreign, peer) for name, peer in peers.items()},
    }
    groups = (("one after another", parts, 0.0), ("after a rest", bare, REST), ("beside others", others, REST))
    numbers = {}
    for title, ways, rest in groups:
        clock, busy = timed(ways, rounds, rest)
        numbers |= {f"{title}: {name}, ms": statistics.median(values) for name, values in clock.items()}
        for kind, times in (("", clock), (", by processor", busy)):
            for name in list(ways)[1:]:
                ratios = [mine / theirs for mine, theirs in zip(times["score"], times[name], strict=True)]
                numbers[f"{title}: score / {name}{kind}"] = statistics.median(ratios)
    return numbers


def timed(
    ways: dict[str, Callable[[], object]], rounds: int, rest: float
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return the milliseconds of each way in each round, by the clock and of the processors."""
    clock: dict[str, list[float]] = {way: [] for way in ways}
    busy: dict[str, list[float]] = {way: [] for way in ways}
    for way in ways.values():
        way()  # the first call pays for set-up
    for _ in range(rounds):
        for name, way in ways.items():
            time.sleep(rest)
            start, busy_start = time.perf_counter(), time.process_time()
            way()
            clock[name].append(1000 * (time.perf_counter() - start))
            busy[name].append(1000 * (time.process_time() - busy_start))
    return clock, busy


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
        peers = {"pyiqa paq2piq": PAQ2PIQ(pretrained=False), "pyiqa cnniqa": CNNIQA(pretrained=None)}
    return {name: peer.eval() for name, peer in peers.items()}


def cold_start(path: Path) -> tuple[float, float, float]:
    """Return the seconds, processor seconds and peak memory, MB, of a new process; the best of five."""
    command = [sys.executable, "-c", COLD, str(path)]
    runs = []
    for _ in range(5):
        begin = time.perf_counter()
        outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        seconds, (busy, megabytes) = time.perf_counter() - begin, map(float, outcome.stderr.split()[-2:])
        runs.append((seconds, busy, megabytes))
    return min(runs)


COLD = """
import sys, time
from metaiqa_core.cli import main
main(["score", sys.argv[1]])
lines = open("/proc/self/status").read().splitlines()
peak = next(str(int(line.split()[1]) / 1024) for line in lines if line.startswith("VmHWM"))
sys.stderr.write(f"{time.process_time()} {peak}")
"""


def jpeg(size: tuple[int, int]) -> bytes:
    """Return a JPEG of a bundled photo at that (width, height)."""
    file = io.BytesIO()
    Image.fromarray(data.astronaut()).resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=92)
    return file.getvalue()


if __name__ == "__main__":
    main()
