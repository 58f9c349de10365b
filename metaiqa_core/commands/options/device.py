"""The option by which commands name the device that computes: the processor, or a GPU."""

import argparse
import os
import re
from collections.abc import Mapping

import torch

from metaiqa_core.commands.output import say
from metaiqa_core.errors import TrainingError
from metaiqa_core.experiments.start import PROCESSOR
from metaiqa_core.settings import whole_number
from metaiqa_core.training.processes import MOST_PROCESSES


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """Declare --device."""
    parser.add_argument(
        "--device",
        default="cpu",
        metavar="cpu|cuda|cuda:N",
        help="device that computes: cpu, or cuda for a GPU (default: cpu)",
    )


def read_device(arguments: argparse.Namespace) -> torch.device:
    """Return the device that --device names; processes that share a run take the GPUs in turn.

    In full precision a GPU computes in full precision too: its faster, shorter formats are for `--precision bf16`.

    Raises:
        TrainingError: If there is no such device.
    """
    named = re.fullmatch(r"cpu|cuda(?::(\d+))?", arguments.device)
    if not named:
        raise TrainingError(f"--device takes cpu, cuda or cuda:N, such as cuda:1, got {arguments.device!r}.")
    if arguments.device == "cpu":
        if torch.cuda.is_available():
            say("NOTE: this machine has a GPU that --device cuda would compute on.")
        if getattr(arguments, "precision", None) == "bf16" and not _gains_by_bfloat16(torch.cpu.get_capabilities()):
            say("NOTE: this processor has no instructions for bfloat16: without --precision bf16 it is faster.")
        return PROCESSOR
    if not torch.cuda.is_available():
        built = torch.version.cuda or torch.version.hip
        missing = "install its driver" if built else "install a build of torch for GPUs, as this one is not"
        raise TrainingError(
            f"--device {arguments.device} was asked for, and torch finds no GPU here: if there is one, {missing}; or "
            "compute on the processor with --device cpu."
        )
    count = torch.cuda.device_count()
    place = int(named[1]) if named[1] else _place_among_processes(arguments) % count
    if place >= count:
        raise TrainingError(f"--device {arguments.device} was asked for, and the last GPU here is cuda:{count - 1}.")
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda", place)


def _gains_by_bfloat16(capabilities: Mapping[str, object]) -> bool:
    """Return whether a processor may compute faster in bfloat16; of those that are not x86 nothing is known here."""
    return capabilities.get("architecture") != "x86_64" or any(
        bool(capabilities.get(name)) for name in ("avx512_bf16", "amx_bf16")
    )


def _place_among_processes(arguments: argparse.Namespace) -> int:
    """Return this process's number, from 0, among those on this machine that torchrun or --workers started."""
    shard = getattr(arguments, "shard", None)
    return shard[0] - 1 if shard else whole_number(os.environ, "LOCAL_RANK", MOST_PROCESSES, "processes", 0, least=0)
