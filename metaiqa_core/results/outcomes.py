"""Finished folds of a protocol as result records with their per-image predictions, for the result pages to open."""

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from metaiqa_core import __version__
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.criteria import bootstrap_interval, plcc, srocc
from metaiqa_core.evaluation.protocols import Split
from metaiqa_core.files import file_name_for
from metaiqa_core.results.records import Measured, Protocol, ResultRecord, Scalar
from metaiqa_core.results.storage import RESULTS_FILE, Run, read_run, write_run


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
        name = name or _name_of(file_name_for(method), split.name)
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

    def write(self, folder: Path, *, folds: Path | None = None) -> Run:
        """Write what was added, whole or not at all.

        Args:
            folder: The run's folder.
            folds: Where finished folds lie, METHOD/FOLD.json: what the run held of them before, and was not asked for
                this time, stays. Without, all that the run held before goes.

        Raises:
            ResultsError: If the folder holds another run's results, or damaged ones.
            OSError: If the disk refuses.
        """
        finished = {_name_of(file.parent.name, file.stem) for file in folds.glob("*/*.json")} if folds else set()
        earlier = read_run(folder).records if finished and (folder / RESULTS_FILE).exists() else ()
        stays = [
            record
            for record in earlier
            if isinstance(record.source, Measured) and record.source.predictions in finished - self._frames.keys()
        ]
        return write_run(folder, [*stays, *self._records], self._frames)


def _name_of(method: str, fold: str) -> str:
    return file_name_for(f"{method}-{fold}")
