"""Let a graph model learn opinion scores, split by reference, without changing what it says of defects."""

import argparse

from metaiqa_core.commands.options.graph_model import add_graph_data_arguments, add_quality_arguments, read_quality
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.output import finish_with_bar, say
from metaiqa_core.databases.reading import read_databases
from metaiqa_core.experiments.graph_configuration import QualityConfig
from metaiqa_core.experiments.graph_quality import graph_quality


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--model", required=True, metavar="NAME|FILE", help="graph model to fine-tune")
    add_graph_data_arguments(parser)
    add_run_arguments(parser, "its features, its state and the new model")
    add_quality_arguments(parser)


def read_configuration(arguments: argparse.Namespace) -> QualityConfig:
    """Return the configuration that the options name.

    Raises:
        TrainingError: If a number of images is none.
    """
    return read_quality(arguments)


def run(arguments: argparse.Namespace) -> int:
    """Compute features, fine-tune, judge, and write the model."""
    databases = read_databases(arguments.database)
    config, run_folder = read_configuration(arguments), read_run_folder(arguments)
    model = finish_with_bar(graph_quality(databases, arguments.model, config, run_folder, features=arguments.features))
    for name, measured in model.accuracy.items():
        say(f"{name}: {', '.join(f'{one} {value}' for one, value in measured.items())}")
    say(f"wrote {model.file} and its card")
    return 0
