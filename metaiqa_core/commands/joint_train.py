"""Learn from several databases of rated images at once, each with a scale of its own, and make one model."""

import argparse

from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.several_databases import (
    add_judged_arguments,
    add_learned_arguments,
    read_several_databases,
    read_shares,
)
from metaiqa_core.commands.options.start import add_start_arguments, read_origin
from metaiqa_core.commands.output import finish_with_bar, say
from metaiqa_core.databases.reading import read_databases
from metaiqa_core.experiments.joint_configuration import JointTrainingConfig
from metaiqa_core.experiments.joint_training import joint_training
from metaiqa_core.training.joint_configuration import JointConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_start_arguments(parser, default="backbone")
    add_learned_arguments(parser)
    parser.add_argument(
        "--share",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="share of each batch that a database's images make up, relative to the others (default: 1 each)",
    )
    parser.add_argument(
        "--shown",
        nargs="+",
        default=(),
        metavar="NAME",
        help="database on whose scale the model answers (default: the first)",
    )
    parser.add_argument(
        "--pooled",
        type=int,
        nargs="+",
        default=(),
        metavar="STAGE",
        help="numbers of the backbone's stages to pool (default: the last stage alone)",
    )
    add_run_arguments(parser, "its state, its splits and the new model")
    add_judged_arguments(parser)
    add_options(parser, JointConfig)


def read_configuration(arguments: argparse.Namespace) -> JointTrainingConfig:
    """Return the experiment's configuration.

    Raises:
        TrainingError: If a share is no number, or the file of held-out names cannot be read.
    """
    return JointTrainingConfig(
        joint=chosen(JointConfig(), arguments),
        shares=read_shares("--share", arguments.share),
        shown=tuple(arguments.shown),
        pooled=tuple(arguments.pooled),
        **read_several_databases(arguments),
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure the repeated splits, if any, then train on all databases and write the model into the run folder."""
    config = read_configuration(arguments)
    work = joint_training(
        read_databases(arguments.database), read_origin(arguments), config, read_run_folder(arguments)
    )
    model = finish_with_bar(work)
    if model.file:
        say(f"wrote {model.file} and its card")
    return 0
