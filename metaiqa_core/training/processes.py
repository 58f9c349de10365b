"""The processes that share a training run: one, or several started by torchrun."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
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
def join_processes(device: torch.device, environment: Mapping[str, str] = os.environ) -> Iterator[Processes]:
    """Join the processes that torchrun started. Alone without torchrun.

    Args:
        device: Where this process computes; on GPUs, tensors are added up between them (nccl).
        environment: With torchrun's variables.

    Raises:
        TrainingError: If torchrun's variables are there but the others cannot be reached, or have too few GPUs.
    """
    count = int(environment.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes()
        return
    here = int(environment.get("LOCAL_WORLD_SIZE", str(count)))
    if device.type == "cuda" and here > (gpus := torch.cuda.device_count()):
        raise TrainingError(
            f"{here} processes cannot share {gpus} GPUs: start one for each, with --nproc-per-node {gpus}."
        )
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    except (ValueError, KeyError, RuntimeError) as error:
        raise TrainingError(
            f"The {count} processes of this run cannot find each other ({error}): start them with torchrun."
        ) from error
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()
