"""Make a model that has learned from several databases, after measuring by repeated splits of one how good that is."""

import datetime
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from metaiqa_core import __version__
from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.calibration import calibrate_on_several
from metaiqa_core.evaluation.criteria import MINIMUM_IMAGES, plcc, srocc
from metaiqa_core.evaluation.protocols import Fold, authentic_protocol
from metaiqa_core.experiments.folds import Candidate, Trainer, compare
from metaiqa_core.experiments.held_out import HeldOut, write_held_out
from metaiqa_core.experiments.repeated_splits import RepeatedSplits, split_plan
from metaiqa_core.experiments.run_folder import RunFolder, common_folder
from metaiqa_core.experiments.start import Origin, Start
from metaiqa_core.models.card import ModelCard, check_name
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.progress import Work
from metaiqa_core.results.fold_store import SPLITS
from metaiqa_core.results.run_log import recorded
from metaiqa_core.training.joint import JointlyTrained, Study, refuse_shared_photos, train_jointly
from metaiqa_core.training.joint_configuration import JointConfig
from metaiqa_core.training.photos import TrainingPhotos, predict

NATIVE_SIDE = 64
"""Images that were made from references are seen at their own size: their damage is measured in pixels."""


@dataclass(frozen=True)
class JointTrainingConfig:
    """How to learn from several databases, what to measure first, and what the model's card says.

    Attributes:
        joint: settings of joint training
        shares: share of each batch that a database's images make up, by database; 1 where nothing is said
        shown: databases on the mean of whose scales the model answers; none: the first one
        judged: database that repeated splits measure on; "" for the first one
        repeats: number of repeated splits to measure by first; 0 for none
        first_seed: seed of the first split
        only_measure: whether to stop after the repeated splits
        held_out: names of image files that no training learns from, and that the finished model is judged on
        pooled: stages that a new network pools, see `RegressorConfig`; a model brings its own
        smallest_side: short side to which smaller photos are enlarged before the model sees them, pixels
        half: whether the model's file holds its weights in half precision
        name: name of the new model; "" for that of the run folder
        training_data: what the photos are and who rated them; "" for the databases' names
        licence: terms of the weights and of the data behind them
        population: what to call the judged database's photos in a percentile; "" for the database's name
    """

    joint: JointConfig = JointConfig()
    shares: Mapping[str, float] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    judged: str = ""
    repeats: int = 0
    first_seed: int = 0
    only_measure: bool = False
    held_out: frozenset[str] = frozenset()
    pooled: tuple[int, ...] = ()
    smallest_side: int = NATIVE_SIDE
    half: bool = False
    name: str = ""
    training_data: str = ""
    licence: str = "not stated"
    population: str = ""

    def __post_init__(self) -> None:
        if self.repeats < 0:
            raise ValueError(f"--repeats must be 0 or more, got {self.repeats}.")
        if self.only_measure and not self.repeats:
            raise ValueError("--only-measure measures by repeated splits: say how many with --repeats.")
        for database, share in self.shares.items():
            if not 0 < share < math.inf:
                raise ValueError(f"the share of {database} must be a finite number above 0, got {share:g}.")
        if self.name:
            check_name(self.name)


@dataclass(frozen=True, eq=False)
class JointModel:
    """What joint training gives.

    Attributes:
        measured: the repeated splits; None where none were asked for
        network: the model, in evaluation mode; None where only measuring was asked for
        file: its weights file, with the card beside it; None as well
    """

    measured: RepeatedSplits | None
    network: Regressor | None
    file: Path | None


def joint_training(
    databases: Sequence[Database], origin: Origin, config: JointTrainingConfig, run: RunFolder
) -> Work[JointModel]:
    """Measure if asked to, then learn from all databases and write the model into the run's folder.

    Args:
        databases: rated images, each database of another name
        origin: what to start from
        config: how
        run: where; what is finished is not computed again, and a training that was interrupted goes on

    Yields:
        The trainings' `Progress`.

    Raises:
        CheckpointError: If the start cannot be had.
        DatabaseError: If nothing can be learned from one of the databases.
        TrainingError: If a weight is not finite, a database is named that is not there, two have a photo in common, or
            the run's folder holds another run.
        EvaluationError: If a split ranks nothing; all others are finished first.

    Example:
        databases = [read_database(Path("live")), read_database(Path("biq2021"))]
        work = joint_training(databases, Origin(model="default"), JointTrainingConfig(), RunFolder(Path("runs/both")))
        file = finish(work).file
    """
    for database in databases:
        require_learnable(database)
    learning = _JointLearning(databases, origin.load(folded=False), config, run)
    measured = (yield from learning.measure()) if config.repeats else None
    if config.only_measure:
        return JointModel(measured, None, None)
    work = learning.train({}, config.joint.seed, run.folder / "state.pt")
    trained = yield from recorded(work, run.folder, tensorboard=run.tensorboard)
    judged = learning.judge_held_out(trained)
    write_held_out(run.folder / "held_out.json", judged)
    network = trained.network
    network.fold()  # it has learned, and scores faster so
    name = config.name or run.name
    file = run.folder / f"{name}.safetensors"
    save_checkpoint(network, learning.card(network, name, measured, judged), file, half=config.half)
    return JointModel(measured, network, file)


class _JointLearning:
    """Databases in memory, a start, and how the one learns from the others."""

    def __init__(
        self, databases: Sequence[Database], start: Start, config: JointTrainingConfig, run: RunFolder
    ) -> None:
        names = [database.name for database in databases]
        _refuse_unknown({*config.shares, *config.shown, *filter(None, [config.judged])}, names)
        self.databases = {database.name: database for database in databases}
        self.start, self.config, self.run = start, config, run
        self.shown = config.shown or (names[0],)
        self.judged = self.databases[config.judged or names[0]]
        for number, database in enumerate(databases):
            refuse_shared_photos(databases[number + 1 :], [database])
        self.preprocessing = replace(start.preprocessing, minimum_side=config.smallest_side)
        native = replace(start.preprocessing, minimum_side=NATIVE_SIDE)
        self.photos = {
            database.name: TrainingPhotos(database.images, native if _is_made(database) else self.preprocessing)
            for database in databases
        }

    def measure(self) -> Work[RepeatedSplits]:
        """Train and test on repeated splits of one database, while the others are learned from whole."""
        config, database = self.config, self.judged
        recipe = {
            "start": self.start.origin,
            "start_hash": self.start.hash,
            "preprocessing": self.preprocessing.to_dict(),
            "device": self.start.device.type,
            "configuration": {**config.joint.to_dict(), "seed": None},
            "shares": dict(config.shares),
            "shown": list(self.shown),
            "held_out": sorted(config.held_out),
        }
        configuration = {
            **config.joint.to_dict(),
            "seed": None,
            "start": self.start.origin,
            "start_hash": self.start.hash,
            "databases": ", ".join(self.databases),
            "shown": ", ".join(self.shown),
            "device": self.start.device.type,
            "database_folder": common_folder(database),
        }
        candidate = Candidate(
            config.name or self.run.name,
            SPLITS,
            recipe,
            self._trainer,
            lambda _: configuration,
            self.start.has_learned_from,
        )
        seeds = range(config.first_seed, config.first_seed + config.repeats)
        others = [other for other in self.databases.values() if other is not database]
        finished = yield from compare(split_plan(database, candidate, seeds, others), self.run)
        return RepeatedSplits(tuple(finished[candidate.name]))

    def _trainer(self, fold: Fold, state: Path) -> Trainer:
        def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
            trained = yield from self.train({self.judged.name: training}, seed, state)
            state.unlink(missing_ok=True)
            return predict(trained.network, self.photos[self.judged.name], test)

        return train

    def train(self, training: Mapping[str, Collection[int]], seed: int, state: Path) -> Work[JointlyTrained]:
        """Learn from all images but those held out.

        Args:
            training: positions to learn from, by database; where nothing is said, all of them
            seed: seed of everything random
            state: file of the unfinished training's state
        """
        studies = [
            Study(
                name,
                self.photos[name],
                [
                    position
                    for position in training.get(name, range(len(database)))
                    if database.images[position].path.name not in self.config.held_out
                ],
                self.config.shares.get(name, 1.0),
            )
            for name, database in self.databases.items()
        ]
        network = self._network(seed)
        joint = replace(self.config.joint, seed=seed)
        return (yield from train_jointly(network, studies, self.shown, joint, state_file=state))

    def judge_held_out(self, trained: JointlyTrained) -> list[HeldOut]:
        """Score the images that nothing learns from, database by database."""
        found = []
        for name, database in self.databases.items():
            positions = [position for position, image in enumerate(database) if image.path.name in self.config.held_out]
            if positions:
                predicted = predict(trained.network, self.photos[name], positions)
                images = [database.images[position] for position in positions]
                found.append(
                    HeldOut(
                        name,
                        tuple(image.path.name for image in images),
                        tuple(image.unit_score for image in images),
                        tuple(map(float, predicted)),
                        *trained.to_shown[name],
                    )
                )
        return found

    def card(
        self, network: Regressor, name: str, measured: RepeatedSplits | None, judged: Sequence[HeldOut]
    ) -> ModelCard:
        """Return what there is to say of the finished model."""
        config, today = self.config, datetime.date.today().isoformat()
        data = config.training_data or ", ".join(
            f"{database.name} ({len(database):,} images)" for database in self.databases.values()
        )
        accuracy: dict[str, Any] = {}
        if measured:
            accuracy = {
                "protocol": authentic_protocol(self.judged),
                "database": f"{self.judged.name}, n = {len(self.judged)}",
                "date": today,
                **measured.summary(),
                "srocc_by_split": [round(split.srocc, 4) for split in measured.splits],
                "plcc_by_split": [round(split.plcc, 4) for split in measured.splits],
            }
        population, calibration = config.population or f"{self.judged.name} photos", None
        if measured and len(measured.splits) > 1:
            others = {one.database: one.on_the_model_s_scale() for one in judged}
            calibration, accuracy["coverage"] = calibrate_on_several(measured.splits, others, population)
            # Smaller photos are enlarged, and people have rated none of them here.
            smallest = config.smallest_side if config.smallest_side > NATIVE_SIDE else 0
            calibration = replace(calibration, smallest_side=smallest)
        for one in judged:
            if len(one.images) < MINIMUM_IMAGES or len(set(one.predicted)) == 1 or len(set(one.opinion)) == 1:
                continue  # too few, or too much alike, to correlate
            accuracy[f"held out of {one.database}"] = {
                "n": len(one.images),
                "srocc": round(srocc(one.predicted, one.opinion), 4),
                "plcc": round(plcc(one.predicted, one.opinion), 4),
            }
        return ModelCard(
            name=name,
            summary=f"{network.config.backbone} trained jointly on {', '.join(self.databases)}.",
            architecture="regressor",
            regressor=network.config,
            preprocessing=self.preprocessing,
            training_data=data,
            licence=config.licence,
            recipe={
                "command": self.run.command,
                "start": self.start.origin,
                "configuration": config.joint.to_dict(),
                "shares": dict(config.shares),
                "shown": list(self.shown),
                "held_out": len(config.held_out),
                "images": {name: len(database) for name, database in self.databases.items()},
                "device": self.start.device.type,
                "torch": torch.__version__,
            },
            accuracy=accuracy,
            calibration=calibration,
            created=today,
            code_version=__version__,
        )

    def _network(self, seed: int) -> Regressor:
        """Return the start; a new network over a backbone gets the pooled stages that the configuration names."""
        network = self.start.network(seed)
        wanted = tuple(self.config.pooled)
        if not wanted or wanted == network.config.pooled:
            return network
        if self.start.learned_from:
            raise TrainingError(
                f"{self.start.origin} pools its stages {list(network.config.pooled) or 'at the end'}: start from a "
                "backbone to pool others."
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            other = Regressor(RegressorConfig(**{**asdict(network.config), "pooled": wanted}))
        other.backbone.load_state_dict(network.backbone.state_dict())
        return other.to(self.start.device)


def _is_made(database: Database) -> bool:
    return all(image.reference for image in database)


def _refuse_unknown(names: Collection[str], known: Sequence[str]) -> None:
    if unknown := sorted(set(names) - set(known)):
        raise TrainingError(f"There is no database {unknown[0]} among those to learn from: {', '.join(known)}.")
