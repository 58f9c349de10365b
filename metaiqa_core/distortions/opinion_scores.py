"""Average opinion scores of each distortion type and level over the photos of its database.

Source: the published mean opinion scores of TID2013 and KADID-10k, aggregated by type and level; the shipped table and
its citations lie in `assets/labels`.
"""

import csv
from dataclasses import dataclass
from functools import cache

from metaiqa_core.assets import ASSETS
from metaiqa_core.distortions.distortion_type import LEVELS, Database, DistortionType
from metaiqa_core.errors import DistortionError

_TABLE = ASSETS / "labels" / "opinion_by_type_and_level.csv"

RAW_RANGES: dict[Database, tuple[float, float]] = {"tid2013": (0.0, 9.0), "kadid10k": (1.0, 5.0)}
"""Lowest and highest possible score as the database publishes it: unit scores 0 and 1. Higher is better."""


@dataclass(frozen=True)
class OpinionScore:
    """Opinion scores of one distortion type at one level.

    Attributes:
        mean: Mean over the photos, unit score.
        std: Standard deviation over the photos (of their mean scores, not of the people's), unit score.
        count: Number of photos.
    """

    mean: float
    std: float
    count: int


def opinion_of(distortion: DistortionType, level: int) -> OpinionScore:
    """Return the opinion scores of a distortion type at a level.

    Args:
        distortion: Entry of the catalogue.
        level: Level of the distortion, 1 to 5.

    Returns:
        Mean, deviation and number of the scores; unit scores in [0, 1], higher is better.

    Raises:
        DistortionError: If there is no such level.
    """
    if level not in LEVELS:
        raise DistortionError(f"Expected a level from {LEVELS[0]} to {LEVELS[-1]}, got {level!r}.")
    return _opinions()[distortion.database, distortion.id, int(level)]


def opinion_curve(distortion: DistortionType) -> tuple[OpinionScore, ...]:
    """Return the opinion scores of the five levels of a distortion type, level 1 first."""
    return tuple(opinion_of(distortion, level) for level in LEVELS)


@cache
def _opinions() -> dict[tuple[str, int, int], OpinionScore]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {
            (row["database"], int(row["type_id"]), int(row["level"])): OpinionScore(
                float(row["mean_unit"]), float(row["std_unit"]), int(row["count"])
            )
            for row in csv.DictReader(file)
        }
