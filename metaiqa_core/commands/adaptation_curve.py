"""Measure SROCC after fine-tuning on ever more labelled photos, from several starts."""

import argparse
import sys

import numpy as np

from metaiqa_core.commands.options.adaptation import add_adaptation_arguments, compare_starts, read_starts
from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database
from metaiqa_core.commands.options.run_folder import add_run_arguments, add_worker_arguments
from metaiqa_core.commands.output import as_table
from metaiqa_core.evaluation.protocols import adaptation_folds
from metaiqa_core.results.records import Protocol


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
        help="labelled photos to learn from",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(10)), metavar="SEED", help="(default: 0-9)")
    add_worker_arguments(parser)
    add_adaptation_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compute the folds that are missing, write the results, and print mean SROCC by number of photos."""
    database = chosen_database(arguments)
    starts = read_starts(arguments)
    sizes = sorted(set(arguments.sizes))
    folds = adaptation_folds(database, arguments.seeds, sizes)
    finished = compare_starts(arguments, starts, database, folds, Protocol.ADAPTATION_CURVE)
    if finished is None:
        return 0
    rows = []
    for place, size in enumerate(sizes):
        row = [str(size)]
        for name in starts:
            sroccs = [split.srocc for split in finished[name][place :: len(sizes)]]
            row.append(f"{np.mean(sroccs):.4f} +- {np.std(sroccs, ddof=1) if sroccs[1:] else 0:.4f}")
        rows.append(row)
    sys.stdout.write(as_table(rows, ["photos", *(f"SROCC {name}" for name in starts)]))
    return 0
