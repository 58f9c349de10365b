"""Measure SROCC after fine-tuning on ever more labelled photos, from several starts."""

import argparse

import numpy as np

from metaiqa_core.commands.options.adaptation import add_adaptation_arguments, read_tuning
from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database
from metaiqa_core.commands.options.run_folder import add_run_arguments, add_worker_arguments, read_run_folder
from metaiqa_core.commands.options.start import read_origins
from metaiqa_core.commands.output import as_table, finish_with_bar, write
from metaiqa_core.experiments.adaptation_curve import AdaptationCurve, AdaptationCurveConfig, adaptation_curve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser)
    add_run_arguments(parser, "finished folds and the results, which the app shows")
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=int,
        default=[10, 20, 50, 100, 200],
        metavar="N",
        help="numbers of labelled photos to learn from",
    )
    parser.add_argument(
        "--seeds",
        nargs="+",
        type=int,
        default=list(range(10)),
        metavar="SEED",
        help="seeds of the splits (default: 0-9)",
    )
    add_worker_arguments(parser)
    add_adaptation_arguments(parser)


def read_configuration(arguments: argparse.Namespace) -> AdaptationCurveConfig:
    """Return the experiment's configuration."""
    sizes = tuple(sorted(set(arguments.sizes)))
    return AdaptationCurveConfig(read_tuning(arguments), arguments.least_steps, tuple(arguments.seeds), sizes)


def run(arguments: argparse.Namespace) -> int:
    """Compute the folds that are missing, write the results, and print mean SROCC by number of photos."""
    database, config = chosen_database(arguments), read_configuration(arguments)
    work = adaptation_curve(database, read_origins(arguments), config, read_run_folder(arguments))
    finished = finish_with_bar(work)
    if not arguments.shard:
        write(_table(finished), None)
    return 0


def _table(finished: AdaptationCurve) -> str:
    rows = []
    for size in finished.sizes:
        row = [str(size)]
        for name in finished.splits:
            sroccs = finished.sroccs(name, size)
            row.append(f"{np.mean(sroccs):.4f} +- {np.std(sroccs, ddof=1) if sroccs[1:] else 0:.4f}")
        rows.append(row)
    return as_table(rows, ["photos", *(f"SROCC {name}" for name in finished.splits)])
