"""The options of commands that make a model: the measurement before it, and what the model's card says."""

import argparse
from typing import Any


def add_measurement_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --repeats, --first-seed and --only-measure."""
    parser.add_argument(
        "--repeats",
        type=int,
        default=0,
        metavar="N",
        help="measure by N splits first (80/20; CID2013: 4 of 6 sets; BIQ2021: official), and calibrate the model",
    )
    parser.add_argument(
        "--first-seed", type=int, default=0, metavar="SEED", help="seed of the first split (default: 0)"
    )
    parser.add_argument(
        "--only-measure",
        action="store_true",
        help="stop after the repeated splits, without training a model on all photos",
    )


def add_card_arguments(parser: argparse.ArgumentParser, database: str = "database") -> None:
    """Declare --name, --training-data, --licence and --population.

    Args:
        parser: Parser of the command.
        database: The database that splits measure on, in words for the help text.
    """
    card = parser.add_argument_group("model card")
    card.add_argument("--name", help="name of the new model (default: that of the run folder)")
    card.add_argument(
        "--training-data", help="description of the photos and of their raters (default: the database's name)"
    )
    card.add_argument("--licence", default="not stated", help="terms of the weights and of the data behind them")
    card.add_argument("--population", help=f"name of the {database}'s photos in a percentile")


def read_new_model(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of `NewModelConfig` that the command was given."""
    return {
        "repeats": arguments.repeats,
        "first_seed": arguments.first_seed,
        "only_measure": arguments.only_measure,
        "name": arguments.name or "",
        "training_data": arguments.training_data or "",
        "licence": arguments.licence,
        "population": arguments.population or "",
    }
