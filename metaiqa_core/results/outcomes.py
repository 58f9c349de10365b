"""Repeated splits as result records with their per-image predictions, so that the result pages can open them."""

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from metaiqa_core import __version__
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.criteria import evaluate
from metaiqa_core.evaluation.protocols import Split
from metaiqa_core.results.records import Measured, Protocol, ResultRecord, Scalar
from metaiqa_core.results.storage import Run, write_run


def write_splits(
    folder: Path, splits: Sequence[Split], database: Database, method: str, configuration: Mapping[str, Scalar]
) -> Run:
    """Write SROCC and PLCC of each split into a run's folder.

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
    records, frames = [], {}
    for split in splits:
        name = f"split-{split.seed}"
        images = [database.images[position] for position in split.test]
        source = Measured(
            run=folder.name,
            model_hash="not kept: one model a split",
            configuration=configuration,
            seed=split.seed,
            split_hash=hashlib.sha256("\n".join(image.path.name for image in images).encode()).hexdigest(),
            date=datetime.date.today().isoformat(),
            code_version=__version__,
            predictions=name,
        )
        criteria = evaluate(split.predicted, split.opinion, seed=split.seed)
        numbers = {
            "srocc": (criteria.srocc, criteria.srocc_interval),
            "plcc": (criteria.plcc, criteria.plcc_interval),
        }
        records += [
            ResultRecord(method, database.name, Protocol.AUTHENTIC, None, metric, value, interval, criteria.n, source)
            for metric, (value, interval) in numbers.items()
        ]
        frames[name] = pd.DataFrame(
            {
                "image": [image.path.name for image in images],
                "reference": [image.reference or "" for image in images],
                "distortion_type": [image.distortion_type or "" for image in images],
                "level": [image.level or 0 for image in images],
                "opinion_score": split.opinion,
                "predicted_score": split.predicted,
            }
        )
    return write_run(folder, records, frames)
