"""One benchmark number and where it comes from: printed in the paper, measured here, or uploaded by the user."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from metaiqa_core.errors import ResultsError

Scalar = str | int | float | bool | None
_LIMITS = {
    **dict.fromkeys(("srocc", "plcc", "plcc_logistic", "krocc"), (-1.0, 1.0)),
    "rmse": (0.0, sys.float_info.max),
}
METRICS = tuple(_LIMITS)
MAXIMUM_IMAGES = 10**9
"""Largest number of images that a stored or uploaded result may rest on."""
_CELL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_HASH = re.compile(r"[0-9a-f]{12}")


class Protocol(StrEnum):
    """The protocol by which a number was obtained (Section 4 of the paper; the last three are this project's)."""

    LEAVE_ONE_DISTORTION_OUT = "leave-one-distortion-out"
    AUTHENTIC = "authentic"
    ABLATION = "ablation"
    PARAMETER_STUDY = "parameter-study"
    ADAPTATION_CURVE = "adaptation-curve"
    COMPARISON = "comparison"
    KNOWN_DISTORTION = "known-distortion"


@dataclass(frozen=True)
class Published:
    """Reported in a paper.

    Attributes:
        table: Table of the paper, for example "Table 2".
        cell: Row and column in it, for example "TID2013 AGN, MetaIQA".
        citation: Short citation of the publication.
    """

    table: str
    cell: str
    citation: str = "Zhu et al., CVPR 2020"

    def __str__(self) -> str:
        return f"reported in the paper: {self.citation}, {self.table}, {self.cell}"


@dataclass(frozen=True)
class Measured:
    """Measured here, with everything that is needed to repeat the measurement.

    Attributes:
        run: Name of the run, which is also the name of its folder.
        model_hash: SHA-256 of the weights that made the predictions, or words that say why there is none.
        configuration: Configuration of the measurement, complete. A parameter study reads `k` and `inner_steps` from
            it, an adaptation curve `labelled_photos` and `start`; where `database_folder` names the folder that the
            predictions' image names are relative to, the pages show the images.
        seed: Seed of the split and of the training.
        split_hash: Hash of the image names on the test side.
        date: Date of the measurement, ISO 8601.
        code_version: Version of this package, with the commit where known.
        predictions: Name of the per-image predictions in the run's folder, None when they were not kept.
    """

    run: str
    model_hash: str
    configuration: Mapping[str, Scalar] = field(hash=False)
    seed: int
    split_hash: str
    date: str
    code_version: str
    predictions: str | None = None

    def __post_init__(self) -> None:
        for name in ("run", "model_hash", "split_hash", "date", "code_version"):
            if not isinstance(getattr(self, name), str):
                raise ResultsError(f"The {name} of a measurement is a text, got {getattr(self, name)!r}.")
        if not isinstance(self.configuration, Mapping) or not isinstance(self.seed, int):
            raise ResultsError(f"A measurement needs a configuration and an integer seed, got seed {self.seed!r}.")
        if self.predictions is not None and not _CELL_NAME.fullmatch(self.predictions):
            raise ResultsError(
                f"A predictions name is up to 100 letters, digits, '-', '_' and '.', got {self.predictions[:120]!r}."
            )

    def __str__(self) -> str:
        model = self.model_hash[:12] if _HASH.match(self.model_hash) else "not kept"
        return f"measured here: run {self.run}, model {model}, seed {self.seed}, {self.date[:10]}"


@dataclass(frozen=True)
class Uploaded:
    """Handed in by the user for comparison; nothing about it was checked.

    Attributes:
        file: Name of the uploaded file.
        line: Line in it, from 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"uploaded, not checked: {self.file}, line {self.line}"


Source = Published | Measured | Uploaded


@dataclass(frozen=True)
class ResultRecord:
    """One number and its source.

    Attributes:
        method: Name of the evaluated method in tables.
        database: Name of the test database, for example "TID2013"; a re-synthesised database keeps its own name
            ("kadid10k-style").
        protocol: Protocol of the evaluation.
        distortion_type: The held-out type's abbreviation in the paper ("AGN"); None for a whole database.
        metric: Name of the criterion, one of `METRICS`.
        value: Value of the criterion: a correlation in [-1, 1], or a root mean squared error in unit scores, 0 or more.
        interval: 95 % interval (low, high) over the test images, None where unknown.
        n: Number of test images, None where the source does not say.
        source: Source of the number.
        label: Name shown to people instead of the method where several sources are shown; by default the method.

    Raises:
        ResultsError: If the metric is unknown or a number is impossible.
    """

    method: str
    database: str
    protocol: Protocol
    distortion_type: str | None
    metric: str
    value: float
    interval: tuple[float, float] | None
    n: int | None
    source: Source
    label: str = ""

    def __post_init__(self) -> None:
        if not (isinstance(self.method, str) and self.method and isinstance(self.database, str) and self.database):
            raise ResultsError("A result needs the name of its method and of its database.")
        if not isinstance(self.label, str):
            raise ResultsError(f"The label of a result is a text, got {self.label!r}.")
        if not self.label:
            object.__setattr__(self, "label", self.method)
        if self.distortion_type is not None and not isinstance(self.distortion_type, str):
            raise ResultsError(f"A distortion type is given by its abbreviation, got {self.distortion_type!r}.")
        if self.metric not in _LIMITS:
            raise ResultsError(f"A metric is one of {', '.join(METRICS)}, got {self.metric!r}.")
        low, high = _LIMITS[self.metric]
        for value in (self.value, *self.interval) if self.interval else (self.value,):
            if not low <= value <= high:  # catches NaN too
                limits = "0 or more" if self.metric == "rmse" else "-1 to 1"
                raise ResultsError(f"{self.metric.upper()} is a finite number, {limits}, got {value:g}.")
        if self.interval is not None and self.interval[0] > self.interval[1]:
            raise ResultsError(f"An interval runs from low to high, got {self.interval}.")
        if self.n is not None and (not isinstance(self.n, int) or self.n < 1):
            raise ResultsError(f"A result rests on at least one image, got n = {self.n}.")
