"""The trainings of an experiment of joint training, on all databases or on all but a split's test photos."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.protocols import Fold
from metaiqa_core.experiments.held_out import HeldOut
from metaiqa_core.experiments.joint_configuration import JointTrainingConfig
from metaiqa_core.experiments.repeated_splits import RepeatedSplits
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.several_databases import SeveralDatabases
from metaiqa_core.experiments.start import Start
from metaiqa_core.experiments.trainer import Trainer, network_trainer
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.progress import Work
from metaiqa_core.training.joint import JointlyTrained, train_jointly
from metaiqa_core.training.photos import TrainingPhotos, predict
from metaiqa_core.training.studies import Study


class JointLearning(SeveralDatabases):
    """Databases in memory, a start, and how the one learns from the others; see `SeveralDatabases`.

    Attributes:
        shown: Names of the databases on the mean of whose scales the model answers.
    """

    def __init__(self, databases: Sequence[Database], start: Start, config: JointTrainingConfig) -> None:
        super().__init__(databases, start, config, {*config.shares, *config.shown})
        self.config = config
        self.shown = config.shown or (databases[0].name,)
        self.photos = {
            database.name: TrainingPhotos(database.images, self.preprocessing_of(database)) for database in databases
        }

    def measure(self, run: RunFolder) -> Work[RepeatedSplits]:
        """Train and test on repeated splits of one database, while the others are learned from whole."""
        recipe = {"shares": dict(self.config.shares), "shown": list(self.shown)}
        return (yield from self.judge(self._trainer, self.config.joint.to_dict(), recipe, self.shown, run))

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
                    if not self.is_held_out(database, position)
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
            if positions := self.held_out_of(database):
                predicted = predict(trained.network, self.photos[name], positions)
                images = [database.images[position] for position in positions]
                found.append(
                    HeldOut(
                        name,
                        tuple(image.name for image in images),
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
