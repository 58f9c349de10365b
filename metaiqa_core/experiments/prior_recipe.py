"""The recipe of a prior: trained by MetaIQA, or by Baseline with the same number of image passes (Section 4.6)."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from metaiqa_core.errors import TrainingError
from metaiqa_core.experiments.start import Origin, Start
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.tasks import DistortionTask
from metaiqa_core.training.baseline import train_baseline
from metaiqa_core.training.learning_configuration import MOST
from metaiqa_core.training.meta import adam_steps, image_passes, meta_train
from metaiqa_core.training.meta_configuration import BaselineConfig, MetaConfig
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.processes import Processes

Value = TypeVar("Value")

METHODS = ("MetaIQA", "Baseline")
"""Names of the methods, as in the paper's tables."""


@dataclass(frozen=True)
class BaselineRates:
    """Learning rates and batch size of Baseline; all else it shares with the meta-training that it is compared with.

    Attributes:
        learning_rate: Learning rate of the backbone; None: the inner learning rate.
        head_learning_rate: Learning rate of the head; None: the one of meta-training.
        batch_size: Number of images in a step; None: the number that gives as many Adam steps as meta-training.
    """

    learning_rate: float | None = None
    head_learning_rate: float | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        for name in ("learning_rate", "head_learning_rate"):
            rate = getattr(self, name)
            if rate is not None and not math.isfinite(rate):
                raise ValueError(f"Baseline's {name} must be a finite number, got {rate}")
            if rate is not None and rate > MOST:
                raise ValueError(f"Baseline's {name} must be at most {MOST:g}, got {rate:g}")
            if rate is not None and rate <= 0:
                raise ValueError(f"Baseline's {name} must be above 0, got {rate}")
        if self.batch_size is not None and self.batch_size < 1:
            raise ValueError(f"Baseline's batch_size must be at least 1, got {self.batch_size}")


@dataclass(frozen=True)
class PriorRecipe:
    """Everything that a prior depends on but its tasks and seed.

    Attributes:
        start: Start of the training.
        config: Settings of meta-training; Baseline shares those that both have, and the number of image passes.
        baseline: Learning rates and batch size of Baseline.
    """

    start: Start
    config: MetaConfig
    baseline: BaselineRates = BaselineRates()

    @classmethod
    def load(cls, origin: Origin, config: MetaConfig, baseline: BaselineRates) -> "PriorRecipe":
        """Return a recipe with its start loaded as the configuration needs it.

        Raises:
            CheckpointError: If the start's weights cannot be had.
        """
        return cls(origin.load(folded=config.fixed_statistics), config, baseline)

    def train(
        self,
        method: str,
        photos: TrainingPhotos,
        tasks: Sequence[DistortionTask],
        seed: int,
        state_file: Path,
        processes: Processes = Processes(),  # noqa: B008 (frozen)
    ) -> Work[Regressor]:
        """Train one prior; the start's new layers are the same for both methods.

        Args:
            method: Name of the method, one of `METHODS`.
            photos: Images that the positions of the tasks refer to.
            tasks: Distortion tasks to learn from.
            seed: Seed of everything random, 0 or more.
            state_file: File for the state of the unfinished training.
            processes: Processes that share the tasks of each mini-batch.

        Raises:
            TrainingError: If the loss is not finite, the state belongs to another run, or several processes are to
                share Baseline.
        """
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
            batch_size=_given_or(self.baseline.batch_size, round(passes / adam_steps(len(tasks), config))),
            learning_rate=_given_or(self.baseline.learning_rate, config.inner_learning_rate),
            head_learning_rate=_given_or(self.baseline.head_learning_rate, config.head_learning_rate),
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
            "backbone": self.start.backbone,
            "baseline_learning_rate": self.baseline.learning_rate,
            "baseline_head_learning_rate": self.baseline.head_learning_rate,
            "baseline_batch_size": self.baseline.batch_size,
        }


def _given_or(value: Value | None, otherwise: Value) -> Value:
    return otherwise if value is None else value
