"""Let a graph learn types and levels of distortion, and make a model that names a photo's defect."""

import argparse

from metaiqa_core.commands.options.graph_model import (
    add_graph_data_arguments,
    add_graph_model_arguments,
    read_graph_model,
    read_undamaged,
)
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.start import add_start_arguments, read_origin
from metaiqa_core.commands.output import finish_with_bar, say
from metaiqa_core.databases.reading import read_databases
from metaiqa_core.experiments.graph_configuration import GraphModelConfig
from metaiqa_core.experiments.graph_training import graph_training


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_start_arguments(parser, default="model")
    add_graph_data_arguments(parser)
    add_run_arguments(parser, "its features, its state and the new model")
    add_graph_model_arguments(parser)


def read_configuration(arguments: argparse.Namespace) -> GraphModelConfig:
    """Return the configuration that the options name.

    Raises:
        TrainingError: If a number of images is none.
    """
    return read_graph_model(arguments)


def run(arguments: argparse.Namespace) -> int:
    """Compute features, train, calibrate, judge, and write the model."""
    config, run_folder = read_configuration(arguments), read_run_folder(arguments)
    databases, judged = read_databases(arguments.database), read_databases(list(arguments.judged))
    work = graph_training(
        databases,
        read_origin(arguments),
        config,
        run_folder,
        judged=judged,
        features=arguments.features,
        **read_undamaged(arguments),
    )
    model = finish_with_bar(work)
    for name, measured in model.accuracy.items():
        say(f"{name}: {', '.join(f'{one} {value}' for one, value in measured.items() if value is not None)}")
    say(f"wrote {model.file} and its card")
    return 0
