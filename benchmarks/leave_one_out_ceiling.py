"""What can a model rank within a distortion type at most, and what keeps a run of leave-one-distortion-out from it?

Computed from people's own scores of a database, type by type (SROCC):

- `level alone`: minus the level alone, for a judge who sees how strong a distortion is and nothing else;
- `levels as judged`: the level, in the order in which people liked the levels of this type;
- `level and content`: the sum of the mean score of the level and of the mean score of the content.

Beside them, for each run that is named: its SROCC by type (mean over seeds); `order of levels`, SROCC of the mean
predictions of the type's levels with the mean scores that people gave them (-1: judged upside down); and `within a
level`, the mean SROCC over contents of the same level.

    python benchmarks/leave_one_out_ceiling.py tid2013-kodak/ [--run runs/NAME ...] [--method MetaIQA]

A run of `leave-one-out --knows-half` can be named too: its model knew the type from other contents.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.databases.reading import read_database  # noqa: E402
from metaiqa_core.results import storage  # noqa: E402
from metaiqa_core.results.ceilings import ceilings, ranked_by  # noqa: E402
from metaiqa_core.results.records import Measured  # noqa: E402


def scores_of(folder: Path) -> pd.DataFrame:
    """Return the type, level, reference and opinion score of every image of a database."""
    images = read_database(folder).images
    rows = [(image.distortion_type, image.level, image.reference, image.unit_score) for image in images]
    return pd.DataFrame(rows, columns=["distortion_type", "level", "reference", "opinion_score"])


def measured(folder: Path, method: str) -> pd.DataFrame:
    """Return what a method ranks by type, means over the folds of a run: seeds, or halves of the contents too."""
    run = storage.read_run(folder)
    names = {record.method for record in run.records}
    chosen = method if method in names else min(names)
    folds = [
        ranked_by(storage.read_predictions(run, record.source.predictions))
        for record in run.records
        if record.metric == "srocc" and record.method == chosen and isinstance(record.source, Measured)
    ]
    return pd.concat(folds).groupby(level=0, sort=False).mean()


def table(database: Path, runs: list[Path], method: str) -> pd.DataFrame:
    """Return one row a type, and the means at the end."""
    parts = [ceilings(scores_of(database))]
    for run in runs:
        parts.append(measured(run, method).add_prefix(f"{run.name}: "))
    joined = pd.concat(parts, axis=1).rename(index=lambda kind: kind.partition(":")[2])
    joined.loc["mean"] = joined.mean()
    return joined


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("database", type=Path)
    parser.add_argument("--run", type=Path, action="append", default=[])
    parser.add_argument("--method", default="MetaIQA")
    arguments = parser.parse_args()
    found = table(arguments.database, arguments.run, arguments.method)
    print("| type | " + " | ".join(found.columns) + " |")
    print("|" + "---|" * (len(found.columns) + 1))
    for name, row in found.iterrows():
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in row) + " |")


if __name__ == "__main__":
    main()
