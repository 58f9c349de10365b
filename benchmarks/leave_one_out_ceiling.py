"""What can a model rank within a distortion type at most, and what keeps a run of leave-one-distortion-out from it?

Computed from people's own scores of a database, type by type (SROCC):

- `level`: minus the level alone, for a judge who sees how strong a distortion is and nothing else;
- `levels as judged`: the level, in the order in which people liked the levels of this type;
- `level and content`: the sum of the mean score of the level and of the mean score of the content.

Beside them, for each run that is named: its SROCC by type (mean over seeds); `order of levels`, SROCC of the mean
predictions of the type's levels with the mean scores that people gave them (-1: judged upside down); and `within a
level`, the mean SROCC over contents of the same level.

    python benchmarks/leave_one_out_ceiling.py tid2013-kodak/ [--run runs/NAME ...] [--method MetaIQA]

A run of `fine-tune --repeats` on the same database can be named too: its model knew the type.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from metaiqa_core.databases.reading import read_database  # noqa: E402
from metaiqa_core.errors import EvaluationError  # noqa: E402
from metaiqa_core.evaluation import criteria  # noqa: E402
from metaiqa_core.results import storage  # noqa: E402
from metaiqa_core.results.records import Measured  # noqa: E402

KEYS = ["type", "level", "reference"]


def srocc(predicted: pd.Series, opinion: pd.Series) -> float:
    """Return SROCC, not a number where either is constant."""
    try:
        return criteria.srocc(predicted, opinion)
    except EvaluationError:
        return float("nan")


def scores_of(folder: Path) -> pd.DataFrame:
    """Return the type, level, reference and opinion score of every image of a database."""
    images = read_database(folder).images
    rows = [
        (image.distortion_type.partition(":")[2], image.level, image.reference, image.unit_score) for image in images
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "opinion"])


def ceilings(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the three ceilings of each type."""
    found = {}
    for kind, rows in scores.groupby("type", sort=False):
        by_level = rows.groupby("level")["opinion"].transform("mean")
        by_content = rows.groupby("reference")["opinion"].transform("mean")
        found[kind] = {
            "level": srocc(-rows["level"], rows["opinion"]),
            "levels as judged": srocc(by_level, rows["opinion"]),
            "level and content": srocc(by_level + by_content, rows["opinion"]),
        }
    return pd.DataFrame(found).T


def measured(folder: Path, method: str) -> pd.DataFrame:
    """Return SROCC, order of levels and SROCC within a level by type, means over the seeds of a run."""
    run, rows = storage.read_run(folder), []
    names = {record.method for record in run.records}
    chosen = method if method in names else min(names)
    for record in run.records:
        if record.metric != "srocc" or record.method != chosen or not isinstance(record.source, Measured):
            continue
        predictions = storage.read_predictions(run, record.source.predictions)
        for kind, one in predictions.groupby("distortion_type", sort=False):
            means = one.groupby("level")[["predicted_score", "opinion_score"]].mean()
            within = [srocc(level["predicted_score"], level["opinion_score"]) for _, level in one.groupby("level")]
            rows.append(
                {
                    "type": kind.partition(":")[2],
                    "SROCC": srocc(one["predicted_score"], one["opinion_score"]),
                    "order of levels": srocc(means["predicted_score"], means["opinion_score"]),
                    "within a level": float(np.nanmean(within)),
                }
            )
    return pd.DataFrame(rows).groupby("type", sort=False).mean()


def table(database: Path, runs: list[Path], method: str) -> pd.DataFrame:
    """Return one row a type, and the means at the end."""
    parts = [ceilings(scores_of(database))]
    for run in runs:
        parts.append(measured(run, method).add_prefix(f"{run.name}: "))
    joined = pd.concat(parts, axis=1)
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
