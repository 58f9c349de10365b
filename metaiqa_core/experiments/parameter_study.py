"""Parameter study (Figure 4): SROCC after fine-tuning over the number of tasks k and of inner steps S."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.evaluation.protocols import Fold, Split, adaptation_folds, authentic_folds
from metaiqa_core.experiments.adaptation import fine_tuner
from metaiqa_core.experiments.folds import Candidate, Plan, compare
from metaiqa_core.experiments.prior import PriorConfig, prior_card
from metaiqa_core.experiments.prior_recipe import PriorRecipe
from metaiqa_core.experiments.run_folder import RunFolder, common_folder
from metaiqa_core.experiments.start import Origin, start_from_model
from metaiqa_core.experiments.trainer import Trainer
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.progress import Work
from metaiqa_core.results.records import Protocol
from metaiqa_core.tasks import DistortionTask, distortion_tasks
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS, LEAST_STEPS, FineTuneConfig, enough_epochs
from metaiqa_core.training.meta_configuration import RECOMMENDED, MetaConfig
from metaiqa_core.training.photos import TrainingPhotos

Setting = tuple[int, int]
"""(k, S)."""


@dataclass(frozen=True)
class ParameterStudyConfig:
    """Values to vary, and settings of the test of each prior.

    Attributes:
        meta: Settings of Algorithm 1; k is varied with its S, and S with its k.
        tasks: Values of k.
        steps: Values of S.
        tuning: Settings of fine-tuning.
        tuning_preset: Name of the fine-tuning settings, for the results.
        labelled_photos: Number of a split's photos to fine-tune on; with few, the prior matters more; None: all of
            them.
        seeds: Seeds of the splits.
    """

    meta: MetaConfig = RECOMMENDED
    tasks: tuple[int, ...] = (1, 3, 5, 7)
    steps: tuple[int, ...] = (2, 4, 6, 8)
    tuning: FineTuneConfig = FINE_TUNE_PRESETS["recommended"]
    tuning_preset: str = "recommended"
    labelled_photos: int | None = None
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if not self.seeds:
            raise ValueError("a parameter study needs at least one seed")
        for name in ("tasks", "steps"):
            if any(value < 1 for value in getattr(self, name)):
                raise ValueError(f"{name} must be at least 1, got {min(getattr(self, name))}")

    @property
    def settings(self) -> list[Setting]:
        """Return the pairs (k, S) to try, ascending."""
        k, steps = self.meta.tasks_per_batch, self.meta.inner_steps
        return sorted({(tasks, steps) for tasks in self.tasks} | {(k, number) for number in self.steps})


@dataclass(frozen=True)
class ParameterStudy:
    """Result of a parameter study.

    Attributes:
        splits: Finished splits of each setting (k, S).
    """

    splits: dict[Setting, list[Split]]

    def srocc(self, setting: Setting) -> float:
        """Return the mean SROCC of a setting over its splits."""
        return float(np.mean([split.srocc for split in self.splits[setting]]))


def parameter_study(
    sources: Sequence[Database], target: Database, origin: Origin, config: ParameterStudyConfig, run: RunFolder
) -> Work[ParameterStudy]:
    """Meta-train a prior for each setting, fine-tune it on every split of the target, and judge it there.

    Args:
        sources: Databases that the priors learn from; every image needs its distortion type.
        target: Database that the priors are adapted to.
        origin: Start of each prior.
        config: Values of k and S, and the settings of both trainings.
        run: Folder of the run; finished priors and splits are not computed again.

    Yields:
        The trainings' `Progress` with setting and split in its stage, and `srocc` and `plcc` at the end of each.

    Raises:
        DatabaseError: If a source has no distortion types, or nothing can be learned from the sources or the target.
        TrainingError: If the run's folder holds priors or splits of another configuration.
        EvaluationError: If a split ranks nothing; all others are finished first.

    Example:
        sources, target = [read_database(Path("kadid10k-style"))], read_database(Path("live"))
        work = parameter_study(sources, target, Origin(), ParameterStudyConfig(), RunFolder(Path("runs/study")))
        srocc = finish(work).srocc((5, 3))
    """
    distortion_tasks(*sources)
    require_learnable(*sources, by_type=True)
    require_learnable(target)
    start = origin.load(folded=config.meta.fixed_statistics)
    study = _Study(sources, target, PriorRecipe(start, config.meta), config, run)
    folds = study.folds
    candidates = {setting: study.candidate(setting) for setting in config.settings}
    rounds = [(fold, candidate) for candidate in candidates.values() for fold in folds]
    plan = Plan(target, Protocol.PARAMETER_STUDY, rounds, made_of=sources, title="{candidate} {fold}")
    finished = yield from compare(plan, run)
    return ParameterStudy({setting: finished[candidate.name] for setting, candidate in candidates.items()})


class _Study:
    """The parts that all settings share: photos, tasks, folds, and the fine-tuning of priors."""

    def __init__(
        self,
        sources: Sequence[Database],
        target: Database,
        recipe: PriorRecipe,
        config: ParameterStudyConfig,
        run: RunFolder,
    ) -> None:
        self.sources, self.recipe, self.run = sources, recipe, run
        self.tasks: Sequence[DistortionTask] = distortion_tasks(*sources)
        preprocessing = recipe.start.preprocessing
        self.photos = TrainingPhotos([image for database in sources for image in database], preprocessing)
        self.target_photos = TrainingPhotos(target.images, preprocessing)
        self.folds = _folds(target, config)
        labelled = len(self.folds[0].training)
        self.tuning = enough_epochs(config.tuning, labelled, LEAST_STEPS)
        tuned_as = {f"fine_tune_{name}": value for name, value in self.tuning.to_dict().items() if name != "seed"}
        self.tuned_as = tuned_as | {"fine_tune_preset": config.tuning_preset, "labelled_photos": labelled}
        self.target_folder = common_folder(target)

    def candidate(self, setting: Setting) -> Candidate:
        """Return a setting as what the loop over folds judges."""
        k, steps = setting
        config = dataclasses.replace(self.recipe.config, tasks_per_batch=k, inner_steps=steps)
        varied = dataclasses.replace(self.recipe, config=config)
        recorded_as: dict[str, Any] = varied.to_dict() | self.tuned_as
        folder = f"k-{k}-S-{steps}"
        return Candidate(
            f"k {k}, S {steps}",
            folder,
            recorded_as,
            lambda _, state: self._trainer(varied, self.run.folder / folder, state),
            lambda _: recorded_as | {"database_folder": self.target_folder},
            self.recipe.start.has_learned_from,
            method="MetaIQA",
        )

    def _trainer(self, recipe: PriorRecipe, folder: Path, state: Path) -> Trainer:
        """Return a trainer that meta-trains the setting's prior, unless it is there, and fine-tunes it."""

        def train(training: list[int], test: list[int], seed: int) -> Work[NDArray[np.float64]]:
            prior = folder / "prior.safetensors"
            if not prior.exists():
                learning = folder / "state.pt"
                network = yield from recipe.train("MetaIQA", self.photos, self.tasks, 0, learning)
                card = prior_card(network, "prior", PriorConfig(), recipe, self.sources, self.run.command)
                save_checkpoint(network, card, prior)
                learning.unlink(missing_ok=True)
            device = recipe.start.device
            start = start_from_model(str(prior), folded=self.tuning.fixed_statistics, device=device)
            return (yield from fine_tuner(start, self.target_photos, self.tuning, state)(training, test, seed))

        return train


def _folds(target: Database, config: ParameterStudyConfig) -> list[Fold]:
    if config.labelled_photos is None:
        return authentic_folds(target, config.seeds)
    return adaptation_folds(target, config.seeds, [config.labelled_photos])
