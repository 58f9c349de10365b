"""Compare the graph model with MetaIQA and hand-crafted features on the same splits, and leave parts out."""

import argparse
from pathlib import Path

from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.several_databases import read_counts
from metaiqa_core.commands.output import as_table, finish_with_bar, write
from metaiqa_core.databases.reading import read_database
from metaiqa_core.experiments.compared_splits import ComparedSplits
from metaiqa_core.experiments.graph_comparison import (
    HAND_CRAFTED,
    GraphComparisonConfig,
    gains_in_percent,
    graph_comparison,
)
from metaiqa_core.experiments.graph_sources import undamaged_photos
from metaiqa_core.experiments.start import Origin
from metaiqa_core.models.backbones import BACKBONES
from metaiqa_core.training.graph_configuration import GraphTrainingConfig, QualityTuningConfig

_DEFAULTS = GraphComparisonConfig()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--database", required=True, type=Path, metavar="DIR|CSV", help="rated images to divide")
    parser.add_argument(
        "--typed",
        required=True,
        type=Path,
        metavar="DIR",
        help="distorted images with types and levels, which graphs learn first; may be the same database",
    )
    parser.add_argument("--pristine", type=Path, metavar="DIR", help="undamaged photos, for NIQE's distance from these")
    parser.add_argument(
        "--prior", default="mobilenet-prior", metavar="NAME|FILE", help="meta-learned prior (default: %(default)s)"
    )
    parser.add_argument(
        "--plain",
        default="mobilenet_v2",
        metavar="BACKBONE|NAME|FILE",
        help="its backbone without meta-learning, or a model that has it (default: %(default)s)",
    )
    parser.add_argument(
        "--initial-weights",
        default="imagenet",
        metavar="imagenet|random|FILE",
        help="weights of that backbone (default: %(default)s)",
    )
    add_run_arguments(parser, "features, finished splits and the results, which the app shows")
    parser.add_argument("--features", type=Path, metavar="DIR", help="folder of kept features, to share between runs")
    parser.add_argument("--most", nargs="+", default=(), metavar="NAME=N", help="number of images of a database")
    parser.add_argument(
        "--levels", nargs="+", type=int, default=_DEFAULTS.levels, metavar="N", help="stages that are levels"
    )
    for name in ("tone", "width", "short_side"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=getattr(_DEFAULTS, name), metavar="N")
    parser.add_argument("--seeds", nargs="+", type=int, default=_DEFAULTS.seeds, metavar="SEED")
    add_options(parser, GraphTrainingConfig, skip=("seed",))
    add_options(parser, QualityTuningConfig, skip=("quality_seed",))


def run(arguments: argparse.Namespace) -> int:
    """Compute the features and splits that are missing, write the results, and print mean SROCC, PLCC and gain."""
    config = GraphComparisonConfig(
        training=chosen(_DEFAULTS.training, arguments),
        quality=chosen(_DEFAULTS.quality, arguments),
        levels=tuple(arguments.levels),
        tone=arguments.tone,
        width=arguments.width,
        short_side=arguments.short_side,
        most=read_counts("--most", arguments.most),
        seeds=tuple(arguments.seeds),
    )
    if arguments.plain in BACKBONES:
        plain = Origin(backbone=arguments.plain, weights=arguments.initial_weights)
    else:
        plain = Origin(model=arguments.plain)
    work = graph_comparison(
        read_database(arguments.database),
        read_database(arguments.typed),
        Origin(model=arguments.prior),
        plain,
        config,
        read_run_folder(arguments),
        pristine=undamaged_photos(arguments.pristine) if arguments.pristine else None,
        features=arguments.features,
    )
    write(_table(finish_with_bar(work)), None)
    return 0


def _table(finished: ComparedSplits) -> str:
    rows = []
    reference = finished.splits[HAND_CRAFTED]
    for name, splits in finished.splits.items():
        summary = finished.summary(name)
        criteria = [f"{summary[f'{one}_mean']:.3f} +- {summary.get(f'{one}_std', 0):.3f}" for one in ("srocc", "plcc")]
        gains = [
            gains_in_percent([one.srocc for one in splits], [one.srocc for one in reference]),
            gains_in_percent([one.plcc for one in splits], [one.plcc for one in reference]),
        ]
        rows.append([name, *criteria, *(f"{gain:+.1f} %" for gain in gains)])
    return as_table(rows, ["method", "SROCC", "PLCC", "SROCC gain", "PLCC gain"])
