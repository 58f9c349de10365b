"""Learn a quality prior from distortion tasks: Algorithm 1, or Baseline beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.experiments.new_model import new_card
from metaiqa_core.experiments.prior_recipe import METHODS, BaselineRates, PriorRecipe
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Origin
from metaiqa_core.models.card import ModelCard, check_card, check_name
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.results.run_log import recorded
from metaiqa_core.tasks import distortion_tasks
from metaiqa_core.training.meta import image_passes
from metaiqa_core.training.meta_configuration import RECOMMENDED, MetaConfig
from metaiqa_core.training.photos import TrainingPhotos, predict
from metaiqa_core.training.processes import Processes


@dataclass(frozen=True)
class PriorConfig:
    """Settings of the training of one prior.

    Attributes:
        meta: Settings of Algorithm 1.
        baseline: Learning rates and batch size of Baseline.
        method: `MetaIQA` or `Baseline`.
        seed: Seed of everything random, 0 or more.
        preset: Name of the settings, for the card.
        name: Name of the prior; "" takes the name of the run folder.
        licence: Terms of the weights and of the data behind them.
    """

    meta: MetaConfig = RECOMMENDED
    baseline: BaselineRates = BaselineRates()
    method: str = "MetaIQA"
    seed: int = 0
    preset: str = "recommended"
    name: str = ""
    licence: str = "not stated"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must be from 0 to {2**63 - 1}, got {self.seed}")
        if self.name:
            check_name(self.name)


@dataclass(frozen=True, eq=False)
class Prior:
    """A quality prior.

    Attributes:
        network: Network with the prior's weights, in evaluation mode.
        file: Weights file of the prior, with the card beside it; None in a process that only shared the work.
    """

    network: Regressor
    file: Path | None


def learn_prior(
    databases: Sequence[Database],
    origin: Origin,
    config: PriorConfig,
    run: RunFolder,
    processes: Processes = Processes(),  # noqa: B008 (frozen)
) -> Work[Prior]:
    """Train a prior and write it into the run's folder, with its card.

    Args:
        databases: Databases to learn from; every image needs its distortion type.
        origin: Start of the training.
        config: Settings of the experiment.
        run: Folder of the run.
        processes: Processes that share the tasks of each mini-batch; only the first one writes files.

    Yields:
        One `Progress` an iteration, with `support_loss`, `query_loss` and `query_srocc`; of Baseline one a step.

    Raises:
        CheckpointError: If the prior's card could not be written so.
        DatabaseError: If an image has no distortion type or cannot be read, or nothing can be learned.
        TrainingError: If the loss or a weight is not finite, or the run's folder holds the state of another run.

    Example:
        databases = [read_database(Path("kadid10k-style"))]
        work = learn_prior(databases, Origin(), PriorConfig(), RunFolder(Path("runs/prior")))
        prior = finish(work).network
    """
    tasks = distortion_tasks(*databases)
    require_learnable(*databases, by_type=True)
    recipe = PriorRecipe.load(origin, config.meta, config.baseline)
    file = run.folder / f"{config.name or run.name}.safetensors"
    # What is wrong with the card is told now, not after hours of training.
    check_card(prior_card(recipe.start.build(0), file.stem, config, recipe, databases, run.command))
    photos = TrainingPhotos([image for database in databases for image in database], recipe.start.preprocessing)
    work = recipe.train(config.method, photos, tasks, config.seed, run.folder / "state.pt", processes)
    if processes.rank:
        return Prior((yield from work), None)
    network = yield from recorded(work, run.folder, tensorboard=run.tensorboard)
    predict(network, photos, [0])  # finite weights may still be too large for a finite score
    facts: dict[str, int | str] = {"image_passes": image_passes(tasks, recipe.config), "preset": config.preset}
    named = prior_card(network, file.stem, config, recipe, databases, run.command, facts)
    save_checkpoint(network, named, file)
    return Prior(network, file)


def prior_card(
    network: Regressor,
    name: str,
    config: PriorConfig,
    recipe: PriorRecipe,
    databases: Sequence[Database],
    command: str,
    facts: dict[str, int | str] | None = None,
) -> ModelCard:
    """Return the card of a new prior; nothing about accuracy is known yet.

    Args:
        network: Network with the prior's weights.
        name: Name of the prior for users.
        config: Method, seed and licence of the prior.
        recipe: Recipe of the training.
        databases: Databases that the prior has learned from.
        command: Command line that repeats the training.
        facts: Further entries of the card's recipe.
    """
    data = " and ".join(f"{database.name} ({len(database)} images)" for database in databases)
    return new_card(
        network,
        recipe.start.preprocessing,
        name,
        summary=f"Quality prior: {network.config.backbone} trained by {config.method} on {data}; to be adapted.",
        training_data=data,
        licence=config.licence,
        recipe={
            "command": command,
            "method": config.method,
            "start": recipe.start.origin,
            "seed": config.seed,
            "configuration": recipe.to_dict(),
            "torch": torch.__version__,
            **(facts or {}),
        },
    )
