"""Do gradient maps find damage?

    python benchmarks/maps.py --photos DIR [--work FILE] [--damages-per-photo N] [--methods NAME...] [--tables-only]

Localisation: every photo is damaged in one random square (1/9 to 1/6 of the area, the same for all damages, faded in
over a soft rim), in five ways, and every method draws its map with the settings that the app uses. The ratio is the
square's share of the map's energy (the square of what hurts, see `metaiqa_core.explain.regions`) over its share of the
area: 1 is chance. Means and 95 % intervals (bootstrap over photos) go to assets/benchmarks/maps.csv, in place of those
of the same model.

With fewer damages a photo than five, the photos take turns at them: a smaller run that still sees every photo and every
damage. The methods are measured one after another, the quickest first, so that a run that is stopped has the first ones
whole. A method is in the table when all photos have its maps.

Every finished map is a line of the work file, so that a run that was stopped goes on where it was; another choice of
methods goes on with the same file. The photos must not be those that any choice in metaiqa_core/explain was tuned on
(BSDS500's), nor those that the model learned from.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.assess import Assessor  # noqa: E402
from metaiqa_core.explain.damage import DAMAGES, damage_region, random_square  # noqa: E402
from metaiqa_core.explain.gradient_maps import gradient_map  # noqa: E402
from metaiqa_core.explain.measured import ALL_DAMAGES, LOCALISATION_COLUMNS, NOT_INFORMATIVE  # noqa: E402
from metaiqa_core.explain.methods import METHODS  # noqa: E402
from metaiqa_core.explain.regions import energy_ratio  # noqa: E402
from metaiqa_core.files import write_whole  # noqa: E402
from metaiqa_core.images import READABLE_SUFFIXES, decode  # noqa: E402
from metaiqa_core.progress import finish  # noqa: E402

TABLES = ROOT / "assets" / "benchmarks"
RESAMPLES = 10_000


def main() -> None:
    """Measure, write the tables and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of pristine photos")
    parser.add_argument("--model", default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), metavar="NAME")
    parser.add_argument("--damages-per-photo", type=int, default=len(DAMAGES), choices=range(1, len(DAMAGES) + 1))
    parser.add_argument("--work", type=Path, default=Path("maps_work.jsonl"), help="finished maps; a run goes on there")
    parser.add_argument("--output", type=Path, default=TABLES, help="folder of the table")
    parser.add_argument("--tables-only", action="store_true", help="write the tables of the methods finished so far")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    assessor = Assessor.load(arguments.model)
    files = sorted(file for file in arguments.photos.iterdir() if file.suffix.lower() in READABLE_SUFFIXES)
    if not files:
        parser.error(f"{arguments.photos} holds no photo")
    trials = trials_of(files, arguments.damages_per_photo)
    work = WorkFile(arguments.work, assessor, trials, arguments.seed)
    if not arguments.tables_only:
        localise(assessor, trials, arguments.methods, work)
    rows = summarise(work.rows, trials, assessor, arguments.seed)
    others = [row for row in existing_rows(arguments.output) if row["model"] != assessor.card.name]
    write_table(arguments.output / "maps.csv", LOCALISATION_COLUMNS, [*others, *rows])
    show_localisation(rows)


@dataclass(frozen=True)
class Trial:
    """A photo and one way to damage it.

    Attributes:
        number: Number of the photo, which its seeds follow from.
        file: File of the photo.
        damage: Key of the damage.
    """

    number: int
    file: Path
    damage: str


def trials_of(files: Sequence[Path], damages_per_photo: int) -> list[Trial]:
    """Return what is to be mapped; with fewer damages than there are, each photo starts where the last one ended."""
    keys = list(DAMAGES)
    return [
        Trial(number, file, keys[(number * damages_per_photo + place) % len(keys)])
        for number, file in enumerate(files)
        for place in range(damages_per_photo)
    ]


class WorkFile:
    """The finished maps of a run: one row a map, with photo, damage, method and ratio.

    Args:
        path: File of the rows, begun if there is none.
        assessor: Model that is explained.
        trials: Photos and damages of the run.
        seed: Seed of squares, damages and noise.
    """

    def __init__(self, path: Path, assessor: Assessor, trials: Sequence[Trial], seed: int) -> None:
        self.path, self.seed = path, seed
        header = {"model": assessor.card.sha256, "seed": seed, "trials": len(trials)}
        if not path.exists():
            path.write_text(json.dumps(header) + "\n", encoding="utf-8")
        text = path.read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        if not lines or lines[0] != header:
            sys.exit(f"{path} belongs to another run: name another file with --work, or remove it")
        self.rows: list[dict[str, Any]] = lines[1:]

    def add(self, row: dict[str, Any]) -> None:
        """Keep a row."""
        self.rows.append(row)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def localise(assessor: Assessor, trials: Sequence[Trial], methods: Sequence[str], work: WorkFile) -> None:
    """Map every trial by every method that has not mapped it yet, the quickest method first."""
    finished = {(row["photo"], row["damage"], row["method"]) for row in work.rows}
    ordered = sorted(methods, key=lambda key: METHODS[key].cost)
    waiting = [(key, t) for key in ordered for t in trials if (t.file.name, t.damage, key) not in finished]
    for key, trial in tqdm(waiting, unit="map"):
        seed = 1000 * work.seed + trial.number
        pixels = decode(trial.file).pixels
        region = random_square(*pixels.shape[:2], seed=seed)
        damaged = decode(damage_region(pixels, DAMAGES[trial.damage], region, seed=seed))
        result = finish(gradient_map(assessor.network, damaged, assessor.preprocessing, method=key, seed=work.seed))
        work.add(
            {
                "photo": trial.file.name,
                "damage": trial.damage,
                "method": key,
                "ratio": energy_ratio(result.at(damaged), region, signed=METHODS[key].signed),
                "score": 100 * result.unit_score,
                "gap": result.completeness_gap,
                "seconds": result.seconds,
            }
        )


def summarise(
    rows: Sequence[dict[str, Any]], trials: Sequence[Trial], assessor: Assessor, seed: int
) -> list[dict[str, Any]]:
    """Return means and intervals by method and damage, of the methods that have mapped every trial.

    Over all damages, a photo counts once with its mean.
    """
    date = datetime.now(UTC).date().isoformat()
    counts = Counter(row["method"] for row in rows)
    if not any(count == len(trials) for count in counts.values()):
        sys.exit("no method has mapped all photos yet: let the run go on")
    table = []
    for method in METHODS:
        if counts[method] != len(trials):
            continue
        for damage in (ALL_DAMAGES, *DAMAGES):
            by_photo: dict[str, list[float]] = {}
            for row in rows:
                if row["method"] == method and damage in (ALL_DAMAGES, row["damage"]):
                    by_photo.setdefault(row["photo"], []).append(row["ratio"])
            ratios = np.array([np.mean(values) for values in by_photo.values()])
            generator = np.random.default_rng(seed)
            means = ratios[generator.integers(0, len(ratios), (RESAMPLES, len(ratios)))].mean(1)
            low, high = np.percentile(means, [2.5, 97.5])
            cells = (
                method,
                damage,
                len(ratios),
                f"{ratios.mean():.3f}",
                f"{low:.3f}",
                f"{high:.3f}",
                1,
                assessor.card.name,
                assessor.card.sha256,
                seed,
                date,
            )
            table.append(dict(zip(LOCALISATION_COLUMNS, cells, strict=True)))
    return table


def existing_rows(folder: Path) -> list[dict[str, str]]:
    """Return the rows of the table that is there, for any model."""
    table = folder / "maps.csv"
    if not table.exists():
        return []
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def show_localisation(rows: Sequence[dict[str, Any]]) -> None:
    """Print a line for each method."""
    print("share of energy inside the damage / share of area (1 = chance), mean and 95 % interval")
    for row in rows:
        if row["damage"] == ALL_DAMAGES:
            verdict = "" if float(row["low"]) > 1 else NOT_INFORMATIVE
            by_damage = [
                f"{other['damage']} {float(other['ratio_mean']):.2f}"
                for other in rows
                if other["method"] == row["method"] and other["damage"] != ALL_DAMAGES
            ]
            print(
                f"{row['method']:<24} {row['ratio_mean']} ({row['low']} to {row['high']})  "
                f"{', '.join(by_damage)}  {verdict}"
            )


def write_table(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Write a CSV file whole or not at all."""

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    write_whole(path, write)


if __name__ == "__main__":
    main()
