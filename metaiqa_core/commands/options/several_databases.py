"""Options of commands that learn from several databases: which, what is judged and held out, and the model's file."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metaiqa_core.commands.options.new_model import add_card_arguments, add_measurement_arguments, read_new_model
from metaiqa_core.errors import TrainingError
from metaiqa_core.experiments.several_databases import NATIVE_SIDE


def add_learned_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --database, --held-out and --smallest-side."""
    parser.add_argument(
        "--database",
        required=True,
        type=Path,
        nargs="+",
        metavar="DIR|CSV",
        help="databases to learn from: published ones, those made by synthesize, or CSV files with image and mos",
    )
    parser.add_argument(
        "--held-out", type=Path, metavar="FILE", help="text file with the names of images not to learn from, one a line"
    )
    parser.add_argument(
        "--smallest-side",
        type=int,
        default=NATIVE_SIDE,
        metavar="PIXELS",
        help=f"short side that smaller photos are enlarged to, pixels (default: {NATIVE_SIDE})",
    )


def add_most_argument(parser: argparse.ArgumentParser) -> None:
    """Declare --most; `read_counts` reads it."""
    parser.add_argument(
        "--most", nargs="+", default=(), metavar="NAME=N", help="number of images at most of a database (default: all)"
    )


def add_judged_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --judged and the options of the measurement, --half and those of the model's card."""
    parser.add_argument(
        "--judged", default="", metavar="NAME", help="database to measure the splits on (default: the first)"
    )
    add_measurement_arguments(parser)
    parser.add_argument("--half", action="store_true", help="write the weights in half precision: half the size")
    add_card_arguments(parser, "judged database")


def read_several_databases(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of `SeveralDatabasesConfig` that the command was given.

    Raises:
        TrainingError: If the file of held-out names cannot be read.
    """
    return {
        "judged": arguments.judged,
        "held_out": _names(arguments.held_out),
        "smallest_side": arguments.smallest_side,
        "half": arguments.half,
        **read_new_model(arguments),
    }


def read_shares(option: str, values: Sequence[str]) -> dict[str, float]:
    """Return the shares that NAME=SHARE words give.

    Raises:
        TrainingError: If a share is no number above 0.
    """
    return dict(_share(option, text) for text in values)


def read_counts(option: str, values: Sequence[str]) -> dict[str, int]:
    """Return the numbers that NAME=N words give.

    Raises:
        TrainingError: If one is no whole number above 0.
    """
    found = {}
    for text in values:
        name, _, number = text.rpartition("=")
        if not name or not number.isdecimal() or not int(number):
            raise TrainingError(f"{option} takes NAME=N with a whole number above 0, got {text!r}.")
        found[name] = int(number)
    return found


def _names(file: Path | None) -> frozenset[str]:
    """Return the file names, one a line, that a text file lists; none without a file.

    Raises:
        TrainingError: If it cannot be read.
    """
    if file is None:
        return frozenset()
    try:
        return frozenset(line for line in file.read_text(encoding="utf-8").splitlines() if line)
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(
            f"The list of held-out images {file} cannot be read: expected one file name a line."
        ) from error


def _share(option: str, text: str) -> tuple[str, float]:
    name, _, number = text.rpartition("=")
    try:
        share = float(number)
    except ValueError:
        share = 0.0
    if not name or not 0 < share < float("inf"):
        raise TrainingError(f"{option} takes NAME=NUMBER with a number above 0, got {text!r}.")
    return name, share
