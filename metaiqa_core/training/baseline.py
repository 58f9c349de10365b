"""Baseline (Section 4.6, Table 4): the same network, trained by Adam on all distortion images at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np

from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Progress, Work
from metaiqa_core.tasks import DistortionTask
from metaiqa_core.training.adam import Adam
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.flat_weights import FlatWeights
from metaiqa_core.training.meta_configuration import BaselineConfig
from metaiqa_core.training.modes import let_learn, ready_batch_norm, training_mode
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.state import load_state, save_state, state_is_due, task_signature
from metaiqa_core.training.step import Learner


@dataclass(frozen=True, eq=False)
class BaselineTrained:
    """What training Baseline returns.

    Attributes:
        network: The network, in evaluation mode.
        history: Per step its number and the loss before it.
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
        tasks: Whose images to learn from. Nothing else in `photos` is looked at.
        config: Rates, budget and the like.
        state_file: Where to keep the state of the run; one that is already there is continued from, with the same bits.

    Yields:
        One `Progress` a step, with `loss`.

    Returns:
        The network with the history.

    Raises:
        TrainingError: If the loss is not finite, or the state cannot be kept or belongs to another run.
        DatabaseError: If an image cannot be read.
    """
    start = hash_of_weights(network)
    let_learn(network, config.frozen_stages)
    weights = FlatWeights(network)
    adam = Adam(
        weights,
        learning_rate=config.learning_rate,
        head_learning_rate=config.head_learning_rate,
        second_moment_decay=config.second_moment_decay,
        weight_decay=config.weight_decay,
        bias_correction=True,
    )
    features = photos.frozen_features(network, config.frozen_stages, of_crops=config.frozen_input == "crop")
    positions = np.array([position for task in tasks for position in task.positions])
    learner = Learner(network, photos, features, config.crop, config.flip, config.precision)
    signature = {"algorithm": "baseline", "config": config.to_dict()} | task_signature(network, photos, tasks, start)
    history: list[dict[str, float]] = []
    if state_file and (state := load_state(state_file, signature)):
        network.load_state_dict(state["network"])
        adam.load_state_dict(state["adam"])
        history = state["history"]
    elif not config.fixed_statistics:
        ready_batch_norm(network, features, positions.tolist(), config.crop, config.seed)
    kept = monotonic()

    size = min(config.batch_size, len(positions))
    total = max(1, round(config.image_passes / size))
    per_epoch = len(positions) // size
    for step in range(len(history), total):
        training_mode(network, config.frozen_stages, fixed_statistics=config.fixed_statistics)
        order = np.random.default_rng((config.seed, step // per_epoch, 0)).permutation(positions)
        batch = order[step % per_epoch * size :][:size].tolist()
        weights.gradient.zero_()
        result = learner.backward(batch, np.random.default_rng((config.seed, step, 1)))
        adam.step(config.rate_factor(step / total))
        history.append({"step": step + 1, "loss": result.loss})
        if state_file and (step + 1 == total or state_is_due(kept)):
            progress = {"network": network.state_dict(), "adam": adam.state_dict(), "history": history}
            save_state(state_file, signature, **progress)
            kept = monotonic()
        yield Progress("training the baseline", step + 1, total, history[-1])

    weights.release()
    network.eval().requires_grad_(False)
    return BaselineTrained(network, history)
