"""How many photos a second, and how time and memory grow with their number.

    python benchmarks/throughput.py [--photos N] [--rounds N] [--counts N ...]

First, in turn and several times over, on `--photos` different JPEG files with all processors:

- `decode`: reading, decoding and shrinking alone, photos side by side;
- `engine`: the bare engine on inputs that are ready, in the faster of two ways: photos side by side with a thread each,
  or one after another with all threads;
- `ours`: `Assessor.assess_many`, from file to assessment.

While decoding and the engine compete for the same processors, no program is faster than both together; one whose files
come slowly is bounded by the slower of both. Wall-clock seconds and processor seconds are medians over the rounds.

Then `metaiqa score FOLDER --format csv --output FILE` runs on folders of ever more small photos (links to a few files
under other names): seconds and peak memory of the whole process. The model is a tiny one with random weights
there, since the default one enlarges small photos, and 20,000 of them would take an hour.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.assess import Assessor  # noqa: E402
from metaiqa_core.images import decode  # noqa: E402
from metaiqa_core.preprocessing import Preprocessing  # noqa: E402

SIZES = {"512 x 384": (512, 384), "1080 x 800": (1080, 800)}
SMALL = (96, 72)
DIFFERENT = 20
"""Number of different small photos."""


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--counts", type=int, nargs="*", default=[1000, 5000, 20_000])
    arguments = parser.parse_args()
    assessor = Assessor.load()
    print(f"{assessor.card.name}, {assessor.engine.name}, {assessor.engine.threads} processors")
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            files = write_photos(Path(folder) / name, arguments.photos, size)
            compare(f"{arguments.photos} JPEG files, {name}", assessor, files, arguments.rounds)
        if arguments.counts:
            print("\nmetaiqa score FOLDER: photos, seconds, photos a second, processor seconds, peak memory (MB)")
            model = write_tiny_model(Path(folder) / "tiny.safetensors")
        for count in arguments.counts:
            photos = write_links(Path(folder) / str(count), count)
            seconds, busy, megabytes = score_folder(photos, model)
            print(f"  {count:7,} {seconds:8.1f} {count / seconds:8.1f} {busy:8.1f} {megabytes:8.0f}", flush=True)


def compare(title: str, assessor: Assessor, files: list[Path], rounds: int) -> None:
    """Print medians of each way, and how close ours comes to its bounds."""
    short_side, engine = assessor.preprocessing.short_side, assessor.engine
    inputs = [assessor.preprocessing.pixels(decode(file, minimum_short_side=short_side)) for file in files]
    alone = engine.one_thread or engine

    def ready(file: Path) -> object:
        return assessor.preprocessing.pixels(decode(file, minimum_short_side=short_side))

    with ThreadPoolExecutor(engine.threads) as pool:
        ways: dict[str, Callable[[], object]] = {
            "decode": lambda: list(pool.map(ready, files)),
            "engine, side by side": lambda: list(pool.map(alone.unit_score, inputs)),
            "engine, one by one": lambda: [engine.unit_score(pixels) for pixels in inputs],
            "ours": lambda: list(assessor.assess_many(files)),
        }
        wall: dict[str, list[float]] = {name: [] for name in ways}
        busy: dict[str, list[float]] = {name: [] for name in ways}
        for way in ways.values():
            way()
        for _ in range(rounds):
            for name, way in ways.items():
                begin, busy_begin = time.perf_counter(), time.process_time()
                way()
                wall[name].append(time.perf_counter() - begin)
                busy[name].append(time.process_time() - busy_begin)
    print(f"\n{title}: seconds, photos a second, processor seconds")
    for name in ways:
        seconds = statistics.median(wall[name])
        print(f"  {name:<22} {seconds:8.2f} {len(files) / seconds:8.1f} {statistics.median(busy[name]):8.2f}")
    for kind, times in (("wall clock", wall), ("processor time", busy)):
        best = [min(pair) for pair in zip(times["engine, side by side"], times["engine, one by one"], strict=True)]
        slower = [max(pair) for pair in zip(times["decode"], best, strict=True)]
        both = [sum(pair) for pair in zip(times["decode"], best, strict=True)]
        for bound, bounds in (("the slower of both", slower), ("both together", both)):
            share = statistics.median(one / ours for one, ours in zip(bounds, times["ours"], strict=True))
            print(f"  ours reaches of what {bound} allows, by {kind:<15} {share:6.0%}")


def write_photos(folder: Path, number: int, size: tuple[int, int]) -> list[Path]:
    """Write different JPEG files of a (width, height), with detail and noise as photos have."""
    folder.mkdir()
    files = []
    for seed in range(number):
        draws = np.random.default_rng(seed)
        coarse = Image.fromarray(draws.integers(256, size=(24, 32, 3), dtype=np.uint8)).resize(
            size, Image.Resampling.BICUBIC
        )
        pixels = np.asarray(coarse) + draws.normal(0, 6, (size[1], size[0], 3))
        files.append(folder / f"{seed:04}.jpg")
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(files[-1], quality=90)
    return files


def write_links(folder: Path, count: int) -> Path:
    """Return a folder of `count` small photos: links to a few files, or copies where there are no links."""
    folder.mkdir()
    originals = write_photos(folder.with_name(f"{folder.name} originals"), DIFFERENT, SMALL)
    for number in range(count):
        os.link(originals[number % DIFFERENT], folder / f"{number:06}.jpg")
    return folder


def write_tiny_model(path: Path) -> Path:
    """Write a small network with random weights and its card."""
    from metaiqa_core.models.card import ModelCard
    from metaiqa_core.models.checkpoints import save_checkpoint
    from metaiqa_core.models.regressor import Regressor, RegressorConfig

    config, preprocessing = RegressorConfig(backbone="mobilenet_v3_small", hidden=8), Preprocessing(short_side=64)
    card = ModelCard("tiny", "Random weights.", "regressor", config, preprocessing, training_data="none", licence="MIT")
    save_checkpoint(Regressor(config).eval(), card, path)
    return path


def score_folder(folder: Path, model: Path) -> tuple[float, float, float]:
    """Return seconds, processor seconds and peak memory, MB, of a process that scores a folder."""
    begin = time.perf_counter()
    words = [sys.executable, "-c", SCORE, folder, folder.with_suffix(".csv"), model]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return time.perf_counter() - begin, float(told[-2]), float(told[-1])


SCORE = """
import sys, time
from pathlib import Path
from metaiqa_core.cli import main
assert main(["score", sys.argv[1], "--format", "csv", "--output", sys.argv[2], "--model", sys.argv[3]]) == 0
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.is_file() else []
peak = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), float("nan"))
print(time.process_time(), peak)
"""

if __name__ == "__main__":
    main()
