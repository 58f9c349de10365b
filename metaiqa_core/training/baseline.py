"""Baseline (Section 4.6, Table 4): the same network, trained by Adam on all distortion images at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Progress, Work
from metaiqa_core.tasks import DistortionTask
from metaiqa_core.training.meta_configuration import BaselineConfig
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.training_run import TrainingRun


@dataclass(frozen=True, eq=False)
class BaselineTrained:
    """Result of training Baseline.

    Attributes:
        network: The network, in evaluation mode.
        history: Number and loss of each step; the loss is the one before the step.
    """

    network: Regressor
    history: list[dict[str, float]]


def train_baseline(
    network: Regressor,
    photos: TrainingPhotos,
    tasks: Sequence[DistortionTask],
    config: BaselineConfig,
    *,
    state_file: Path | None = None,
) -> Work[BaselineTrained]:
    """Train on the images of all tasks, without looking at tasks.

    Args:
        network: The start; changed in place. Its device is where the work is done.
        photos: Rated photos; the tasks' positions count them.
        tasks: The tasks with the images to learn from. Nothing else in `photos` is looked at.
        config: Rates, number of image passes, and crops.
        state_file: File of the run's state; one that is already there is continued from, with the same bits.

    Yields:
        One `Progress` a step, with `loss`.

    Returns:
        The network with the history.

    Raises:
        TrainingError: If the loss is not finite, or the state cannot be kept or belongs to another run.
        DatabaseError: If an image cannot be read.
    """
    run = TrainingRun(
        network,
        photos,
        tasks,
        config,
        algorithm="baseline",
        learning_rate=config.learning_rate,
        bias_correction=True,
        state_file=state_file,
    )
    positions = np.array([position for task in tasks for position in task.positions])
    size = min(config.batch_size, len(positions))
    total = max(1, round(config.image_passes / size))
    per_epoch = len(positions) // size
    for step in run.steps(total):
        order = np.random.default_rng((config.seed, step // per_epoch, 0)).permutation(positions)
        batch = order[step % per_epoch * size :][:size].tolist()
        run.weights.gradient.zero_()
        result = run.learner.backward(batch, np.random.default_rng((config.seed, step, 1)))
        run.adam.step(config.rate_factor(step / total))
        run.record({"step": step + 1, "loss": result.loss}, is_last=step + 1 == total)
        yield Progress("training the baseline", step + 1, total, run.history[-1])
    return BaselineTrained(run.finish(), run.history)
