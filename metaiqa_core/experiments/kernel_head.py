"""Fit a kernel head for a trained network on several databases, after measuring by repeated splits of one."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.protocols import Fold
from metaiqa_core.experiments.held_out import HeldOut
from metaiqa_core.experiments.kernel_data import RatedFeatures, chosen_positions
from metaiqa_core.experiments.kernel_differences import DifferencesConfig, copy_differences, level_differences
from metaiqa_core.experiments.new_model import NewModel
from metaiqa_core.experiments.repeated_splits import RepeatedSplits
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.several_databases import SeveralDatabases, SeveralDatabasesConfig
from metaiqa_core.experiments.start import Origin, Start
from metaiqa_core.experiments.trainer import Trainer
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.training.kernel_configuration import KernelConfig
from metaiqa_core.training.kernel_differences import Differences
from metaiqa_core.training.kernel_regression import FittedHead, StudyScores, fit_kernel_head


@dataclass(frozen=True, kw_only=True)
class KernelHeadConfig(SeveralDatabasesConfig):
    """Settings of a kernel head as an experiment, besides those of `SeveralDatabasesConfig`.

    Attributes:
        kernel: Settings of the regression.
        shown: Names of the databases that the model answers like, each where a photo is like its own; the first one
            gives the scale; none: the first database alone.
        shares: Share, by database, of its own part in the answers of the others.
        most: Number of images at most that are learned from, by database; all of one that is not named.
        differences: Settings of what is learned from pairs of images of one content.
    """

    kernel: KernelConfig = KernelConfig()
    shown: Sequence[str] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)
    differences: DifferencesConfig = DifferencesConfig()

    def __post_init__(self) -> None:
        super().__post_init__()
        for database, share in self.shares.items():
            if not 0 < share < math.inf:
                raise ValueError(f"the share of {database} must be a finite number above 0, got {share:g}.")
        for database, most in self.most.items():
            if most < 2:
                raise ValueError(f"at least two images of {database} must be learned from, got {most}.")


def kernel_head(
    databases: Sequence[Database], origin: Origin, config: KernelHeadConfig, run: RunFolder
) -> Work[NewModel]:
    """Measure if asked to, then fit a kernel head on all databases and write the model into the run's folder.

    Args:
        databases: Rated images, each database of another name.
        origin: The trained network.
        config: Settings of the experiment.
        run: Folder of the run; features and finished splits that it holds are not computed again.

    Yields:
        The `Progress` of the features and of the splits.

    Raises:
        CheckpointError: If the network cannot be had.
        DatabaseError: If nothing can be learned from one of the databases.
        TrainingError: If a database is named that is not there, two have a photo in common, the network pools one stage
            only, or the run's folder holds another run.
        EvaluationError: If a split ranks nothing.

    Example:
        databases = [read_database(Path("live")), read_database(Path("biq2021"))]
        work = kernel_head(databases, Origin(model="first"), KernelHeadConfig(), RunFolder(Path("runs/head")))
        file = finish(work).file
    """
    fitting = _Fitting(databases, origin.load(folded=True), config)
    yield from fitting.compute_features(run.folder / "features")
    measured = (yield from fitting.measure(run)) if config.repeats else None
    if config.only_measure:
        return NewModel(measured, None, None)
    fitted = fitting.fit({})
    images = {name: len(positions) for name, positions in fitting.learned.items()}
    return fitting.write_model(
        fitted.network,
        measured,
        fitting.judge_held_out(fitted),
        run,
        summary=f"A kernel head on the features of {fitting.start.origin}, fitted on {', '.join(images)}.",
        images=images,
        recipe={
            "start": fitting.start.origin,
            "start_recipe": dict(fitting.start.recipe),
            "configuration": config.kernel.to_dict(),
            "shown": list(fitting.shown),
            "shares": dict(config.shares),
            **config.differences.to_dict(),
            "held_out": len(config.held_out),
            "images": images,
            "torch": torch.__version__,
        },
    )


class _Fitting(SeveralDatabases):
    """Databases, the network, and the features of the images; see `SeveralDatabases`."""

    def __init__(self, databases: Sequence[Database], start: Start, config: KernelHeadConfig) -> None:
        super().__init__(databases, start, config, {*config.shown, *config.shares, *config.most})
        if self.judged.name in config.most:
            raise TrainingError(f"The splits divide all of {self.judged.name}: name no number of images for it.")
        self.config = config
        self.shown = tuple(config.shown) or (databases[0].name,)
        self.network: Regressor = start.network(config.kernel.seed)
        tones = config.kernel.tones
        if self.network.config.tones not in (0, tones):
            raise TrainingError(
                f"{start.origin} sees {self.network.config.tones} tones: give as many with --tones, got {tones}."
            )
        self._new_tones = 0 if self.network.config.tones else tones
        self.features = {name: RatedFeatures(database, self._new_tones) for name, database in self.databases.items()}
        self.differences: list[Differences] = []
        self.learned: dict[str, list[int]] = {}
        for name, database in self.databases.items():
            allowed = [position for position in range(len(database)) if not self.is_held_out(database, position)]
            self.learned[name] = chosen_positions(allowed, config.most.get(name), config.kernel.seed)

    def compute_features(self, folder: Path) -> Work[None]:
        """Compute the features of all images that are learned from or judged, or read those that are kept."""
        for name, database in self.databases.items():
            for positions in (self.learned[name], self.held_out_of(database)):
                preprocessing = self.preprocessing_of(database)
                yield from self.features[name].compute(self.network, positions, preprocessing, folder)
        yield from self._compute_differences(folder)

    def fit(self, training: Mapping[str, Collection[int]]) -> FittedHead:
        """Fit a head.

        Args:
            training: Positions in a database to learn from, by its name; all of one that is not named.
        """
        studies = []
        for name, positions in self.learned.items():
            allowed = set(training.get(name, positions))
            studies.append(self.features[name].at(position for position in positions if position in allowed))
        return fit_kernel_head(
            self.network, studies, self.shown, self.config.kernel, self.config.shares, self.differences
        )

    def measure(self, run: RunFolder) -> Work[RepeatedSplits]:
        """Fit and test on repeated splits of one database, while the others are learned from whole."""
        config = self.config
        recipe: dict[str, Any] = {"shown": list(self.shown), "shares": dict(config.shares), "most": dict(config.most)}
        recipe |= config.differences.to_dict()
        return (yield from self.judge(self._trainer, config.kernel.to_dict(), recipe, self.shown, run))

    def judge_held_out(self, fitted: FittedHead) -> list[HeldOut]:
        """Score the images that nothing was fitted on, database by database."""
        found = []
        for name, database in self.databases.items():
            if positions := self.held_out_of(database):
                study = self.features[name].at(positions)
                names = tuple(database.images[position].name for position in positions)
                opinion, predicted = map(float, study.unit_scores), map(float, _scores(fitted.network, study))
                found.append(HeldOut(name, names, tuple(opinion), tuple(predicted), *fitted.to_shown[name]))
        return found

    def _compute_differences(self, folder: Path) -> Work[None]:
        config = self.config.differences
        # The judged database gives neither: its photos are tested on.
        others = {name: database for name, database in self.databases.items() if database is not self.judged}
        if config.levels:
            found = (level_differences(self.features[name], self.learned[name], config.levels) for name in others)
            self.differences += [one for one in found if one]
            if not self.differences:
                raise TrainingError("Pairs of levels need a database with references, distortion types and levels.")
        if kinds := config.weighed_kinds():
            authentic = [
                (database, self.learned[name], self.preprocessing_of(database))
                for name, database in others.items()
                if not any(image.reference for image in database)
            ]
            if not authentic:
                raise TrainingError("Copies need a database of authentic photos besides the one that is judged.")
            self.differences += yield from copy_differences(
                self.network, authentic, config.copied, kinds, folder, self._new_tones
            )

    def _trainer(self, fold: Fold, state: Path) -> Trainer:
        def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
            yield from ()
            fitted = self.fit({self.judged.name: training})
            return _scores(fitted.network, self.features[self.judged.name].at(test))

        return train


def _scores(network: Regressor, study: StudyScores) -> NDArray[np.float64]:
    """Return the unit scores (N,) that follow from a study's features."""
    with torch.inference_mode():
        return network.head(torch.from_numpy(study.features)).squeeze(1).numpy().astype(np.float64)
