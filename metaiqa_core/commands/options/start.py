"""The options by which commands name what training starts from: a model, or a backbone with its own weights."""

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import torch

from metaiqa_core.commands.options.device import PROCESSOR, add_device_argument, read_device
from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.backbones import BACKBONES, imagenet_weights
from metaiqa_core.models.checkpoints import load_checkpoint
from metaiqa_core.models.foreign.imported import read_foreign_state_dict
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.training.fingerprint import hash_of_weights

DROPOUT = 0.2
_UNSAID = {"model": "default", "backbone": "resnet18"}
"""What is started from where neither is named."""


@dataclass(frozen=True)
class Start:
    """What training starts from.

    Attributes:
        make: Builds the network; new layers draw from torch's global generator.
        preprocessing: Of its input.
        origin: Where it comes from, in words.
        learned_from: What its weights have learned people's scores from; empty for a backbone.
        device: Where its networks are, and so where they learn.
    """

    make: Callable[[], Regressor]
    preprocessing: Preprocessing
    origin: str
    learned_from: str = ""
    device: torch.device = PROCESSOR

    @cached_property
    def hash(self) -> str:
        """What tells its weights from others that bear the same name; new layers are those of seed 0."""
        return hash_of_weights(self.build(0))

    def network(self, seed: int) -> Regressor:
        """Return a new network on the device; the same seed gives new layers the same weights on any."""
        return self.build(seed).to(self.device)

    def build(self, seed: int) -> Regressor:
        """Return it on the processor, for those who only look at it."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.make()


def add_start_arguments(parser: argparse.ArgumentParser, *, unsaid: Literal["model", "backbone"]) -> None:
    """Declare --model, --backbone, --initial-weights, --short-side and --device.

    Args:
        parser: Of the command.
        unsaid: What to start from where neither is named: the default model, which people's scores have taught; or a
            backbone, for what is to be judged on images that the default model or its prior may have learned from.
    """
    group = parser.add_argument_group("where to start")
    said = {key: f" (default: {value})" if key == unsaid else "" for key, value in _UNSAID.items()}
    either = group.add_mutually_exclusive_group()
    either.add_argument("--model", metavar="NAME|FILE", help=f"a model to go on from{said['model']}")
    either.add_argument("--backbone", choices=BACKBONES, help=f"a backbone under a new head{said['backbone']}")
    parser.set_defaults(unsaid_start=unsaid)
    group.add_argument(
        "--initial-weights",
        default="imagenet",
        metavar="imagenet|random|FILE",
        help="of the backbone: downloaded, random, or a state dict of the torchvision classifier",
    )
    group.add_argument("--short-side", type=int, default=500, help="model resolution with a backbone (default: 500)")
    add_device_argument(parser)


def start_from_model(name: str, *, folded: bool, device: torch.device = PROCESSOR) -> Start:
    """Return a model of ours as a start.

    Args:
        name: Its name or file.
        folded: Whether to fold batch normalisation, or else to put it back where it was folded.
        device: Where to learn.

    Raises:
        CheckpointError: If there is none, or it cannot be trained.
    """
    checkpoint = load_checkpoint(name)
    if not isinstance(checkpoint.network, Regressor):
        raise CheckpointError(
            f"{checkpoint.card.name} has the released code's architecture, which is for scoring only: "
            "fine-tune one of our own models, or start with --backbone resnet18."
        )
    make = partial(_copy, checkpoint.network, folded)
    return Start(make, checkpoint.preprocessing, checkpoint.card.name, checkpoint.card.training_data, device)


def start_from_backbone(
    backbone: str, initial_weights: str, short_side: int, *, folded: bool, device: torch.device = PROCESSOR
) -> Start:
    """Return a classifier's backbone under a new head as a start.

    Args:
        backbone: One of `BACKBONES`.
        initial_weights: `imagenet`, `random`, or a file.
        short_side: Model resolution in pixels.
        folded: Whether to fold batch normalisation, whose statistics then are fixed.
        device: Where to learn.

    Raises:
        CheckpointError: If the weights cannot be had or are of another architecture.
    """
    config = RegressorConfig(backbone=backbone, dropout=DROPOUT, folded=folded)
    preprocessing = Preprocessing(short_side=short_side)
    if initial_weights == "random":
        sys.stderr.write("WARNING: the backbone starts from random weights; expect far lower accuracy.\n")
        return Start(partial(Regressor, config), preprocessing, f"{backbone}, random weights", device=device)
    weights = imagenet_weights(backbone) if initial_weights == "imagenet" else read_foreign_state_dict(initial_weights)
    named = "torchvision's ImageNet weights" if initial_weights == "imagenet" else f"from {Path(initial_weights).name}"
    make = partial(Regressor, config, backbone_weights=weights, source=initial_weights)
    return Start(make, preprocessing, f"{backbone}, {named}", device=device)


def read_start(arguments: argparse.Namespace, *, folded: bool) -> Start:
    """Return the start that the options name, on the device that they name."""
    device = read_device(arguments)
    kind = "model" if arguments.model else "backbone" if arguments.backbone else arguments.unsaid_start
    name = getattr(arguments, kind) or _UNSAID[kind]
    if kind == "model":
        return start_from_model(name, folded=folded, device=device)
    weights, short_side = arguments.initial_weights, arguments.short_side
    return start_from_backbone(name, weights, short_side, folded=folded, device=device)


def note_what_was_learned(starts: Iterable[Start]) -> None:
    """Say before a measurement on which images it would be none: those that a start has learned already."""
    for start in starts:
        if start.learned_from:
            sys.stderr.write(
                f"NOTE: {start.origin} has learned from {start.learned_from}: on those images this is no test.\n"
            )


def _copy(network: Regressor, folded: bool) -> Regressor:
    copy = Regressor(network.config)
    copy.load_state_dict(network.state_dict())
    if folded:
        copy.fold()
    else:
        copy.unfold()
    return copy
