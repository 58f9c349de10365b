"""Compute what people said on average of each distortion type and level: `opinion_by_type_and_level.csv`.

From the published scores of both databases, of which only these aggregates ship. An image's reference, type and level
are read off its file name; nothing else of the files is used.

    python assets/labels/aggregate.py tid2013_mos_with_names.txt kadid10k_scores.csv
"""

import argparse
import csv
import re
import statistics
from collections import defaultdict
from pathlib import Path

NAME = re.compile(r"i(\d\d)_(\d\d)_0?([1-5])\.(?:bmp|png)", re.IGNORECASE)
RAW_RANGES = {"tid2013": (0.0, 9.0), "kadid10k": (1.0, 5.0)}
EXPECTED = {"tid2013": 25 * 24 * 5, "kadid10k": 81 * 25 * 5}
COLUMNS = ("database", "type_id", "level", "count", "mean_raw", "std_raw", "mean_unit", "std_unit")


def tid2013_scores(path: Path) -> list[tuple[str, float]]:
    """Read lines of score and file name; scores are 0 to 9."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [(name, float(score)) for score, name in lines]


def kadid10k_scores(path: Path) -> list[tuple[str, float]]:
    """Read the column `dmos` (1 to 5, higher is better despite its name) by the name in the first column."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(next(iter(row.values())), float(row["dmos"])) for row in csv.DictReader(file)]


def aggregate(database: str, scores: list[tuple[str, float]]) -> list[dict[str, object]]:
    """Return one row for each type and level: count, mean and sample standard deviation over the references."""
    groups: dict[tuple[int, int], list[float]] = defaultdict(list)
    for name, score in scores:
        if not (match := NAME.fullmatch(name)):
            raise SystemExit(f"{name} is no file name of {database}.")
        groups[int(match[2]), int(match[3])].append(score)
    if len(scores) != EXPECTED[database]:
        raise SystemExit(f"Expected {EXPECTED[database]} scores of {database}, got {len(scores)}.")
    low, high = RAW_RANGES[database]
    rows: list[dict[str, object]] = []
    for (type_id, level), members in sorted(groups.items()):
        mean, std = statistics.fmean(members), statistics.stdev(members)
        numbers = (mean, std, (mean - low) / (high - low), std / (high - low))
        rows.append(
            dict(zip(COLUMNS, (database, type_id, level, len(members), *(f"{n:.5f}" for n in numbers)), strict=True))
        )
    return rows


def main() -> None:
    """Write the table beside this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tid2013", type=Path, help="the database's mos_with_names.txt")
    parser.add_argument("kadid10k", type=Path, help="the database's scores: image name first, and a column dmos")
    arguments = parser.parse_args()
    rows = aggregate("tid2013", tid2013_scores(arguments.tid2013))
    rows += aggregate("kadid10k", kadid10k_scores(arguments.kadid10k))
    output = Path(__file__).with_name("opinion_by_type_and_level.csv")
    with output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
