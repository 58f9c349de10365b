"""Compare priors after fine-tuning on the same splits: MetaIQA against Baseline (Table 4)."""

import argparse
import sys

from metaiqa_core.commands.options.adaptation import add_adaptation_arguments, compare_starts, read_starts
from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database
from metaiqa_core.commands.options.run_folder import add_run_arguments, add_worker_arguments
from metaiqa_core.commands.output import as_table
from metaiqa_core.evaluation.protocols import authentic_folds, summarise
from metaiqa_core.results.records import Protocol


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser)
    add_run_arguments(parser, "finished folds and the results, which the app shows")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(10)), metavar="SEED", help="(default: 0-9)")
    add_worker_arguments(parser)
    add_adaptation_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compute the folds that are missing, write the results, and print mean SROCC and PLCC."""
    database = chosen_database(arguments)
    starts = read_starts(arguments)
    folds = authentic_folds(database, arguments.seeds)
    finished = compare_starts(arguments, starts, database, folds, Protocol.ABLATION)
    if finished is None:
        return 0
    rows = []
    for name, splits in finished.items():
        summary = summarise(splits)
        rows.append([name, *(_plus_minus(summary, criterion) for criterion in ("srocc", "plcc"))])
    sys.stdout.write(as_table(rows, ["start", "SROCC", "PLCC"]))
    return 0


def _plus_minus(summary: dict[str, float | int | list[int]], criterion: str) -> str:
    return f"{summary[f'{criterion}_mean']:.4f} +- {summary.get(f'{criterion}_std', 0):.4f}"
