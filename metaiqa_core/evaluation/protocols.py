"""Protocols: who trains on what and is judged on what. A protocol receives the trainer as an argument."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import EvaluationError
from metaiqa_core.evaluation.criteria import plcc, srocc
from metaiqa_core.files import write_text
from metaiqa_core.progress import Progress, Work
from metaiqa_core.tasks import split_by_group

Trainer = Callable[[list[int], list[int], int], Work[NDArray[np.float64]]]
"""Trains on some positions of a database and returns the unit scores it predicts for others: (train, test, seed)."""


@dataclass(frozen=True)
class Split:
    """The outcome of one random split; scores are unit scores.

    Attributes:
        seed: Of the split and of the training.
        test: Positions of the held-out images in the database.
        predicted: Predicted unit scores of those.
        opinion: Opinion scores of those.
    """

    seed: int
    test: tuple[int, ...]
    predicted: tuple[float, ...]
    opinion: tuple[float, ...]

    @property
    def srocc(self) -> float:
        """SROCC on the held-out images."""
        return srocc(self.predicted, self.opinion)

    @property
    def plcc(self) -> float:
        """PLCC of the raw predictions on the held-out images."""
        return plcc(self.predicted, self.opinion)


def repeated_splits(
    database: Database, train: Trainer, seeds: Sequence[int], folder: Path, *, test_share: float = 0.2
) -> Work[list[Split]]:
    """Train and test on repeated random splits (Section 4.1: 80/20, ten times).

    Identical images, and images of one reference, stay on one side.

    Args:
        database: The rated images.
        train: Trains and predicts.
        seeds: One split each.
        folder: Each finished split is kept here; those already there are not computed again.
        test_share: Share of the images to hold out.

    Yields:
        The trainer's `Progress`, with the split in its stage.

    Returns:
        The splits in the order of `seeds`.
    """
    groups = database.groups()
    splits = []
    for number, seed in enumerate(seeds, start=1):
        training, test = split_by_group(groups, test_share, seed)
        opinion = tuple(database.images[position].unit_score for position in test)
        file = folder / f"split-{seed}.json"
        if (split := _read_split(file, seed, tuple(test), opinion)) is None:
            work = train(training, test, seed)
            while True:
                try:
                    progress = next(work)
                except StopIteration as stop:
                    predicted = stop.value
                    break
                stage = f"split {number} of {len(seeds)}: {progress.stage}"
                yield Progress(stage, progress.step, progress.total, progress.metrics)
            split = Split(seed, tuple(test), tuple(map(float, predicted)), opinion)
            write_text(file, json.dumps(split.__dict__))
        splits.append(split)
        yield Progress(
            f"split {number} of {len(seeds)}: done", number, len(seeds), {"srocc": split.srocc, "plcc": split.plcc}
        )
    return splits


def summarise(splits: Sequence[Split]) -> dict[str, float | int | list[int]]:
    """Return mean and standard deviation (n - 1) of SROCC and PLCC over splits."""
    sroccs, plccs = [split.srocc for split in splits], [split.plcc for split in splits]
    spread = (
        {"srocc_std": float(np.std(sroccs, ddof=1)), "plcc_std": float(np.std(plccs, ddof=1))} if splits[1:] else {}
    )
    return {
        "splits": len(splits),
        "seeds": [split.seed for split in splits],
        "n_test": len(splits[0].test),
        "srocc_mean": float(np.mean(sroccs)),
        "plcc_mean": float(np.mean(plccs)),
        **spread,
    }


def _read_split(file: Path, seed: int, test: tuple[int, ...], opinion: tuple[float, ...]) -> Split | None:
    if not file.exists():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        split = Split(
            seed=content["seed"],
            test=tuple(content["test"]),
            predicted=tuple(content["predicted"]),
            opinion=tuple(content["opinion"]),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EvaluationError(f"The finished split in {file} is damaged: delete it to compute it again.") from error
    if (split.seed, split.test, split.opinion) != (seed, test, opinion):
        raise EvaluationError(f"{file} is a split of another database: choose another --run-dir, or delete it.")
    return split
