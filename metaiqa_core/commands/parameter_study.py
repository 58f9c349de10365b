"""Vary the tasks in a mini-batch, k, and the inner steps, S: SROCC after fine-tuning (Figure 4)."""

import argparse
import dataclasses
from pathlib import Path

from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_databases
from metaiqa_core.commands.options.prior import add_prior_arguments, read_meta_config
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.start import add_new_parts_arguments, read_origin
from metaiqa_core.commands.output import as_table, finish_with_bar, write
from metaiqa_core.databases.reading import read_database
from metaiqa_core.experiments.parameter_study import ParameterStudyConfig, parameter_study
from metaiqa_core.training.configuration import FINE_TUNE_PRESETS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser, several=True)
    parser.add_argument(
        "--target", required=True, type=Path, metavar="DIR|CSV", help="database to adapt to: a folder or a CSV file"
    )
    parser.add_argument("--target-images", type=Path, metavar="DIR", help="folder of its images, if they lie elsewhere")
    add_run_arguments(parser, "priors, finished splits and the results, which the app shows")
    parser.add_argument(
        "--tasks", nargs="+", type=int, default=[1, 3, 5, 7], metavar="K", help="values of k (default: 1 3 5 7)"
    )
    parser.add_argument(
        "--steps", nargs="+", type=int, default=[2, 4, 6, 8], metavar="S", help="values of S (default: 2 4 6 8)"
    )
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[0], metavar="SEED", help="seeds of the splits (default: 0)"
    )
    parser.add_argument(
        "--fine-tune-preset",
        choices=tuple(FINE_TUNE_PRESETS),
        default="recommended",
        help="preset of the fine-tuning (default: recommended)",
    )
    parser.add_argument(
        "--fine-tune-crop", type=int, metavar="PIXELS", help="crop of the fine-tuning (default: the preset's)"
    )
    parser.add_argument(
        "--fine-tune-batch-norm",
        choices=("frozen", "adapt"),
        help="batch normalisation of the fine-tuning (default: the preset's)",
    )
    parser.add_argument(
        "--fine-tune-frozen-stages",
        type=int,
        metavar="N",
        help="number of first stages that rest in the fine-tuning (default: the preset's)",
    )
    parser.add_argument(
        "--labelled-photos",
        type=int,
        metavar="N",
        help="number of a split's photos to fine-tune on; the fewer, the more the prior matters (default: all)",
    )
    add_prior_arguments(parser)
    add_new_parts_arguments(parser)


def read_configuration(arguments: argparse.Namespace) -> ParameterStudyConfig:
    """Return the experiment's configuration."""
    tuning = FINE_TUNE_PRESETS[arguments.fine_tune_preset]
    tuning = dataclasses.replace(
        tuning,
        crop=arguments.fine_tune_crop or tuning.crop,
        batch_norm=arguments.fine_tune_batch_norm or tuning.batch_norm,
        frozen_stages=tuning.frozen_stages
        if arguments.fine_tune_frozen_stages is None
        else arguments.fine_tune_frozen_stages,
    )
    return ParameterStudyConfig(
        read_meta_config(arguments),
        tasks=tuple(arguments.tasks),
        steps=tuple(arguments.steps),
        tuning=tuning,
        tuning_preset=arguments.fine_tune_preset,
        labelled_photos=arguments.labelled_photos,
        seeds=tuple(arguments.seeds),
    )


def run(arguments: argparse.Namespace) -> int:
    """Vary k with the preset's S, and S with the preset's k; print SROCC by setting."""
    sources, config = chosen_databases(arguments), read_configuration(arguments)
    target = read_database(arguments.target, images=arguments.target_images)
    work = parameter_study(sources, target, read_origin(arguments), config, read_run_folder(arguments))
    finished = finish_with_bar(work)
    rows = [[str(k), str(steps), f"{finished.srocc((k, steps)):.4f}"] for k, steps in finished.splits]
    write(as_table(rows, ["k", "S", "SROCC"]), None)
    return 0
