"""Measured localisation of the maps of a model: how well they find damage, and whether better than chance."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from metaiqa_core.assets import ASSETS
from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain.methods import METHODS

LOCALISATION_TABLE = ASSETS / "benchmarks" / "maps.csv"
LOCALISATION_COLUMNS = (
    "method",
    "damage",
    "n_photos",
    "ratio_mean",
    "low",
    "high",
    "chance",
    "model",
    "model_sha256",
    "seed",
    "date",
)
ALL_DAMAGES = "all"
NOT_INFORMATIVE = "not informative for this model"
GOOD_RATIO = 1.5
"""Localisation ratio above which the whole interval must lie for a method's reliability to count as good."""


@dataclass(frozen=True)
class Localisation:
    """Share of a method's map that falls on a damaged region, over many photos.

    Attributes:
        method: Key of the method.
        damage: Key of the damage, or `all`.
        n_photos: Number of photos.
        ratio_mean: Mean over the photos of (share of the energy inside) / (share of the area inside); 1 is chance.
        low: Lower end of its 95 % interval (bootstrap over photos).
        high: Upper end of that interval.
        model: Name of the model.
        model_sha256: Hash of its weights: a model of the same name may have learned more since.
        seed: Seed of the damaged places, the noise and the bootstrap.
        date: Date of the measurement, ISO 8601.
    """

    method: str
    damage: str
    n_photos: int
    ratio_mean: float
    low: float
    high: float
    model: str
    model_sha256: str
    seed: int
    date: str

    @property
    def informative(self) -> bool:
        """Whether the whole interval lies above chance."""
        return self.low > 1

    @property
    def reliability(self) -> str:
        """Reliability in one word: good, fair, or poor where it may be chance."""
        return "good" if self.low > GOOD_RATIO else "fair" if self.informative else "poor"


def read_localisation(path: Path = LOCALISATION_TABLE) -> tuple[Localisation, ...]:
    """Read the table that `benchmarks/maps.py` writes; a missing file is an empty table.

    Raises:
        ExplanationError: If the file is damaged.
    """
    if not path.exists():
        return ()
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, changed: int) -> tuple[Localisation, ...]:
    del changed  # part of the key: a new table is read anew
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return tuple(
                Localisation(
                    method=row["method"],
                    damage=row["damage"],
                    n_photos=int(row["n_photos"]),
                    ratio_mean=float(row["ratio_mean"]),
                    low=float(row["low"]),
                    high=float(row["high"]),
                    model=row["model"],
                    model_sha256=row["model_sha256"],
                    seed=int(row["seed"]),
                    date=row["date"],
                )
                for row in csv.DictReader(file)
            )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ExplanationError(
            f"{path.name} is not the table that benchmarks/maps.py writes ({error!r}): restore the file."
        ) from error


def localisation_of(
    model: str, method: str, *, damage: str = ALL_DAMAGES, path: Path = LOCALISATION_TABLE
) -> Localisation | None:
    """Return the measured localisation of a model and a method; None where it was not measured.

    Args:
        model: Name of the model.
        method: Key of the method.
        damage: Key of a damage, or `all`.
        path: File of the table.
    """
    wanted = (model, method, damage)
    return next((row for row in read_localisation(path) if (row.model, row.method, row.damage) == wanted), None)


def informative(model: str, method: str, *, path: Path = LOCALISATION_TABLE) -> bool | None:
    """Return whether a method's maps of a model find damage better than chance; None where it was not measured."""
    row = localisation_of(model, method, path=path)
    return None if row is None else row.informative


def by_reliability(model: str, *, path: Path = LOCALISATION_TABLE) -> list[str]:
    """Return the keys of all methods, the most reliable for a model first.

    The lower end of the interval decides, so that the methods that are not informative stand behind all others; those
    that were not measured come last, in the order of the catalogue.

    Args:
        model: Name of the model.
        path: File of the table.
    """
    measured = {key: found.low for key in METHODS if (found := localisation_of(model, key, path=path)) is not None}
    return sorted(METHODS, key=lambda key: -measured.get(key, -1.0))
