"""A finished fold of a protocol with everything that results record about it: one JSON file, its only store.

| key | meaning |
|---|---|
| seed, name, held_out | seed, name and held-out part of the fold |
| test | positions of the held-out images in the database |
| predicted, opinion | unit scores of those images, in [0, 1] |
| method, protocol, database | names of the method, the protocol and the database |
| images | name, reference, distortion type and level of each held-out image |
| configuration | configuration of the training |
| date, code_version | date of the measurement, and version of the code that measured |

Files of version 0.1 hold the first three rows only; `older_folds` completes them.
"""

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from annotated_types import Interval, MinLen

from metaiqa_core import __version__
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.criteria import bootstrap_interval, plcc, srocc
from metaiqa_core.evaluation.protocols import Split
from metaiqa_core.files import write_text
from metaiqa_core.foreign_text import name_text
from metaiqa_core.json_files import STRICT, read_json, validated
from metaiqa_core.results.records import Measured, Protocol, ResultRecord, Scalar

_MAXIMUM_BYTES = 50 * 2**20

ImageRow = tuple[str, str, str, int]
"""Name, reference, distortion type and level of an image; "" and 0 where there is none."""


@dataclass(frozen=True)
class FinishedFold:
    """The outcome of a fold and where it comes from.

    Attributes:
        split: Predicted and opinion scores of the held-out images, unit scores.
        method: Name of the method in tables; "" in a file of version 0.1.
        protocol: Protocol of the evaluation.
        database: Name of the database.
        images: Predictions for each held-out image, one row an image.
        configuration: Configuration of the training.
        date: Date of the measurement, ISO 8601.
        code_version: Version of this package that measured.
    """

    split: Split
    method: str = ""
    protocol: Protocol = Protocol.AUTHENTIC
    database: str = ""
    images: tuple[ImageRow, ...] = ()
    configuration: Mapping[str, Scalar] = field(default_factory=dict, hash=False)
    date: str = ""
    code_version: str = __version__

    @classmethod
    def of_today(
        cls, split: Split, database: Database, method: str, protocol: Protocol, configuration: Mapping[str, Scalar]
    ) -> "FinishedFold":
        """Return the outcome of a fold that was measured just now."""
        images = tuple(
            (name_text(image.name), image.reference or "", image.distortion_type or "", image.level or 0)
            for image in (database.images[position] for position in split.test)
        )
        today = datetime.date.today().isoformat()
        return cls(split, method, protocol, database.name, images, dict(configuration), today)

    def records(self, run: str, predictions: str) -> list[ResultRecord]:
        """Return SROCC and PLCC with their 95 % intervals.

        Args:
            run: Name of the run.
            predictions: Name of the per-image predictions in the run's folder.
        """
        predicted, opinion, seed = self.split.predicted, self.split.opinion, self.split.seed
        held_out = None
        if self.protocol in (Protocol.LEAVE_ONE_DISTORTION_OUT, Protocol.KNOWN_DISTORTION):
            held_out = self.split.held_out.partition(":")[2] or self.split.held_out
        source = Measured(
            run=run,
            model_hash="not kept: one model a split",
            configuration=self.configuration,
            seed=seed,
            split_hash=hashlib.sha256("\n".join(image[0] for image in self.images).encode()).hexdigest(),
            date=self.date,
            code_version=self.code_version,
            predictions=predictions,
        )
        return [
            ResultRecord(
                method=self.method,
                database=self.database,
                protocol=self.protocol,
                distortion_type=held_out,
                metric=metric,
                value=criterion(predicted, opinion),
                interval=bootstrap_interval(criterion, predicted, opinion, seed=seed),
                n=len(self.images),
                source=source,
            )
            for metric, criterion in (("srocc", srocc), ("plcc", plcc))
        ]

    def frame(self) -> pd.DataFrame:
        """Return the per-image predictions with the columns `predictions.COLUMNS`."""
        frame = pd.DataFrame(self.images, columns=["image", "reference", "distortion_type", "level"])
        return frame.assign(opinion_score=self.split.opinion, predicted_score=self.split.predicted)

    def write(self, file: Path) -> None:
        """Write the fold, whole or not at all.

        Raises:
            OSError: If the disk refuses.
        """
        content = {name: value for name, value in self.__dict__.items() if name != "split"}
        write_text(file, json.dumps({**self.split.__dict__, **content}))


def read_fold(file: Path) -> FinishedFold | None:
    """Return the fold that a file holds; None where there is no file, or it holds something else than a fold.

    Raises:
        EvaluationError: If the file is damaged.
    """
    if not file.exists():
        return None
    try:
        content = read_json(file, _MAXIMUM_BYTES)
        if not isinstance(content, dict):
            raise ValueError("it holds no object")
        return _fold_of(validated(_StoredFold, content), file.stem)
    except (OSError, ValueError) as error:
        raise EvaluationError(f"The finished split in {file} is damaged: delete it to compute it again.") from error


UnitScores = Annotated[tuple[float, ...], MinLen(1)]


@dataclass(frozen=True)
class _StoredFold:
    """Content of a fold's file; one of version 0.1 has only the fields without a default."""

    __pydantic_config__ = {**STRICT, "extra": "ignore"}

    seed: int
    test: Annotated[tuple[Annotated[int, Interval(ge=0)], ...], MinLen(1)]
    predicted: UnitScores
    opinion: UnitScores
    name: str | None = None
    held_out: str | None = None
    method: str | None = None
    protocol: Protocol = Protocol.AUTHENTIC
    database: str = ""
    images: tuple[ImageRow, ...] = ()
    configuration: dict[str, Any] = field(default_factory=dict)
    date: str = ""
    code_version: str = ""

    def __post_init__(self) -> None:
        if not len(self.test) == len(self.predicted) == len(self.opinion):
            raise ValueError("test, predicted and opinion must be equally long")
        if self.method is not None and len(self.images) != len(self.test):
            raise ValueError("images and test must be equally long")


def _fold_of(stored: _StoredFold, name: str) -> FinishedFold:
    split = Split(
        seed=stored.seed,
        test=stored.test,
        predicted=stored.predicted,
        opinion=stored.opinion,
        name=stored.name or name,
        held_out=stored.held_out or "",
    )
    if stored.method is None:
        return FinishedFold(split)
    return FinishedFold(
        split,
        stored.method,
        stored.protocol,
        stored.database,
        stored.images,
        stored.configuration,
        stored.date,
        stored.code_version,
    )
