"""Random draws of Algorithm 1: the tasks of a mini-batch, each task's support and query set, and batches of these."""

from collections.abc import Iterator, Sequence

import numpy as np

from metaiqa_core.tasks import DistortionTask, SupportQuery, split_task
from metaiqa_core.training.meta_configuration import MetaConfig
from metaiqa_core.training.random_order import in_random_order


def mini_batch(tasks: Sequence[DistortionTask], iteration: int, config: MetaConfig) -> list[DistortionTask]:
    """Return the tasks of one iteration: tasks in random order, none again before all others have been."""
    wanted = range(iteration * config.tasks_per_batch, (iteration + 1) * config.tasks_per_batch)
    return [tasks[number] for number in in_random_order(wanted, len(tasks), lambda turn: (config.seed, turn, 0))]


def divide(task: DistortionTask, iteration: int, place: int, config: MetaConfig) -> SupportQuery:
    """Divide a task into its support and its query set, afresh each time that it is drawn.

    Args:
        task: The task.
        iteration: Number of the mini-batch, from 0.
        place: Number of the task within the mini-batch, from 0.
        config: Share and kind of the query set, and the seed.
    """
    return split_task(
        task, config.query_share, (config.seed, iteration, place), by_group=config.query_by == "reference"
    )


def batches(positions: tuple[int, ...], most: int, generator: np.random.Generator) -> Iterator[list[int]]:
    """Yield batches for ever; no image comes again before all others of the set have.

    Args:
        positions: The images of a set.
        most: Largest size of a batch; a smaller set comes as a whole.
        generator: Source of the order.
    """
    size = min(most, len(positions))
    waiting: list[int] = []
    while True:
        if len(waiting) < size:
            waiting += generator.permutation(np.asarray(positions)).tolist()
        batch, waiting = waiting[:size], waiting[size:]
        yield batch
