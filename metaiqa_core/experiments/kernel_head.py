"""Fit a kernel head for a trained network on several databases, after measuring by repeated splits of one."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.calibration import calibrate_on_several
from metaiqa_core.evaluation.protocols import Fold
from metaiqa_core.experiments.held_out import HeldOut, held_out_accuracy, write_held_out
from metaiqa_core.experiments.joint_configuration import NATIVE_SIDE
from metaiqa_core.experiments.kernel_data import RatedFeatures, images_to_learn_from, rated_features
from metaiqa_core.experiments.new_model import NewModel, NewModelConfig, measured_accuracy, new_card
from metaiqa_core.experiments.repeated_splits import RepeatedSplits, judge_by_splits, split_candidate
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin
from metaiqa_core.experiments.trainer import Trainer
from metaiqa_core.models.card import ModelCard
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.model_files import find_model, read_card_of
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.training.kernel_regression import FittedHead, KernelConfig, StudyScores, fit_kernel_head
from metaiqa_core.training.studies import refuse_shared_photos


@dataclass(frozen=True, kw_only=True)
class KernelHeadConfig(NewModelConfig):
    """Settings of a kernel head as an experiment, besides those of `NewModelConfig`.

    Attributes:
        kernel: Settings of the regression.
        shown: Share, by database, of what is its own in the model's answers; the first one also gives the scale; none:
            the first database alone.
        most: Number of images at most that are learned from, by database; all of one that is not named.
        judged: Name of the database that repeated splits measure on; "" takes the first one.
        held_out: Names of image files that nothing is fitted on, and that the finished model is judged on.
        smallest_side: Short side to which smaller photos are enlarged before the model sees them, pixels.
        half: Whether the model's file holds its weights in half precision.
    """

    kernel: KernelConfig = KernelConfig()
    shown: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)
    judged: str = ""
    held_out: frozenset[str] = frozenset()
    smallest_side: int = NATIVE_SIDE
    half: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for database, share in self.shown.items():
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
    for database in databases:
        require_learnable(database)
    fitting = _Fitting(databases, origin, config)
    yield from fitting.compute_features(run.folder / "features")
    measured = (yield from fitting.measure(run)) if config.repeats else None
    if config.only_measure:
        return NewModel(measured, None, None)
    fitted = fitting.fit({})
    judged = fitting.judge_held_out(fitted)
    write_held_out(run.folder / "held_out.json", judged)
    network = fitted.network
    network.fold()
    name = config.name or run.name
    file = run.folder / f"{name}.safetensors"
    save_checkpoint(network, _card(network, name, fitting, measured, judged, run.command), file, half=config.half)
    return NewModel(measured, network, file)


class _Fitting:
    """Databases, the network, and the features of the images."""

    def __init__(self, databases: Sequence[Database], origin: Origin, config: KernelHeadConfig) -> None:
        self.databases = {database.name: database for database in databases}
        start = origin.load(folded=True)
        self.start, self.config = start, config
        self.start_recipe = read_card_of(find_model(origin.model)).recipe if origin.model else {}
        self.shown = dict(config.shown) or {databases[0].name: 1.0}
        named = {*self.shown, *config.most, *filter(None, [config.judged])}
        if unknown := sorted(named - set(self.databases)):
            raise TrainingError(
                f"There is no database {unknown[0]} among those to learn from: {', '.join(self.databases)}."
            )
        self.judged = self.databases[config.judged or databases[0].name]
        if self.judged.name in config.most:
            raise TrainingError(f"The splits divide all of {self.judged.name}: name no number of images for it.")
        for number, database in enumerate(databases):
            refuse_shared_photos(databases[number + 1 :], [database])
        self.preprocessing = replace(start.preprocessing, minimum_side=config.smallest_side)
        self.network: Regressor = start.network(config.kernel.seed)
        self.learned: dict[str, RatedFeatures] = {}
        self.held_out: dict[str, RatedFeatures] = {}

    def compute_features(self, folder: Path) -> Work[None]:
        """Compute the features of all images, or read those that are kept."""
        config = self.config
        for name, database in self.databases.items():
            images = images_to_learn_from(database, config.most, config.held_out, config.kernel.seed)
            aside = [image for image in database if image.path.name in config.held_out]
            for target, chosen in ((self.learned, images), (self.held_out, aside)):
                if chosen:
                    target[name] = yield from rated_features(self.network, database, chosen, self.preprocessing, folder)

    def fit(self, training: Mapping[str, Collection[int]]) -> FittedHead:
        """Fit a head.

        Args:
            training: Positions in a database to learn from, by its name; all images of one that is not named.
        """
        studies = []
        for name, rated in self.learned.items():
            used = rated
            if name in training:
                allowed = {self.databases[name].images[position].path for position in training[name]}
                used = rated.subset([place for place, image in enumerate(rated.images) if image.path in allowed])
            studies.append(StudyScores(name, used.features, used.unit_scores))
        return fit_kernel_head(self.network, studies, self.shown, self.config.kernel)

    def measure(self, run: RunFolder) -> Work[RepeatedSplits]:
        """Fit and test on repeated splits of one database, while the others are learned from whole."""
        config = self.config
        candidate = split_candidate(
            config.name or run.name,
            self.start,
            self.preprocessing,
            config.kernel.to_dict(),
            self.judged,
            self._trainer,
            recipe={"shown": self.shown, "most": dict(config.most), "held_out": sorted(config.held_out)},
            configuration={"databases": ", ".join(self.databases), "shown": ", ".join(self.shown)},
        )
        seeds = range(config.first_seed, config.first_seed + config.repeats)
        others = [other for other in self.databases.values() if other is not self.judged]
        return (yield from judge_by_splits(candidate, self.judged, seeds, run, others))

    def judge_held_out(self, fitted: FittedHead) -> list[HeldOut]:
        """Score the images that nothing was fitted on, database by database."""
        return [
            HeldOut(
                name,
                tuple(image.path.name for image in rated.images),
                tuple(map(float, rated.unit_scores)),
                tuple(map(float, _scores(fitted.network, rated))),
                *fitted.to_shown[name],
            )
            for name, rated in self.held_out.items()
        ]

    def _trainer(self, fold: Fold, state: Path) -> Trainer:
        def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
            yield from ()
            places = {image.path: place for place, image in enumerate(self.learned[self.judged.name].images)}
            wanted = [places[self.judged.images[position].path] for position in test]
            fitted = self.fit({self.judged.name: training})
            return _scores(fitted.network, self.learned[self.judged.name].subset(wanted))

        return train


def _scores(network: Regressor, rated: RatedFeatures) -> NDArray[np.float64]:
    """Return the unit scores (N,) that follow from features."""
    with torch.inference_mode():
        return network.head(torch.from_numpy(rated.features)).squeeze(1).numpy().astype(np.float64)


def _card(
    network: Regressor,
    name: str,
    fitting: _Fitting,
    measured: RepeatedSplits | None,
    judged: Sequence[HeldOut],
    command: str,
) -> ModelCard:
    config = fitting.config
    accuracy = measured_accuracy(measured, fitting.judged, fitting.judged.name) if measured else {}
    calibration = None
    if measured and len(measured.splits) > 1:
        others = {one.database: one.on_the_model_s_scale() for one in judged}
        population = config.population or f"{fitting.judged.name} photos"
        calibration, accuracy["coverage"] = calibrate_on_several(measured.splits, others, population)
        # Smaller photos are enlarged, and people have rated none of them here.
        smallest = config.smallest_side if config.smallest_side > NATIVE_SIDE else 0
        calibration = replace(calibration, smallest_side=smallest)
    learned = {name: len(rated.images) for name, rated in fitting.learned.items()}
    return new_card(
        network,
        fitting.preprocessing,
        name,
        summary=f"A kernel head on the features of {fitting.start.origin}, fitted on {', '.join(learned)}.",
        training_data=config.training_data
        or ", ".join(f"{name} ({count:,} images)" for name, count in learned.items()),
        licence=config.licence,
        recipe={
            "command": command,
            "start": fitting.start.origin,
            "start_recipe": fitting.start_recipe,
            "configuration": config.kernel.to_dict(),
            "shown": fitting.shown,
            "held_out": len(config.held_out),
            "images": learned,
            "torch": torch.__version__,
        },
        accuracy=accuracy | held_out_accuracy(judged),
        calibration=calibration,
    )
