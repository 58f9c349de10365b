"""Fit a kernel regression on the features of a trained network, for several databases, and make one model."""

import argparse
from pathlib import Path

from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.database_shares import read_counts, read_names, read_shares
from metaiqa_core.commands.options.new_model import add_card_arguments, add_measurement_arguments, read_new_model
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.start import add_start_arguments, read_origin
from metaiqa_core.commands.output import finish_with_bar, say
from metaiqa_core.databases.reading import read_databases
from metaiqa_core.experiments.joint_configuration import NATIVE_SIDE
from metaiqa_core.experiments.kernel_head import KernelHeadConfig, kernel_head
from metaiqa_core.training.kernel_regression import KernelConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_start_arguments(parser, default="model")
    parser.add_argument(
        "--database",
        required=True,
        type=Path,
        nargs="+",
        metavar="DIR|CSV",
        help="databases to learn from: published ones, those made by synthesize, or CSV files with image and mos",
    )
    parser.add_argument(
        "--shown",
        nargs="+",
        default=(),
        metavar="NAME=SHARE",
        help="shares of the databases' own parts in the answers; the first one gives the scale (default: the first, 1)",
    )
    parser.add_argument(
        "--most", nargs="+", default=(), metavar="NAME=N", help="number of images at most of a database (default: all)"
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
    add_run_arguments(parser, "its features, its splits and the new model")
    parser.add_argument(
        "--judged", default="", metavar="NAME", help="database to measure the splits on (default: the first)"
    )
    add_measurement_arguments(parser)
    parser.add_argument("--half", action="store_true", help="write the weights in half precision: half the size")
    add_card_arguments(parser, "judged database")
    add_options(parser, KernelConfig)


def read_configuration(arguments: argparse.Namespace) -> KernelHeadConfig:
    """Return the experiment's configuration.

    Raises:
        TrainingError: If a share or a number is none, or the file of held-out names cannot be read.
    """
    return KernelHeadConfig(
        kernel=chosen(KernelConfig(), arguments),
        shown=read_shares("--shown", arguments.shown),
        most=read_counts("--most", arguments.most),
        judged=arguments.judged,
        held_out=read_names(arguments.held_out),
        smallest_side=arguments.smallest_side,
        half=arguments.half,
        **read_new_model(arguments),
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure the repeated splits, if any, then fit the head on all databases and write the model."""
    config = read_configuration(arguments)
    databases = read_databases(arguments.database)
    model = finish_with_bar(kernel_head(databases, read_origin(arguments), config, read_run_folder(arguments)))
    if model.file:
        say(f"wrote {model.file} and its card")
    return 0
