"""Options of commands that make a graph model: what it learns from, its levels and widths, and its card."""

import argparse
from pathlib import Path
from typing import Any

from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.several_databases import add_most_argument, read_counts
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.experiments.graph_configuration import GraphModelConfig, QualityConfig
from metaiqa_core.experiments.graph_sources import undamaged_photos
from metaiqa_core.training.graph_configuration import GraphTrainingConfig, QualityTuningConfig

_DEFAULTS = GraphModelConfig()


def add_graph_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --database, --most, --features, --name, --seed and --full-precision."""
    parser.add_argument(
        "--database",
        required=True,
        type=Path,
        nargs="+",
        metavar="DIR|CSV",
        help="databases to learn from: distorted images with types and levels, and rated authentic photos",
    )
    add_most_argument(parser)
    parser.add_argument(
        "--features", type=Path, metavar="DIR", help="folder of kept features, to share (default: in the run's folder)"
    )
    parser.add_argument("--name", default="", help="name of the new model (default: that of the run folder)")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default: 0)")
    parser.add_argument(
        "--full-precision", action="store_true", help="write the weights in full precision: twice the size"
    )


def add_graph_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the settings of a graph model, of its training and of its card."""
    parser.add_argument(
        "--judged",
        type=Path,
        nargs="+",
        default=(),
        metavar="DIR|CSV",
        help="databases that nothing is learned from or chosen by, to be measured on",
    )
    for name, what in (("undamaged", "to learn from and to calibrate on"), ("judged-undamaged", "to be measured on")):
        parser.add_argument(
            f"--{name}",
            type=Path,
            nargs="+",
            default=(),
            metavar="DIR",
            help=f"folders of photos in which nothing is wrong, {what}",
        )
    model = parser.add_argument_group("graph model")
    model.add_argument(
        "--levels",
        nargs="+",
        type=int,
        default=(),
        metavar="N",
        help="stages of the backbone that are levels (default: all but the last)",
    )
    model.add_argument(
        "--tone", type=int, default=_DEFAULTS.tone, help="bins of light and colour (default: %(default)s)"
    )
    model.add_argument(
        "--top-down", type=int, default=0, metavar="CHANNELS", help="fuse the levels top-down, on so many channels"
    )
    model.add_argument("--width", type=int, default=_DEFAULTS.width, help="width of a node (default: %(default)s)")
    model.add_argument("--no-graph", action="store_true", help="leave the edges out: each node stands alone")
    model.add_argument(
        "--good-share",
        type=float,
        default=_DEFAULTS.good_share,
        help="share of a database of authentic photos that counts as good (default: %(default)s)",
    )
    model.add_argument(
        "--degraded",
        type=int,
        default=_DEFAULTS.degraded,
        metavar="N",
        help="distorted copies of each good authentic photo (default: %(default)s)",
    )
    model.add_argument(
        "--held-out-share",
        type=float,
        default=_DEFAULTS.held_out_share,
        help="share of the contents that calibrate the model (default: %(default)s)",
    )
    model.add_argument(
        "--right",
        type=float,
        default=_DEFAULTS.right,
        help="share of the said words that should be right (default: %(default)s)",
    )
    model.add_argument(
        "--accused",
        type=float,
        default=_DEFAULTS.accused,
        help="share of the undamaged photos that may be accused of any defect (default: %(default)s)",
    )
    model.add_argument(
        "--lost",
        type=float,
        default=_DEFAULTS.lost,
        help="share of the clearly distorted photos whose word that may cost (default: %(default)s)",
    )
    card = parser.add_argument_group("model card")
    card.add_argument("--training-data", default="", help="description of the photos and of their raters")
    card.add_argument("--licence", default="not stated", help="terms of the weights and of the data behind them")
    add_options(parser, GraphTrainingConfig, skip=("seed",))


def read_graph_model(arguments: argparse.Namespace) -> GraphModelConfig:
    """Return the configuration that the options name.

    Raises:
        TrainingError: If a number of images is none.
    """
    return GraphModelConfig(
        training=chosen(_DEFAULTS.training, arguments),
        levels=tuple(arguments.levels),
        tone=arguments.tone,
        top_down=arguments.top_down,
        width=arguments.width,
        edges=not arguments.no_graph,
        good_share=arguments.good_share,
        degraded=arguments.degraded,
        held_out_share=arguments.held_out_share,
        right=arguments.right,
        accused=arguments.accused,
        lost=arguments.lost,
        training_data=arguments.training_data,
        licence=arguments.licence,
        **_data(arguments),
    )


def read_undamaged(arguments: argparse.Namespace) -> dict[str, list[Database]]:
    """Return the undamaged photos that the options name, by the argument of the experiment that takes them.

    Raises:
        DatabaseError: If a folder holds no photo.
    """
    return {
        name: [undamaged_photos(folder) for folder in getattr(arguments, name)]
        for name in ("undamaged", "judged_undamaged")
    }


def add_quality_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the settings of quality fine-tuning."""
    add_options(parser, QualityTuningConfig)


def read_quality(arguments: argparse.Namespace) -> QualityConfig:
    """Return the configuration of quality fine-tuning that the options name."""
    return QualityConfig(quality=chosen(QualityTuningConfig(), arguments), **_data(arguments))


def _data(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "most": read_counts("--most", arguments.most),
        "seed": arguments.seed,
        "name": arguments.name,
        "half": not arguments.full_precision,
    }
