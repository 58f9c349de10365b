"""Make a graph model in one go: meta pre-training of the backbone, graph training, quality fine-tuning."""

import argparse
from dataclasses import replace

from metaiqa_core.commands.options.graph_model import (
    add_graph_data_arguments,
    add_graph_model_arguments,
    add_quality_arguments,
    read_graph_model,
    read_quality,
    read_undamaged,
)
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.start import add_start_arguments, read_origin
from metaiqa_core.commands.output import finish_with_bar, say
from metaiqa_core.databases.reading import read_databases
from metaiqa_core.experiments.graph_model import ThreeStagesConfig, graph_model
from metaiqa_core.experiments.prior import PriorConfig
from metaiqa_core.experiments.start import NewParts
from metaiqa_core.training.meta_configuration import META_PRESETS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_start_arguments(parser, default="backbone")
    add_graph_data_arguments(parser)
    add_run_arguments(parser, "its stages, their states and the new model")
    meta = parser.add_argument_group("meta pre-training")
    meta.add_argument(
        "--meta-preset", choices=tuple(META_PRESETS), default="recommended", help="configuration (default: recommended)"
    )
    meta.add_argument("--meta-epochs", type=int, metavar="N", help="passes over all tasks (default: the preset's)")
    meta.add_argument("--meta-crop", type=int, metavar="PIXELS", help="side of the crops (default: the preset's)")
    meta.add_argument(
        "--adapters",
        nargs="+",
        type=int,
        default=(),
        metavar="STAGE",
        help="stages that a self-calibrated adapter follows, which changes nothing at its start (default: none)",
    )
    add_graph_model_arguments(parser)
    add_quality_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train all three stages, judge, and write the model."""
    config, run_folder = read_configuration(arguments), read_run_folder(arguments)
    parts = NewParts(tuple(arguments.adapters), tuple(arguments.levels), arguments.top_down)
    origin = replace(read_origin(arguments), parts=parts)
    databases, judged = read_databases(arguments.database), read_databases(list(arguments.judged))
    work = graph_model(
        databases,
        origin,
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


def read_configuration(arguments: argparse.Namespace) -> ThreeStagesConfig:
    """Return the configuration of all three stages that the options name.

    Raises:
        TrainingError: If a number of images is none.
    """
    meta = META_PRESETS[arguments.meta_preset]
    meta = replace(meta, epochs=arguments.meta_epochs or meta.epochs, crop=arguments.meta_crop or meta.crop)
    prior = PriorConfig(meta, seed=arguments.seed, preset=arguments.meta_preset, licence=arguments.licence)
    return ThreeStagesConfig(
        prior=prior, graph=replace(read_graph_model(arguments), name=""), quality=read_quality(arguments)
    )
