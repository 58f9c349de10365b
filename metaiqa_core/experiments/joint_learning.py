"""The trainings of an experiment of joint training, on all databases or on all but a split's test photos."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.protocols import Fold
from metaiqa_core.experiments.held_out import HeldOut
from metaiqa_core.experiments.joint_configuration import NATIVE_SIDE, JointTrainingConfig
from metaiqa_core.experiments.repeated_splits import RepeatedSplits, judge_by_splits, split_candidate
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Start
from metaiqa_core.experiments.trainer import Trainer, network_trainer
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.progress import Work
from metaiqa_core.training.joint import JointlyTrained, train_jointly
from metaiqa_core.training.photos import TrainingPhotos, predict
from metaiqa_core.training.studies import Study, refuse_shared_photos


class JointLearning:
    """Databases in memory, a start, and how the one learns from the others.

    Args:
        databases: Rated images, each database of another name.
        start: Start of each training.
        config: Settings of the experiment.

    Attributes:
        databases: The databases by their names.
        judged: Database that repeated splits measure on.
        shown: Names of the databases on the mean of whose scales the model answers.
        preprocessing: Steps from a photo to the network's input.

    Raises:
        TrainingError: If a database is named that is not there, or two have a photo in common.
    """

    def __init__(self, databases: Sequence[Database], start: Start, config: JointTrainingConfig) -> None:
        names = [database.name for database in databases]
        _refuse_unknown({*config.shares, *config.shown, *filter(None, [config.judged])}, names)
        self.databases = {database.name: database for database in databases}
        self.start, self.config = start, config
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

    def measure(self, run: RunFolder) -> Work[RepeatedSplits]:
        """Train and test on repeated splits of one database, while the others are learned from whole."""
        config = self.config
        candidate = split_candidate(
            config.name or run.name,
            self.start,
            self.preprocessing,
            config.joint.to_dict(),
            self.judged,
            self._trainer,
            recipe={
                "shares": dict(config.shares),
                "shown": list(self.shown),
                "held_out": sorted(config.held_out),
            },
            configuration={"databases": ", ".join(self.databases), "shown": ", ".join(self.shown)},
        )
        seeds = range(config.first_seed, config.first_seed + config.repeats)
        others = [other for other in self.databases.values() if other is not self.judged]
        return (yield from judge_by_splits(candidate, self.judged, seeds, run, others))

    def train(self, training: Mapping[str, Collection[int]], seed: int, state: Path) -> Work[JointlyTrained]:
        """Learn from all images but those held out.

        Args:
            training: Positions to learn from, by the name of the database; all of one that is not named.
            seed: Seed of everything random.
            state: File of the state of the unfinished training.
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
        joint = replace(self.config.joint, seed=seed)
        return (yield from train_jointly(self.network(seed), studies, self.shown, joint, state_file=state))

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

    def network(self, seed: int) -> Regressor:
        """Return the start; a new network over a backbone gets the pooled stages that the configuration names.

        Raises:
            TrainingError: If the start is a model that pools other stages.
        """
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

    def _trainer(self, fold: Fold, state: Path) -> Trainer:
        def learn(training: list[int], seed: int) -> Work[Regressor]:
            return (yield from self.train({self.judged.name: training}, seed, state)).network

        return network_trainer(learn, self.photos[self.judged.name], state)


def _is_made(database: Database) -> bool:
    return all(image.reference for image in database)


def _refuse_unknown(names: Collection[str], known: Sequence[str]) -> None:
    if unknown := sorted(set(names) - set(known)):
        raise TrainingError(f"There is no database {unknown[0]} among those to learn from: {', '.join(known)}.")
