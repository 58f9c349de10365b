"""Fine-tune a model on rated photos, and measure by repeated splits how good that is."""

import argparse
from pathlib import Path

from metaiqa_core.commands.options.adaptation import read_tuning
from metaiqa_core.commands.options.configuration import add_options
from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.start import add_start_arguments, read_origin
from metaiqa_core.commands.output import finish_with_bar, say
from metaiqa_core.databases.reading import read_database
from metaiqa_core.experiments.fine_tuning import FineTuningConfig, fine_tuning
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS, LEAST_STEPS, FineTuneConfig


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_start_arguments(parser, default="model")
    add_database_arguments(parser)
    add_run_arguments(parser, "state, splits and the new model")
    parser.add_argument("--preset", choices=tuple(FINE_TUNE_PRESETS), default="recommended")
    parser.add_argument(
        "--repeats",
        type=int,
        default=0,
        metavar="N",
        help="first measure by N splits (80/20; CID2013: 4 of 6 sets; BIQ2021: official), and calibrate",
    )
    parser.add_argument(
        "--first-seed", type=int, default=0, metavar="SEED", help="seed of the first split (default: 0)"
    )
    parser.add_argument("--only-measure", action="store_true", help="stop after the repeated splits")
    rehearsal = parser.add_argument_group("rehearsal, so that the start's knowledge is not forgotten")
    rehearsal.add_argument(
        "--rehearse",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR|CSV",
        help="learn from images of these databases too, such as those of the prior; they test nothing",
    )
    rehearsal.add_argument(
        "--rehearsal-share",
        type=float,
        default=0.5,
        metavar="SHARE",
        help="how many of them, drawn by the seed, as a share of the training photos (default: 0.5)",
    )
    card = parser.add_argument_group("what the model's card says")
    card.add_argument("--name", help="name of the new model (default: that of the run folder)")
    card.add_argument("--training-data", help="what the photos are and who rated them (default: the database's name)")
    card.add_argument("--licence", default="not stated", help="terms of the weights and of the data behind them")
    card.add_argument("--population", help="what to call the database's photos in a percentile")
    add_options(parser, FineTuneConfig)
    parser.add_argument(
        "--least-steps",
        type=int,
        metavar="N",
        help=f"more epochs where photos are few (default: {LEAST_STEPS} steps, or as --epochs says)",
    )


def read_configuration(arguments: argparse.Namespace) -> FineTuningConfig:
    """Return the experiment's configuration; whoever says how many epochs gets no more where photos are few."""
    least_steps = arguments.least_steps
    if least_steps is None:
        least_steps = LEAST_STEPS if arguments.epochs is None else 0
    return FineTuningConfig(
        read_tuning(arguments),
        least_steps,
        arguments.rehearsal_share,
        repeats=arguments.repeats,
        first_seed=arguments.first_seed,
        only_measure=arguments.only_measure,
        preset=arguments.preset,
        name=arguments.name or "",
        training_data=arguments.training_data or "",
        licence=arguments.licence,
        population=arguments.population or "",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure if asked to, then train on the whole database and write the model into the run folder."""
    config, database = read_configuration(arguments), chosen_database(arguments)
    rehearsed = [read_database(path) for path in arguments.rehearse]
    work = fine_tuning(database, read_origin(arguments), config, read_run_folder(arguments), rehearsed)
    model = finish_with_bar(work)
    if model.file:
        say(f"wrote {model.file} and its card")
    return 0
