"""Repeated splits (Table 3): fine-tune on 80 % of a database and test on the other 20 %, for several random splits."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.calibration import calibrate
from metaiqa_core.evaluation.protocols import Fold, Split, authentic_folds, summarise
from metaiqa_core.experiments.folds import Candidate, Plan, compare
from metaiqa_core.experiments.run_folder import RunFolder, common_folder
from metaiqa_core.experiments.start import Origin, Start
from metaiqa_core.experiments.trainer import Trainer, network_trainer
from metaiqa_core.experiments.tuning import Tuning, TuningConfig
from metaiqa_core.models.card import Calibration
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.results.fold_store import SPLITS
from metaiqa_core.results.records import Protocol, Scalar

logger = logging.getLogger(__name__)

_PLACE = "split {number} of {count}"


@dataclass(frozen=True)
class RepeatedSplitsConfig(TuningConfig):
    """Settings of fine-tuning, and of the splits.

    Attributes:
        repeats: Number of splits (80/20; on CID2013 four image sets of six).
        first_seed: Seed of the first split; the others follow.
        name: Name of the fine-tuned model in tables; "" takes the name of the run folder.
    """

    repeats: int = 10
    first_seed: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.repeats < 1:
            raise ValueError(f"repeated splits need at least one repeat, got {self.repeats}")

    @property
    def seeds(self) -> range:
        """Return the seeds of the splits."""
        return range(self.first_seed, self.first_seed + self.repeats)


@dataclass(frozen=True)
class RepeatedSplits:
    """Result of repeated splits.

    Attributes:
        splits: Finished splits, in the order of the seeds.
    """

    splits: tuple[Split, ...]

    def summary(self) -> dict[str, float | int | list[int]]:
        """Return mean and standard deviation of SROCC and PLCC, as `summarise` does."""
        return summarise(self.splits)

    def calibration(self, population: str) -> Calibration | None:
        """Return the interval and the population of a model that is fine-tuned so; None of a single split."""
        return calibrate(self.splits, population) if len(self.splits) > 1 else None


def repeated_splits(
    database: Database, origin: Origin, config: RepeatedSplitsConfig, run: RunFolder, rehearsed: Sequence[Database] = ()
) -> Work[RepeatedSplits]:
    """Fine-tune and test on repeated splits (Section 4.1).

    Args:
        database: Rated photos.
        origin: Start of each training.
        config: Settings of fine-tuning, number of splits and first seed.
        run: Folder of the run; finished splits are not computed again.
        rehearsed: Databases whose images are learned from as well, but not tested on.

    Yields:
        The trainings' `Progress` with the split in its stage, and `srocc` and `plcc` at the end of each.

    Raises:
        CheckpointError: If the start cannot be had.
        TrainingError: If the run's folder holds splits of another configuration.
        EvaluationError: If a split ranks nothing; all others are finished first.

    Example:
        photos = read_database(Path("live"))
        work = repeated_splits(photos, Origin(), RepeatedSplitsConfig(), RunFolder(Path("runs/splits")))
        mean = finish(work).summary()["srocc_mean"]
    """
    start = origin.load(folded=config.tuning.fixed_statistics)
    return (yield from measure(Tuning(start, database, rehearsed, config), config, run))


def measure(tuning: Tuning, config: RepeatedSplitsConfig, run: RunFolder) -> Work[RepeatedSplits]:
    """Fine-tune and test on repeated splits, with the start and the images in memory; see `repeated_splits`."""
    more = {"least_steps": config.least_steps, **tuning.rehearsal}
    candidate = split_candidate(
        config.name or run.name,
        tuning.start,
        tuning.start.preprocessing,
        config.tuning.to_dict(),
        tuning.database,
        lambda fold, state: _trainer(tuning, fold, state),
        recipe=more,
        configuration=more,
    )
    return (yield from judge_by_splits(candidate, tuning.database, config.seeds, run, tuning.rehearsed))


def split_candidate(
    name: str,
    start: Start,
    preprocessing: Preprocessing,
    settings: Mapping[str, Any],
    database: Database,
    trainer_of: Callable[[Fold, Path], Trainer],
    *,
    recipe: Mapping[str, Any],
    configuration: Mapping[str, Scalar],
) -> Candidate:
    """Return the one candidate that repeated splits judge.

    Args:
        name: Name in tables and messages.
        start: Start of each training.
        preprocessing: Steps from a photo to the network's input.
        settings: Settings of each training, JSON-ready; the seeds come from the splits.
        database: Database that is divided.
        trainer_of: Function that makes a split's trainer, with a file for the state of the unfinished training.
        recipe: Further settings that the splits depend on, JSON-ready.
        configuration: Further entries of the configuration in the results.
    """
    settings = {**settings, "seed": None}
    identity = {"start": start.origin, "start_hash": start.hash, "device": start.device.type}
    recorded_as = {**settings, **configuration, **identity, "database_folder": common_folder(database)}
    return Candidate(
        name,
        SPLITS,
        {**identity, "preprocessing": preprocessing.to_dict(), "configuration": settings, **recipe},
        trainer_of,
        lambda _: recorded_as,
        start.has_learned_from,
    )


def judge_by_splits(
    candidate: Candidate, database: Database, seeds: Sequence[int], run: RunFolder, made_of: Sequence[Database] = ()
) -> Work[RepeatedSplits]:
    """Train and test one candidate on a split for each seed.

    Args:
        candidate: The candidate.
        database: Database to divide.
        seeds: Seeds of the splits.
        run: Folder of the run; finished splits are not computed again.
        made_of: Other databases whose images the candidate learns from.

    Raises:
        TrainingError: If the run's folder holds splits of another configuration.
        EvaluationError: If a split ranks nothing; all others are finished first.
    """
    finished = yield from compare(split_plan(database, candidate, seeds, made_of), run)
    measured = RepeatedSplits(tuple(finished[candidate.name]))
    summary = measured.summary()
    logger.info(
        "%d splits: SROCC %.4f +- %.4f, PLCC %.4f +- %.4f",
        len(measured.splits),
        *(summary.get(f"{metric}_{what}", 0) for metric in ("srocc", "plcc") for what in ("mean", "std")),
    )
    return measured


def split_plan(
    database: Database, candidate: Candidate, seeds: Sequence[int], made_of: Sequence[Database] = ()
) -> Plan:
    """Return the plan that judges one candidate on a split for each seed."""
    rounds = [(fold, candidate) for fold in authentic_folds(database, seeds)]
    return Plan(database, Protocol.AUTHENTIC, rounds, made_of=made_of, title="{fold}", place=_PLACE)


def _trainer(tuning: Tuning, fold: Fold, state: Path) -> Trainer:
    state = state.with_name(f"state-{fold.seed}.pt")

    def learn(training: list[int], seed: int) -> Work[Regressor]:
        return tuning.train(training, tuning.config_for(len(training), seed), state)

    return network_trainer(learn, tuning.photos, state, frozen_stages=tuning.config.tuning.frozen_stages)
