"""The options by which commands say how the starts that they compare are fine-tuned."""

import argparse

from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.start import add_starts_arguments
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS, LEAST_STEPS, FineTuneConfig


def add_adaptation_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the starts that are compared and how they are fine-tuned."""
    add_starts_arguments(parser)
    parser.add_argument(
        "--least-steps",
        type=int,
        default=LEAST_STEPS,
        metavar="N",
        help=f"minimum number of Adam steps; few photos get more epochs (default: {LEAST_STEPS})",
    )
    parser.add_argument(
        "--preset",
        choices=tuple(FINE_TUNE_PRESETS),
        default="recommended",
        help="configuration whose values hold where no option is given (default: recommended)",
    )
    add_options(parser, FineTuneConfig, skip=("seed",))


def read_tuning(arguments: argparse.Namespace) -> FineTuneConfig:
    """Return the preset with the fields that the options change."""
    return chosen(FINE_TUNE_PRESETS[arguments.preset], arguments)
