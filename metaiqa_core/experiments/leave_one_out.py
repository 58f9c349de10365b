"""Leave one distortion out (Table 2): learn from all types of a database but one, and be judged on that one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import DatabaseError
from metaiqa_core.evaluation.protocols import Fold, Split, known_distortion_folds, leave_one_distortion_out_folds
from metaiqa_core.experiments.folds import Candidate, Plan, compare
from metaiqa_core.experiments.prior_recipe import METHODS, BaselineRates, PriorRecipe
from metaiqa_core.experiments.run_folder import RunFolder, common_folder
from metaiqa_core.experiments.start import Origin
from metaiqa_core.experiments.trainer import Trainer, network_trainer
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.results.fold_store import folder_of_method
from metaiqa_core.results.records import Protocol
from metaiqa_core.tasks import DistortionTask, distortion_tasks
from metaiqa_core.training.meta import image_passes
from metaiqa_core.training.meta_configuration import RECOMMENDED, MetaConfig
from metaiqa_core.training.photos import TrainingPhotos


@dataclass(frozen=True)
class LeaveOneOutConfig:
    """Methods to train, and types to hold out.

    Attributes:
        meta: Settings of Algorithm 1.
        baseline: Learning rates and batch size of Baseline.
        methods: `MetaIQA`, `Baseline` or both.
        seeds: Seeds of the trainings; each seed gives one pass over all types.
        types: Distortion types to hold out, such as `GB` or `kadid10k:GB`; empty: each type in turn.
        knows_half: Whether half of the held-out type's contents are learned from too, once each half: what a training
            that knows the type reaches, to compare with.
    """

    meta: MetaConfig = RECOMMENDED
    baseline: BaselineRates = BaselineRates()
    methods: tuple[str, ...] = METHODS
    seeds: tuple[int, ...] = (0,)
    types: tuple[str, ...] = ()
    knows_half: bool = False

    def __post_init__(self) -> None:
        if unknown := [name for name in self.methods if name not in METHODS]:
            raise ValueError(f"methods are {' and '.join(METHODS)}, got {unknown[0]!r}")
        if not self.methods or not self.seeds:
            raise ValueError("leave-one-out needs at least one method and one seed")


@dataclass(frozen=True)
class LeaveOneOut:
    """Result of leave-one-distortion-out.

    Attributes:
        splits: Finished folds of each method, ordered by seed.
    """

    splits: dict[str, list[Split]]

    @property
    def types(self) -> list[str]:
        """Return the distortion types that were held out, in the database's order."""
        return list(dict.fromkeys(split.held_out for splits in self.splits.values() for split in splits))

    def srocc(self, method: str) -> dict[str, float]:
        """Return a method's mean SROCC over seeds by the distortion type that was held out."""
        splits = self.splits[method]
        return {
            kind: float(np.mean([split.srocc for split in splits if split.held_out == kind])) for kind in self.types
        }


def leave_one_out(database: Database, origin: Origin, config: LeaveOneOutConfig, run: RunFolder) -> Work[LeaveOneOut]:
    """Train each method on all types but one and judge it on that one, without fine-tuning (Section 4.2).

    Args:
        database: Rated images with their distortion types.
        origin: Start of each training.
        config: Methods to train, and types to hold out.
        run: Folder of the run; finished folds are not computed again.

    Yields:
        The trainings' `Progress` with the fold in its stage, and `srocc` and `plcc` at the end of each fold.

    Raises:
        DatabaseError: If an image has no distortion type, a type to hold out is unknown, or nothing can be learned.
        TrainingError: If the run's folder holds folds of another configuration.
        EvaluationError: If a fold ranks nothing; all others are finished first.

    Example:
        database = read_database(Path("kadid10k-style"))
        work = leave_one_out(database, Origin(), LeaveOneOutConfig(), RunFolder(Path("runs/lodo")))
        sroccs = finish(work).srocc("MetaIQA")
    """
    divide = known_distortion_folds if config.knows_half else leave_one_distortion_out_folds
    protocol = Protocol.KNOWN_DISTORTION if config.knows_half else Protocol.LEAVE_ONE_DISTORTION_OUT
    folds = _holding_out(divide(database, config.seeds), config.types, database)
    require_learnable(database, by_type=True)
    recipe = PriorRecipe.load(origin, config.meta, config.baseline)
    photos = TrainingPhotos(database.images, recipe.start.preprocessing)
    recorded_as = recipe.to_dict()
    # All folds have as many tasks; their sizes hardly differ.
    passes = image_passes(_learned(database, folds[0].training), recipe.config)
    configuration = recorded_as | {"image_passes": passes, "database_folder": common_folder(database)}

    def candidate(method: str) -> Candidate:
        return Candidate(
            method,
            folder_of_method(method),
            recorded_as,
            lambda _, state: _trainer(method, recipe, photos, database, state),
            lambda _: configuration,
            recipe.start.has_learned_from,
        )

    candidates = [candidate(method) for method in config.methods]
    rounds = [(fold, candidate) for fold in folds for candidate in candidates]
    plan = Plan(database, protocol, rounds, publish_every=len(candidates))
    return LeaveOneOut((yield from compare(plan, run)))


def _holding_out(folds: list[Fold], types: Sequence[str], database: Database) -> list[Fold]:
    """Return the folds that hold out the types, which may be named by their keys or as tables abbreviate them."""
    if not types:
        return folds
    names = {name: fold.held_out for fold in folds for name in (fold.held_out, fold.held_out.partition(":")[2])}
    if unknown := [name for name in types if name not in names]:
        raise DatabaseError(
            f"{database.name} has no distortion type {', '.join(unknown)}: expected some of "
            f"{', '.join(dict.fromkeys(names.values()))}."
        )
    wanted = {names[name] for name in types}
    return [fold for fold in folds if fold.held_out in wanted]


def _learned(database: Database, training: Sequence[int]) -> list[DistortionTask]:
    """Return the tasks that a fold learns from: the types among its images, with these alone."""
    allowed = frozenset(training)
    tasks = [task.within(allowed) for task in distortion_tasks(database)]
    return [task for task in tasks if len(task)]


def _trainer(method: str, recipe: PriorRecipe, photos: TrainingPhotos, database: Database, state: Path) -> Trainer:
    def learn(training: list[int], seed: int) -> Work[Regressor]:
        return recipe.train(method, photos, _learned(database, training), seed, state)

    kept = recipe.config.frozen_stages if recipe.config.frozen_input == "photo" else 0
    return network_trainer(learn, photos, state, frozen_stages=kept)
