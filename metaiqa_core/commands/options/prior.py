"""How commands train a prior: by MetaIQA, or by Baseline with the same number of image passes."""

import argparse
import dataclasses
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from metaiqa_core import __version__
from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.run_folder import command_line
from metaiqa_core.commands.options.start import Start, add_start_arguments, read_start
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.models.card import ModelCard
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.tasks import DistortionTask
from metaiqa_core.training.baseline import train_baseline
from metaiqa_core.training.meta import adam_steps, image_passes, meta_train
from metaiqa_core.training.meta_configuration import META_PRESETS, BaselineConfig, MetaConfig
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.processes import Processes

Value = TypeVar("Value")

METHODS = ("MetaIQA", "Baseline")
"""As the paper's tables call them."""


@dataclass(frozen=True)
class PriorRecipe:
    """Everything that a prior depends on but its tasks and seed.

    Attributes:
        start: What training starts from.
        config: Of meta-training; Baseline takes from it what both have, and the number of image passes.
        baseline_learning_rate: Of Baseline's backbone; None: the inner learning rate.
        baseline_head_learning_rate: Of Baseline's head; None: as in meta-training.
        baseline_batch_size: Images in a step of Baseline; None: so many that it takes as many steps as meta-training.
    """

    start: Start
    config: MetaConfig
    baseline_learning_rate: float | None = None
    baseline_head_learning_rate: float | None = None
    baseline_batch_size: int | None = None

    def train(
        self,
        method: str,
        photos: TrainingPhotos,
        tasks: Sequence[DistortionTask],
        seed: int,
        state_file: Path,
        processes: Processes = Processes(),  # noqa: B008 (frozen)
    ) -> Work[Regressor]:
        """Train one prior; the start's new layers are the same for both methods."""
        network = self.start.network(seed)
        if method == "Baseline":
            if processes.count > 1:
                raise TrainingError("Baseline has no tasks that processes could share: start it without torchrun.")
            baseline = self.baseline_config(tasks, seed)
            return (yield from train_baseline(network, photos, tasks, baseline, state_file=state_file)).network
        config = dataclasses.replace(self.config, seed=seed)
        work = meta_train(network, photos, tasks, config, state_file=state_file, processes=processes)
        return (yield from work).network

    def baseline_config(self, tasks: Sequence[DistortionTask], seed: int) -> BaselineConfig:
        """Return Baseline's configuration: image passes and Adam steps of the meta-training it is compared with."""
        config = self.config
        passes = image_passes(tasks, dataclasses.replace(config, seed=seed))
        return BaselineConfig(
            image_passes=passes,
            batch_size=_told(self.baseline_batch_size, round(passes / adam_steps(len(tasks), config))),
            learning_rate=_told(self.baseline_learning_rate, config.inner_learning_rate),
            head_learning_rate=_told(self.baseline_head_learning_rate, config.head_learning_rate),
            weight_decay=config.weight_decay,
            rate_decay=config.rate_decay,
            epochs=config.epochs,
            crop=config.crop,
            flip=config.flip,
            batch_norm="frozen" if config.fixed_statistics else "carried",
            frozen_stages=config.frozen_stages,
            frozen_input=config.frozen_input,
            precision=config.precision,
            seed=seed,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what results keep of it, flat: the seed is theirs."""
        config = self.config.to_dict() | {"seed": None, "k": self.config.tasks_per_batch}
        return config | {
            "start": self.start.origin,
            "start_hash": self.start.hash,
            "short_side": self.start.preprocessing.short_side,
            "device": self.start.device.type,
            "backbone": self.start.make().config.backbone,
            "baseline_learning_rate": self.baseline_learning_rate,
            "baseline_head_learning_rate": self.baseline_head_learning_rate,
            "baseline_batch_size": self.baseline_batch_size,
        }


def add_prior_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the start, the preset, the configuration and Baseline's rates."""
    add_start_arguments(parser, unsaid="backbone")
    parser.add_argument("--preset", choices=tuple(META_PRESETS), default="recommended")
    baseline = parser.add_argument_group("Baseline (Section 4.6), which shares all else, and the image passes")
    baseline.add_argument("--baseline-learning-rate", type=float, metavar="FLOAT", help="(default: the inner rate)")
    baseline.add_argument("--baseline-head-learning-rate", type=float, metavar="FLOAT", help="(default: the head's)")
    baseline.add_argument(
        "--baseline-batch-size",
        type=int,
        metavar="INT",
        help="images in a step (default: so many that Baseline takes as many Adam steps as meta-training)",
    )
    add_options(parser, MetaConfig, skip=("seed",))


def read_recipe(arguments: argparse.Namespace) -> PriorRecipe:
    """Return the recipe that the options name."""
    config = chosen(META_PRESETS[arguments.preset], arguments)
    start = read_start(arguments, folded=config.fixed_statistics)
    rates = arguments.baseline_learning_rate, arguments.baseline_head_learning_rate
    return PriorRecipe(start, config, *rates, arguments.baseline_batch_size)


def _told(value: Value | None, otherwise: Value) -> Value:
    return otherwise if value is None else value


def prior_card(
    network: Regressor, name: str, method: str, seed: int, recipe: PriorRecipe, databases: Sequence[Database]
) -> ModelCard:
    """Return the card of a new prior; nothing about accuracy or terms is known yet."""
    data = " and ".join(f"{database.name} ({len(database)} images)" for database in databases)
    return ModelCard(
        name=name,
        summary=f"Quality prior: {network.config.backbone} trained by {method} on {data}; to be adapted.",
        architecture="regressor",
        regressor=network.config,
        preprocessing=recipe.start.preprocessing,
        training_data=data,
        licence="not stated",
        recipe={
            "command": command_line(),
            "method": method,
            "start": recipe.start.origin,
            "seed": seed,
            "configuration": recipe.to_dict(),
            "torch": torch.__version__,
        },
        created=datetime.date.today().isoformat(),
        code_version=__version__,
    )
