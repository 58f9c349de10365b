"""Learn from several databases of rated images at once, each with a scale of its own, and make one model."""

import argparse
from pathlib import Path

from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.database_shares import read_names, read_shares
from metaiqa_core.commands.options.new_model import add_card_arguments, add_measurement_arguments, read_new_model
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.start import add_start_arguments, read_origin
from metaiqa_core.commands.output import finish_with_bar, say
from metaiqa_core.databases.reading import read_databases
from metaiqa_core.experiments.joint_configuration import NATIVE_SIDE, JointTrainingConfig
from metaiqa_core.experiments.joint_training import joint_training
from metaiqa_core.training.joint_configuration import JointConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_start_arguments(parser, default="backbone")
    parser.add_argument(
        "--database",
        required=True,
        type=Path,
        nargs="+",
        metavar="DIR|CSV",
        help="databases to learn from: published ones, those made by synthesize, or CSV files with image and mos",
    )
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
        "--held-out", type=Path, metavar="FILE", help="text file with the names of images not to learn from, one a line"
    )
    parser.add_argument(
        "--pooled",
        type=int,
        nargs="+",
        default=(),
        metavar="STAGE",
        help="numbers of the backbone's stages to pool (default: the last stage alone)",
    )
    parser.add_argument(
        "--smallest-side",
        type=int,
        default=NATIVE_SIDE,
        metavar="PIXELS",
        help=f"short side that smaller photos are enlarged to, pixels (default: {NATIVE_SIDE})",
    )
    add_run_arguments(parser, "its state, its splits and the new model")
    parser.add_argument(
        "--judged", default="", metavar="NAME", help="database to measure the splits on (default: the first)"
    )
    add_measurement_arguments(parser)
    parser.add_argument("--half", action="store_true", help="write the weights in half precision: half the size")
    add_card_arguments(parser, "judged database")
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
        judged=arguments.judged,
        held_out=read_names(arguments.held_out),
        pooled=tuple(arguments.pooled),
        smallest_side=arguments.smallest_side,
        half=arguments.half,
        **read_new_model(arguments),
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
