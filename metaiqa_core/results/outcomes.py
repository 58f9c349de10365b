"""Finished folds of a protocol as result records with their per-image predictions, for the result pages to open."""

import datetime
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from metaiqa_core import __version__
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.criteria import bootstrap_interval, plcc, srocc
from metaiqa_core.evaluation.protocols import Split
from metaiqa_core.results.records import Measured, Protocol, ResultRecord, Scalar
from metaiqa_core.results.storage import Run, write_run


def write_splits(
    folder: Path, splits: Sequence[Split], database: Database, method: str, configuration: Mapping[str, Scalar]
) -> Run:
    """Write SROCC and PLCC of each random split into a run's folder.

    Args:
        folder: The run's folder.
        splits: The finished splits.
        database: What they split.
        method: What to call the trained model in tables.
        configuration: Of the training, the same for all splits but for the seed.

    Raises:
        ResultsError: If the folder holds another run's results.
        OSError: If the disk refuses.
    """
    outcomes = Outcomes(folder.name, Protocol.AUTHENTIC, database)
    for split in splits:
        outcomes.add(split, method, configuration, name=f"split-{split.seed}")
    return outcomes.write(folder)


class Outcomes:
    """Collects finished folds of one protocol and database, of any number of methods.

    Args:
        run: Name of the run, which is that of its folder.
        protocol: How the numbers were obtained.
        database: What the folds' positions count.
    """

    def __init__(self, run: str, protocol: Protocol, database: Database) -> None:
        self._run, self._protocol, self._database = run, protocol, database
        self._records: list[ResultRecord] = []
        self._frames: dict[str, pd.DataFrame] = {}

    def add(self, split: Split, method: str, configuration: Mapping[str, Scalar], *, name: str | None = None) -> None:
        """Add SROCC and PLCC of one fold, with its predictions.

        Args:
            split: The outcome.
            method: What to call the trained model in tables.
            configuration: Of the training.
            name: Of the predictions; by default made of the method's and the fold's.
        """
        name = name or re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{method}-{split.name}").strip("-.")[:100]
        images = [self._database.images[position] for position in split.test]
        source = Measured(
            run=self._run,
            model_hash="not kept: one model a split",
            configuration=configuration,
            seed=split.seed,
            split_hash=hashlib.sha256("\n".join(image.path.name for image in images).encode()).hexdigest(),
            date=datetime.date.today().isoformat(),
            code_version=__version__,
            predictions=name,
        )
        numbers = {
            name: (
                criterion(split.predicted, split.opinion),
                bootstrap_interval(criterion, split.predicted, split.opinion, seed=split.seed),
            )
            for name, criterion in {"srocc": srocc, "plcc": plcc}.items()
        }
        held_out = None
        if self._protocol is Protocol.LEAVE_ONE_DISTORTION_OUT:
            held_out = split.held_out.partition(":")[2] or split.held_out
        self._records += [
            ResultRecord(
                method, self._database.name, self._protocol, held_out, metric, value, interval, len(images), source
            )
            for metric, (value, interval) in numbers.items()
        ]
        self._frames[name] = pd.DataFrame(
            {
                "image": [image.path.name for image in images],
                "reference": [image.reference or "" for image in images],
                "distortion_type": [image.distortion_type or "" for image in images],
                "level": [image.level or 0 for image in images],
                "opinion_score": split.opinion,
                "predicted_score": split.predicted,
            }
        )

    def write(self, folder: Path) -> Run:
        """Write what was added, whole or not at all, in place of what the run held before.

        Raises:
            ResultsError: If the folder holds another run's results.
            OSError: If the disk refuses.
        """
        return write_run(folder, self._records, self._frames)
