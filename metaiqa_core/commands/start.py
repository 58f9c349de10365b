"""The options by which commands name what training starts from: a model, or a backbone with its own weights."""

import argparse
import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.backbones import BACKBONES, imagenet_weights
from metaiqa_core.models.checkpoints import load_checkpoint
from metaiqa_core.models.imported import read_foreign_state_dict
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.preprocessing import Preprocessing

DROPOUT = 0.2


@dataclass(frozen=True)
class Start:
    """What training starts from.

    Attributes:
        make: Builds the network; new layers draw from torch's global generator.
        preprocessing: Of its input.
        origin: Where it comes from, in words.
    """

    make: Callable[[], Regressor]
    preprocessing: Preprocessing
    origin: str

    def network(self, seed: int) -> Regressor:
        """Return a new network; the same seed gives new layers the same weights."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.make()


def add_start_arguments(parser: argparse.ArgumentParser, *, model: str | None = "default") -> None:
    """Declare --model, --backbone, --initial-weights and --short-side; `model` is what --model is by default."""
    group = parser.add_argument_group("where to start")
    group.add_argument("--model", default=model, metavar="NAME|FILE", help="a model to go on from")
    group.add_argument("--backbone", choices=BACKBONES, help="start from a backbone instead of a model")
    group.add_argument(
        "--initial-weights",
        default="imagenet",
        metavar="imagenet|random|FILE",
        help="of the backbone: downloaded, random, or a state dict of the torchvision classifier",
    )
    group.add_argument("--short-side", type=int, default=500, help="model resolution with --backbone (default: 500)")


def start_from_model(name: str, *, folded: bool) -> Start:
    """Return a model of ours as a start.

    Args:
        name: Its name or file.
        folded: Whether to fold batch normalisation, or else to put it back where it was folded.

    Raises:
        CheckpointError: If there is none, or it cannot be trained.
    """
    checkpoint = load_checkpoint(name)
    if not isinstance(checkpoint.network, Regressor):
        raise CheckpointError(
            f"{checkpoint.card.name} has the released code's architecture, which is for scoring only: "
            "fine-tune one of our own models, or start with --backbone resnet18."
        )
    return Start(functools.partial(_copy, checkpoint.network, folded), checkpoint.preprocessing, checkpoint.card.name)


def start_from_backbone(backbone: str, initial_weights: str, short_side: int, *, folded: bool) -> Start:
    """Return a classifier's backbone under a new head as a start.

    Args:
        backbone: One of `BACKBONES`.
        initial_weights: `imagenet`, `random`, or a file.
        short_side: Model resolution in pixels.
        folded: Whether to fold batch normalisation, whose statistics then are fixed.

    Raises:
        CheckpointError: If the weights cannot be had or are of another architecture.
    """
    config = RegressorConfig(backbone=backbone, dropout=DROPOUT, folded=folded)
    preprocessing = Preprocessing(short_side=short_side)
    if initial_weights == "random":
        sys.stderr.write("WARNING: the backbone starts from random weights; expect far lower accuracy.\n")
        return Start(functools.partial(Regressor, config), preprocessing, f"{backbone}, random weights")
    weights = imagenet_weights(backbone) if initial_weights == "imagenet" else read_foreign_state_dict(initial_weights)
    named = "torchvision's ImageNet weights" if initial_weights == "imagenet" else f"from {Path(initial_weights).name}"
    make = functools.partial(Regressor, config, backbone_weights=weights, source=initial_weights)
    return Start(make, preprocessing, f"{backbone}, {named}")


def read_start(arguments: argparse.Namespace, *, folded: bool) -> Start:
    """Return the start that the options name."""
    if arguments.backbone is None:
        return start_from_model(arguments.model, folded=folded)
    return start_from_backbone(arguments.backbone, arguments.initial_weights, arguments.short_side, folded=folded)


def _copy(network: Regressor, folded: bool) -> Regressor:
    copy = Regressor(network.config)
    copy.load_state_dict(network.state_dict())
    if folded:
        copy.fold()
    else:
        copy.unfold()
    return copy
