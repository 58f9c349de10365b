"""Bulk scoring by processes of Ray on this machine: one worker against two.

    python benchmarks/scale.py [--photos N] [--size WIDTH HEIGHT] [--workers N ...]

For each number of workers, `metaiqa bulk-score` scores the same synthetic JPEG files in a new process. Printed are the
seconds from the first finished part to the last (without the start of Ray), photos a second, the processor seconds a
photo that the command itself reports, and the core-hours that a million such photos would take.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from throughput import ROOT, write_photos

MILLION = 1_000_000


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--size", type=int, nargs=2, default=(1080, 800), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        write_photos(photos, arguments.photos, tuple(arguments.size))
        print(f"{arguments.photos} JPEG files, {arguments.size[0]} x {arguments.size[1]}")
        print("workers  seconds  photos a second  processor seconds a photo  core-hours per million")
        for workers in arguments.workers:
            seconds, scored, busy = run(photos, Path(folder) / f"scores-{workers}", workers)
            hours = busy * MILLION / 3600
            print(f"{workers:7} {seconds:8.1f} {scored / seconds:16.1f} {busy:26.3f} {hours:23.1f}", flush=True)


def run(photos: Path, output: Path, workers: int) -> tuple[float, int, float]:
    """Score; return the seconds between the first part and the last, their photos, and processor seconds a photo."""
    size = 10
    command = [sys.executable, "-m", "metaiqa_core", "bulk-score", photos, "--output", output]
    words = [*command, "--workers", str(workers), "--part-size", str(size)]
    outcome = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    found = re.search(r"took ([\d.]+) processor seconds a photo", outcome.stderr)
    if outcome.returncode or not found:
        raise SystemExit(outcome.stderr)
    parts = sorted(path.stat().st_mtime for path in output.glob("part-*"))
    return parts[-1] - parts[0], size * (len(parts) - 1), float(found[1])


if __name__ == "__main__":
    main()
