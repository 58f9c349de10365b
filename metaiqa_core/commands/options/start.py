"""The options by which commands name the start of a training: a model, or a backbone with its own weights."""

import argparse
from typing import Literal

from metaiqa_core.commands.options.device import add_device_argument, read_device
from metaiqa_core.errors import TrainingError
from metaiqa_core.experiments.start import NO_PARTS, SHORT_SIDE, NewParts, Origin
from metaiqa_core.models.backbones import BACKBONES
from metaiqa_core.models.model_files import DEFAULT_START

_DEFAULTS = {"model": DEFAULT_START, "backbone": "resnet18"}
"""Start that is used where neither option is given."""


def add_start_arguments(parser: argparse.ArgumentParser, *, default: Literal["model", "backbone"]) -> None:
    """Declare --model, --backbone, --initial-weights, --short-side and --device.

    Args:
        parser: Parser of the command.
        default: Kind of start that is used where neither is named: a model, which has learned opinion scores,
            or a backbone, for tests on images that the default model or its prior may have learned from.
    """
    group = parser.add_argument_group("start of the training")
    hints = {key: f" (default: {value})" if key == default else "" for key, value in _DEFAULTS.items()}
    either = group.add_mutually_exclusive_group()
    either.add_argument("--model", metavar="NAME|FILE", help=f"model to continue from{hints['model']}")
    either.add_argument("--backbone", choices=BACKBONES, help=f"backbone under a new head{hints['backbone']}")
    parser.set_defaults(default_start=default)
    group.add_argument(
        "--initial-weights",
        default="imagenet",
        metavar="imagenet|random|FILE",
        help="weights of the backbone: imagenet (downloaded, or from an installed package), random, or a file with the "
        "state dict of the published classifier",
    )
    group.add_argument(
        "--short-side",
        type=int,
        help=f"short side of the model's input, pixels (default: that of the model, and {SHORT_SIDE} with a backbone)",
    )
    add_device_argument(parser)


def add_new_parts_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --adapters, --levels and --fused: parts that a start gets besides its own."""
    group = parser.add_argument_group("new parts of the network")
    group.add_argument(
        "--adapters",
        nargs="+",
        type=int,
        default=(),
        metavar="STAGE",
        help="stages that a self-calibrated adapter follows, which changes nothing at its start (default: none)",
    )
    group.add_argument(
        "--levels", nargs="+", type=int, default=(), metavar="STAGE", help="stages to pool (default: as the start does)"
    )
    group.add_argument(
        "--fused", type=int, default=0, metavar="CHANNELS", help="fuse these stages top-down, on so many channels"
    )


def read_origin(arguments: argparse.Namespace) -> Origin:
    """Return the start that the options name, on the device that they name; nothing is loaded yet.

    Raises:
        TrainingError: If the device is not there.
    """
    device, parts = read_device(arguments), _read_parts(arguments)
    kind = "model" if arguments.model else "backbone" if arguments.backbone else arguments.default_start
    name = getattr(arguments, kind) or _DEFAULTS[kind]
    if kind == "model":
        return Origin(model=name, short_side=arguments.short_side, device=device, parts=parts)
    return Origin("", name, arguments.initial_weights, arguments.short_side, device, parts)


def add_starts_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --start, once for each of the starts that are compared, --short-side, --device and new parts."""
    parser.add_argument(
        "--start",
        action="append",
        required=True,
        metavar="NAME=MODEL|NAME=BACKBONE:WEIGHTS",
        help="a start to compare: a model, or a backbone with imagenet, random, or a file of its weights; give the "
        "option once for each start",
    )
    parser.add_argument(
        "--short-side",
        type=int,
        help=f"short side of the input with a backbone, pixels (default: {SHORT_SIDE}); a model brings its own",
    )
    add_device_argument(parser)
    add_new_parts_arguments(parser)


def read_origins(arguments: argparse.Namespace) -> dict[str, Origin]:
    """Return the starts that are compared, by the names that tables give them; nothing is loaded yet.

    New parts go to those that start from a backbone: a model has its own.

    Raises:
        TrainingError: If a name is missing or comes twice, or the device is not there.
    """
    device, parts = read_device(arguments), _read_parts(arguments)
    origins: dict[str, Origin] = {}
    for text in arguments.start:
        name, _, origin = text.partition("=")
        if not (name and origin) or name in origins:
            raise TrainingError(f"--start takes NAME=MODEL with a name of its own, got {text!r}.")
        backbone, _, weights = origin.partition(":")
        if backbone in BACKBONES and weights:
            origins[name] = Origin("", backbone, weights, arguments.short_side, device, parts)
        else:
            origins[name] = Origin(model=origin, device=device)
    return origins


def _read_parts(arguments: argparse.Namespace) -> NewParts:
    if not hasattr(arguments, "fused"):
        return NO_PARTS
    return NewParts(tuple(arguments.adapters), tuple(arguments.levels), arguments.fused)
