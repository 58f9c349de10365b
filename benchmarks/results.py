"""How long the leave-one-distortion-out page takes to open with 200 own runs, against none.

Each run holds 24 types, 4 criteria and 3,000 predictions. Both pages run headless in this process, in turns, so that
what else the machine does hits both alike. *First* is without cached runs (after a start of the app), *again* with.

    python benchmarks/results.py [RUNS [ROUNDS]]
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.results import published, storage  # noqa: E402
from metaiqa_core.results.records import Measured, Protocol, ResultRecord  # noqa: E402

PAGE = ROOT / "pages" / "leave_one_distortion_out.py"


def make_runs(folder: Path, count: int) -> None:
    """Write one run and copy it under other names."""
    configuration = {f"field_{position}": position for position in range(20)}
    generator = np.random.default_rng(0)
    records, frames = [], {}
    for entry in published.distortion_types("TID2013"):
        source = Measured("run-000", "a" * 64, configuration, 0, "b" * 64, "2026-01-01", "0.1.0", entry.abbreviation)
        for metric in ("srocc", "plcc", "krocc", "rmse"):
            key = (Protocol.LEAVE_ONE_DISTORTION_OUT, entry.abbreviation, metric)
            records.append(ResultRecord("MetaIQA", "TID2013", *key, 0.5, (0.4, 0.6), 125, source))
        frames[entry.abbreviation] = pd.DataFrame(
            {
                "image": [f"i{position:03d}.bmp" for position in range(125)],
                "reference": [f"i{position // 5:02d}" for position in range(125)],
                "distortion_type": entry.abbreviation,
                "level": np.tile(np.arange(1, 6), 25),
                "opinion_score": generator.random(125),
                "predicted_score": generator.random(125),
            }
        )
    first = storage.write_run(folder / "run-000", records, frames).folder
    for position in range(1, count):
        copy = folder / f"run-{position:03d}"
        shutil.copytree(first, copy)
        text = (copy / storage.RESULTS_FILE).read_text(encoding="utf-8")
        (copy / storage.RESULTS_FILE).write_text(text.replace('"run-000"', f'"{copy.name}"'), encoding="utf-8")


def seconds_to_open(folder: Path) -> float:
    """Return how long one opening of the page takes."""
    os.environ["METAIQA_RUNS"] = str(folder)
    page = AppTest.from_file(str(PAGE), default_timeout=300)
    start = time.perf_counter()
    page.run()
    elapsed = time.perf_counter() - start
    if page.exception:
        raise RuntimeError(page.exception[0].message)
    return elapsed


def main(count: int = 200, rounds: int = 9) -> None:
    """Print the medians and their ratios."""
    with tempfile.TemporaryDirectory() as temporary:
        empty, full = Path(temporary, "empty"), Path(temporary, "full")
        empty.mkdir()
        make_runs(full, count)
        seconds_to_open(empty)  # imports
        print(f"{count} runs of 3,000 predictions, {rounds} rounds in turns, median seconds (lowest)")
        for name, forget in (("first", True), ("again", False)):
            none, many = [], []
            for _ in range(rounds):
                for folder, times in ((empty, none), (full, many)):
                    if forget:
                        st.cache_resource.clear()
                    times.append(seconds_to_open(folder))
            ratio = statistics.median(b / a for a, b in zip(none, many, strict=True))
            shown = [f"{statistics.median(times):.3f} ({min(times):.3f})" for times in (none, many)]
            print(f"{name}: none {shown[0]}, {count} runs {shown[1]}, ratio {ratio:.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
