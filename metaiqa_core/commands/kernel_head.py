"""Fit a kernel regression on the features of a trained network, for several databases, and make one model."""

import argparse

from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.several_databases import (
    add_judged_arguments,
    add_learned_arguments,
    add_most_argument,
    read_counts,
    read_several_databases,
    read_shares,
)
from metaiqa_core.commands.options.start import add_start_arguments, read_origin
from metaiqa_core.commands.output import finish_with_bar, say
from metaiqa_core.databases.reading import read_databases
from metaiqa_core.experiments.kernel_differences import DifferencesConfig
from metaiqa_core.experiments.kernel_head import KernelHeadConfig, kernel_head
from metaiqa_core.training.kernel_configuration import KernelConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_start_arguments(parser, default="model")
    add_learned_arguments(parser)
    parser.add_argument(
        "--shown",
        nargs="+",
        default=(),
        metavar="NAME",
        help="databases that the model answers like, each where a photo is like its own; the first one gives the scale "
        "(default: the first alone)",
    )
    parser.add_argument(
        "--share",
        nargs="+",
        default=(),
        metavar="NAME=SHARE",
        help="shares of databases' own parts in the answers of the others (default: none)",
    )
    add_most_argument(parser)
    add_run_arguments(parser, "its features, its splits and the new model")
    add_judged_arguments(parser)
    add_options(parser, KernelConfig)
    add_options(parser, DifferencesConfig)


def read_configuration(arguments: argparse.Namespace) -> KernelHeadConfig:
    """Return the experiment's configuration.

    Raises:
        TrainingError: If a share or a number is none, or the file of held-out names cannot be read.
    """
    return KernelHeadConfig(
        kernel=chosen(KernelConfig(), arguments),
        shown=arguments.shown,
        shares=read_shares("--share", arguments.share),
        most=read_counts("--most", arguments.most),
        differences=chosen(DifferencesConfig(), arguments),
        **read_several_databases(arguments),
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure the repeated splits, if any, then fit the head on all databases and write the model."""
    config = read_configuration(arguments)
    databases = read_databases(arguments.database)
    model = finish_with_bar(kernel_head(databases, read_origin(arguments), config, read_run_folder(arguments)))
    if model.file:
        say(f"wrote {model.file} and its card")
    return 0
