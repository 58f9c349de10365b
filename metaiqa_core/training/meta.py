"""Algorithm 1: meta-learning a quality prior by bi-level gradient optimisation over distortion tasks (Section 3.2).

    repeat
        sample a mini-batch of k tasks
        for each task i
            theta_i' = S Adam steps on its support set, from theta              Eq. 4
            theta_i  = S Adam steps on its query set, from theta_i'             Eq. 7
        theta <- theta - beta * 1/k * sum_i (theta - theta_i)                   Eq. 8

First order only: no gradient is taken through a gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from metaiqa_core.errors import TrainingError
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Progress, Work
from metaiqa_core.tasks import DistortionTask
from metaiqa_core.training.inner_loop import InnerLoop, Measures
from metaiqa_core.training.meta_configuration import MetaConfig
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.processes import Processes
from metaiqa_core.training.task_sampling import divide, mini_batch
from metaiqa_core.training.training_run import TrainingRun


@dataclass(frozen=True, eq=False)
class MetaTrained:
    """Result of meta-training.

    Attributes:
        network: The quality prior, in evaluation mode.
        history: One record for each iteration: its number, its epoch, and the means over its tasks and their steps of
            `Measures.NAMES`: the loss on the support and on the query set, and SROCC within the query batch.
    """

    network: Regressor
    history: list[dict[str, float]]


def meta_train(
    network: Regressor,
    photos: TrainingPhotos,
    tasks: Sequence[DistortionTask],
    config: MetaConfig,
    *,
    state_file: Path | None = None,
    processes: Processes = Processes(),  # noqa: B008 (frozen)
) -> Work[MetaTrained]:
    """Learn a quality prior from distortion tasks.

    Args:
        network: The start, theta; changed in place. Its device is where the work is done.
        photos: Rated photos; the tasks' positions count them.
        tasks: The tasks to learn from. Nothing else in `photos` is looked at.
        config: Settings of Algorithm 1.
        state_file: File of the run's state; one that is already there is continued from, and the result has
            the same bits as an uninterrupted run.
        processes: Processes that share the tasks of each mini-batch.

    Yields:
        One `Progress` an iteration, with the metrics of `MetaTrained.history`.

    Returns:
        The prior with the history.

    Raises:
        TrainingError: If the loss is not finite, the state cannot be kept or belongs to another run, or several
            processes are to share what passes from task to task.
        DatabaseError: If an image cannot be read.
    """
    _check_shared(config, processes)
    run = TrainingRun(
        network,
        photos,
        tasks,
        config,
        algorithm="meta-training",
        learning_rate=config.inner_learning_rate,
        bias_correction=config.bias_correction,
        with_statistics=config.batch_norm == "meta",
        state_file=state_file,
    )
    theta = run.weights
    per_epoch = iterations_per_epoch(len(tasks), config)
    total = config.epochs * per_epoch
    for iteration in run.steps(total):
        epoch = iteration // per_epoch
        decay = config.rate_factor(epoch)
        beta = config.outer_learning_rate * (decay if config.outer_decay else 1.0)
        prior = theta.values.clone()
        # Differences of float32 add up in float64 without rounding, so that it makes no difference which process adds
        # which: Adam's first step would turn the last bit of a weight into a whole step.
        displacement = torch.zeros_like(prior, dtype=torch.float64)
        measures = Measures(config.inner_steps)
        for place, task in processes.share(mini_batch(tasks, iteration, config)):  # k tasks
            theta.values.copy_(prior)
            generator = np.random.default_rng((config.seed, iteration, place, 1))
            inner = InnerLoop(run, divide(task, iteration, place, config), config, decay, generator, measures)
            if config.order == "support-then-query":
                inner.descend("support", config.inner_steps)  # theta_i', Eq. 4
                inner.descend("query", config.inner_steps)  # theta_i, Eq. 7
            else:
                _alternate(inner, theta.values, prior, beta, config)
            displacement += prior - theta.values
        displacement = processes.sum(displacement).float()
        theta.values.copy_(prior - beta / config.tasks_per_batch * displacement)  # Eq. 8

        means = (processes.sum(measures.sums) / config.tasks_per_batch).tolist()
        measured = {"iteration": iteration + 1, "epoch": epoch + 1, **dict(zip(Measures.NAMES, means, strict=True))}
        run.record(measured, is_last=iteration + 1 == total, may_save=processes.rank == 0)
        yield Progress("meta-training", iteration + 1, total, measured)
    return MetaTrained(run.finish(), run.history)


def _alternate(inner: InnerLoop, theta: Tensor, prior: Tensor, beta: float, config: MetaConfig) -> None:
    """Learn a task as the released code does, not the paper: one support and one query step, S times over.

    Args:
        inner: The task's inner loop.
        theta: (P,) float32: the network's weights, which its steps move.
        prior: (P,) float32: the prior. With the outer update `pair` it follows each pair of steps, and theta comes back
            to it at the end: nothing is left to move after the mini-batch.
        beta: Outer learning rate.
        config: Number of steps and kind of outer update.
    """
    for _ in range(config.inner_steps):
        inner.descend("support", 1)
        inner.descend("query", 1)
        if config.outer_update == "pair":
            prior.lerp_(theta, beta)
    if config.outer_update == "pair":
        theta.copy_(prior)


def iterations_per_epoch(tasks: int, config: MetaConfig) -> int:
    """Return the mini-batches that it takes to see each of that many tasks about once."""
    return -(-tasks // config.tasks_per_batch)


def image_passes(tasks: Sequence[DistortionTask], config: MetaConfig) -> int:
    """Return how many images meta-training passes forward and backward in all: what Baseline is given too."""
    total = 0
    for iteration in range(config.epochs * iterations_per_epoch(len(tasks), config)):
        for place, task in enumerate(mini_batch(tasks, iteration, config)):
            sets = divide(task, iteration, place, config)
            sizes = min(len(sets.support), config.support_batch), min(len(sets.query), config.query_batch)
            total += config.inner_steps * sum(sizes)
    return total


def adam_steps(tasks: int, config: MetaConfig) -> int:
    """Return how many Adam steps meta-training takes in all with that many tasks, on support and query sets."""
    return config.epochs * iterations_per_epoch(tasks, config) * config.tasks_per_batch * 2 * config.inner_steps


def _check_shared(config: MetaConfig, processes: Processes) -> None:
    if processes.count > 1 and (config.batch_norm == "carried" or config.moments == "run"):
        raise TrainingError(
            "This configuration passes statistics or moments from one task to the next, so its tasks cannot be shared: "
            "start one process, or choose --batch-norm meta and --moments level."
        )
    if config.outer_update == "pair" and processes.count > 1:
        raise TrainingError(
            "outer_update pair moves the prior within a task, which cannot be shared: start one process."
        )
