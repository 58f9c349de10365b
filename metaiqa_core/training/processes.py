"""The processes that share a training run: one, or several started by torchrun."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed

from metaiqa_core.errors import TrainingError
from metaiqa_core.settings import whole_number

Item = TypeVar("Item")
MOST_PROCESSES = 1_000_000
"""Largest number of processes that torchrun may be said to have started."""


@dataclass(frozen=True)
class Processes:
    """This process among those that share the run.

    Attributes:
        rank: Number of this process, from 0; the first one writes and reports.
        count: Number of processes.
    """

    rank: int = 0
    count: int = 1

    def share(self, items: Sequence[Item]) -> Iterator[tuple[int, Item]]:
        """Yield this process's share of the items, each with its number from 0: every `count`-th from `rank` on."""
        for number in range(self.rank, len(items), self.count):
            yield number, items[number]

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of every process's tensor; all must call it with the same shape."""
        if self.count > 1:
            distributed.all_reduce(tensor)
        return tensor


@contextmanager
def join_processes(device: torch.device, environment: Mapping[str, str] = os.environ) -> Iterator[Processes]:
    """Join the processes that torchrun started. Alone without torchrun.

    Args:
        device: Device of this process; on GPUs, tensors are added up between them (nccl).
        environment: Environment variables, torchrun's among them.

    Raises:
        SettingsError: If the variable WORLD_SIZE, which torchrun sets, holds no number of processes.
        TrainingError: If torchrun's variables are there but the others cannot be reached, or two share a GPU.
    """
    count = whole_number(environment, "WORLD_SIZE", MOST_PROCESSES, "processes", default=1)
    if count == 1:
        yield Processes()
        return
    gpu = device.type == "cuda"
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if gpu else "gloo")
        distributed.all_reduce(torch.zeros(1, device=device))  # what cannot be added up fails now, not an hour later
    except (ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        each = ", one for each GPU, and with --device cuda" if gpu else ""
        raise TrainingError(
            f"The {count} processes of this run cannot work together ({reason}): start them with torchrun{each}."
        ) from error
    try:
        yield Processes(distributed.get_rank(), count)
    finally:
        distributed.destroy_process_group()
