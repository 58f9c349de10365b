"""The processes that share a training run: one, or several started by torchrun."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from torch import Tensor, distributed

from metaiqa_core.errors import TrainingError


@dataclass(frozen=True)
class Processes:
    """This process among those that share the run.

    Attributes:
        rank: Its number from 0; the first one writes and reports.
        count: How many there are.
    """

    rank: int = 0
    count: int = 1

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of every process's tensor; all must call it with the same shape."""
        if self.count > 1:
            distributed.all_reduce(tensor)
        return tensor


@contextmanager
def join_processes(environment: Mapping[str, str] = os.environ) -> Iterator[Processes]:
    """Join the processes that torchrun started. Alone without torchrun.

    Raises:
        TrainingError: If torchrun's variables are there but the others cannot be reached.
    """
    count = int(environment.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    try:
        distributed.init_process_group("gloo")  # also where there are GPUs: training is done on the processor
    except (ValueError, KeyError, RuntimeError) as error:
        raise TrainingError(
            f"The {count} processes of this run cannot find each other ({error}): start them with torchrun."
        ) from error
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()
