"""Fine-tune a model on rated photos, and measure by repeated splits how good that is."""

import argparse
from pathlib import Path

from metaiqa_core.commands.options.adaptation import read_tuning
from metaiqa_core.commands.options.configuration import add_options
from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database
from metaiqa_core.commands.options.new_model import add_card_arguments, add_measurement_arguments, read_new_model
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.start import add_new_parts_arguments, add_start_arguments, read_origin
from metaiqa_core.commands.output import finish_with_bar, say
from metaiqa_core.databases.reading import read_database
from metaiqa_core.experiments.fine_tuning import FineTuningConfig, fine_tuning
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS, LEAST_STEPS, FineTuneConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_start_arguments(parser, default="model")
    add_database_arguments(parser)
    add_run_arguments(parser, "its state, its splits and the new model")
    parser.add_argument(
        "--preset",
        choices=tuple(FINE_TUNE_PRESETS),
        default="recommended",
        help="configuration whose values hold where no option is given (default: recommended)",
    )
    add_measurement_arguments(parser)
    rehearsal = parser.add_argument_group("rehearsal, against forgetting what the start has learned")
    rehearsal.add_argument(
        "--rehearse",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR|CSV",
        help="databases to learn from as well, such as those of the prior; none of their images is tested on",
    )
    rehearsal.add_argument(
        "--rehearsal-share",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="number of their images, drawn at random, as a share of the training photos (default: 0.5)",
    )
    add_card_arguments(parser)
    add_options(parser, FineTuneConfig)
    parser.add_argument(
        "--least-steps",
        type=int,
        metavar="N",
        help=f"minimum number of Adam steps; few photos get more epochs (default: {LEAST_STEPS}; 0 with --epochs)",
    )
    add_new_parts_arguments(parser)


def read_configuration(arguments: argparse.Namespace) -> FineTuningConfig:
    """Return the experiment's configuration; where --epochs is given, few photos do not get more epochs."""
    least_steps = arguments.least_steps
    if least_steps is None:
        least_steps = LEAST_STEPS if arguments.epochs is None else 0
    return FineTuningConfig(
        tuning=read_tuning(arguments),
        least_steps=least_steps,
        rehearsal_share=arguments.rehearsal_share,
        preset=arguments.preset,
        **read_new_model(arguments),
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure the repeated splits, if any, then train on the whole database and write the model into the run folder."""
    config, database = read_configuration(arguments), chosen_database(arguments)
    rehearsed = [read_database(path) for path in arguments.rehearse]
    work = fine_tuning(database, read_origin(arguments), config, read_run_folder(arguments), rehearsed)
    model = finish_with_bar(work)
    if model.file:
        say(f"wrote {model.file} and its card")
    return 0
