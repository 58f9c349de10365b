"""Algorithm 1: meta-learning a quality prior by bi-level gradient optimisation over distortion tasks (Section 3.2).

    repeat
        sample a mini-batch of k tasks
        for each task i
            theta_i' = S Adam steps on its support set, from theta              Eq. 4
            theta_i  = S Adam steps on its query set, from theta_i'             Eq. 7
        theta <- theta - beta * 1/k * sum_i (theta - theta_i)                   Eq. 8

First order only: no gradient is taken through a gradient.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from metaiqa_core.errors import TrainingError
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Progress, Work
from metaiqa_core.tasks import DistortionTask, SupportQuery, split_task
from metaiqa_core.training.adam import Adam
from metaiqa_core.training.fingerprint import hash_of_weights
from metaiqa_core.training.flat_weights import FlatWeights
from metaiqa_core.training.meta_configuration import MetaConfig
from metaiqa_core.training.modes import let_learn, ready_batch_norm, training_mode
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.processes import Processes
from metaiqa_core.training.state import load_state, save_state, state_is_due, task_signature
from metaiqa_core.training.step import Learner, Pass

MEASURES = ("support_loss", "query_loss", "query_srocc")


@dataclass(frozen=True, eq=False)
class MetaTrained:
    """What meta-training returns.

    Attributes:
        network: The quality prior, in evaluation mode.
        history: Per iteration its number, the epoch, and the means over its tasks and their steps of `MEASURES`, each
            taken before the step: the loss on the support and on the query set, and SROCC within the query batch.
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
        tasks: What to learn from. Nothing else in `photos` is looked at.
        config: Rates, steps and the like.
        state_file: Where to keep the state of the run; one that is already there is continued from, and the result has
            the same bits as an uninterrupted run.
        processes: Those that share each mini-batch's tasks.

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
    start = hash_of_weights(network)
    let_learn(network, config.frozen_stages)
    theta = FlatWeights(network, with_statistics=config.batch_norm == "meta")
    adam = Adam(
        theta,
        learning_rate=config.inner_learning_rate,
        head_learning_rate=config.head_learning_rate,
        second_moment_decay=config.second_moment_decay,
        weight_decay=config.weight_decay,
        bias_correction=config.bias_correction,
    )
    features = photos.frozen_features(network, config.frozen_stages, of_crops=config.frozen_input == "crop")
    learner = Learner(network, photos, features, config.crop, config.flip, config.precision)
    signature = {"algorithm": "meta-training", "config": config.to_dict()}
    signature |= task_signature(network, photos, tasks, start)
    history: list[dict[str, float]] = []
    if state_file and (state := load_state(state_file, signature)):
        network.load_state_dict(state["network"])
        adam.load_state_dict(state["adam"])
        history = state["history"]
    elif not config.fixed_statistics:
        positions = [position for task in tasks for position in task.positions]
        ready_batch_norm(network, features, positions, config.crop, config.seed)
    kept = monotonic()

    per_epoch = iterations_per_epoch(len(tasks), config)
    total = config.epochs * per_epoch
    for iteration in range(len(history), total):
        epoch = iteration // per_epoch
        factor = config.rate_factor(epoch)
        outer_rate = config.outer_learning_rate * (factor if config.outer_decay else 1.0)
        training_mode(network, config.frozen_stages, fixed_statistics=config.fixed_statistics)

        prior = theta.values.clone()
        # The sum of theta - theta_i; differences of float32 add up in float64 without rounding, so that it makes no
        # difference which process adds which: Adam's first step would turn the last bit of a weight into a whole step.
        displacement = torch.zeros_like(prior, dtype=torch.float64)
        measures = torch.zeros(len(MEASURES))
        for place, task in enumerate(mini_batch(tasks, iteration, config)):
            if place % processes.count != processes.rank:
                continue
            theta.values.copy_(prior)
            sets = _divide(task, iteration, place, config)
            generator = np.random.default_rng((config.seed, iteration, place, 1))
            for level, result in _adapt(learner, theta, adam, sets, factor, generator, config):  # Eqs. 4 and 7
                measures += _measures(level, result, config.inner_steps)
                if config.outer_update == "pair" and level == "query":
                    prior.lerp_(theta.values, outer_rate)
            if config.outer_update == "mini-batch":
                displacement += prior - theta.values
        displacement = processes.sum(displacement).float()
        theta.values.copy_(prior - outer_rate / config.tasks_per_batch * displacement)  # Eq. 8

        means = (processes.sum(measures) / config.tasks_per_batch).tolist()
        history.append({"iteration": iteration + 1, "epoch": epoch + 1, **dict(zip(MEASURES, means, strict=True))})
        if processes.rank == 0 and state_file and (iteration + 1 == total or state_is_due(kept)):
            progress = {"network": network.state_dict(), "adam": adam.state_dict(), "history": history}
            save_state(state_file, signature, **progress)
            kept = monotonic()
        yield Progress("meta-training", iteration + 1, total, history[-1])

    theta.release()
    network.eval().requires_grad_(False)
    return MetaTrained(network, history)


def _adapt(
    learner: Learner,
    theta: FlatWeights,
    adam: Adam,
    sets: SupportQuery,
    rate_factor: float,
    generator: np.random.Generator,
    config: MetaConfig,
) -> Iterator[tuple[str, Pass]]:
    """Take a task's Adam steps on its support and on its query set, and yield what each pass showed."""
    batches = {
        "support": _batches(sets.support, config.support_batch, generator),
        "query": _batches(sets.query, config.query_batch, generator),
    }
    if config.moments == "task":
        adam.reset()
    if config.order == "support-then-query":
        levels = [("support", config.inner_steps), ("query", config.inner_steps)]
    else:
        levels = [("support", 1), ("query", 1)] * config.inner_steps
    for level, steps in levels:
        if config.moments == "level":
            adam.reset()
        for _ in range(steps):
            theta.gradient.zero_()
            result = learner.backward(next(batches[level]), generator)
            adam.step(rate_factor)
            yield level, result


def iterations_per_epoch(tasks: int, config: MetaConfig) -> int:
    """Return the mini-batches that it takes to see each of that many tasks about once."""
    return -(-tasks // config.tasks_per_batch)


def image_passes(tasks: Sequence[DistortionTask], config: MetaConfig) -> int:
    """Return how many images meta-training passes forward and backward in all: what Baseline is given too."""
    total = 0
    for iteration in range(config.epochs * iterations_per_epoch(len(tasks), config)):
        for place, task in enumerate(mini_batch(tasks, iteration, config)):
            sets = _divide(task, iteration, place, config)
            sizes = min(len(sets.support), config.support_batch), min(len(sets.query), config.query_batch)
            total += config.inner_steps * sum(sizes)
    return total


def adam_steps(tasks: int, config: MetaConfig) -> int:
    """Return how many Adam steps meta-training takes in all with that many tasks, on support and query sets."""
    return config.epochs * iterations_per_epoch(tasks, config) * config.tasks_per_batch * 2 * config.inner_steps


def mini_batch(tasks: Sequence[DistortionTask], iteration: int, config: MetaConfig) -> list[DistortionTask]:
    """Return the tasks of one iteration: tasks in random order, none again before all others have been."""
    wanted = range(iteration * config.tasks_per_batch, (iteration + 1) * config.tasks_per_batch)
    rounds = {number // len(tasks) for number in wanted}
    orders = {number: np.random.default_rng((config.seed, number, 0)).permutation(len(tasks)) for number in rounds}
    return [tasks[orders[number // len(tasks)][number % len(tasks)]] for number in wanted]


def _divide(task: DistortionTask, iteration: int, place: int, config: MetaConfig) -> SupportQuery:
    """Divide a task afresh each time that it is drawn."""
    return split_task(
        task, config.query_share, (config.seed, iteration, place), by_group=config.query_by == "reference"
    )


def _batches(positions: tuple[int, ...], most: int, generator: np.random.Generator) -> Iterator[list[int]]:
    """Yield batches for ever; no image comes again before all others of the set have."""
    size = min(most, len(positions))
    waiting: list[int] = []
    while True:
        if len(waiting) < size:
            waiting += generator.permutation(np.asarray(positions)).tolist()
        batch, waiting = waiting[:size], waiting[size:]
        yield batch


def _measures(level: str, result: Pass, steps: int) -> Tensor:
    """Return what one pass adds to a task's `MEASURES`: the means over its steps."""
    if level == "support":
        return torch.tensor([result.loss, 0.0, 0.0]) / steps
    predicted, opinion = result.predicted.cpu().numpy(), result.opinion.cpu().numpy()
    ranked = len(opinion) > 2 and np.ptp(predicted) > 0 and np.ptp(opinion) > 0
    srocc = float(stats.spearmanr(predicted, opinion).statistic) if ranked else 0.0
    return torch.tensor([0.0, result.loss, srocc]) / steps


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
