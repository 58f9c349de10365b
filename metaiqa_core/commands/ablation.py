"""Compare priors after fine-tuning on the same splits: MetaIQA against Baseline (Table 4)."""

import argparse

from metaiqa_core.commands.options.adaptation import add_adaptation_arguments, read_tuning
from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database
from metaiqa_core.commands.options.run_folder import add_run_arguments, add_worker_arguments, read_run_folder
from metaiqa_core.commands.options.start import read_origins
from metaiqa_core.commands.output import as_table, finish_with_bar, write
from metaiqa_core.experiments.ablation import ablation
from metaiqa_core.experiments.adaptation import AdaptationConfig
from metaiqa_core.experiments.compared_splits import ComparedSplits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser)
    add_run_arguments(parser, "finished folds and the results, which the app shows")
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


def read_configuration(arguments: argparse.Namespace) -> AdaptationConfig:
    """Return the experiment's configuration."""
    return AdaptationConfig(read_tuning(arguments), arguments.least_steps, tuple(arguments.seeds))


def run(arguments: argparse.Namespace) -> int:
    """Compute the folds that are missing, write the results, and print mean SROCC and PLCC."""
    database, config = chosen_database(arguments), read_configuration(arguments)
    work = ablation(database, read_origins(arguments), config, read_run_folder(arguments))
    finished = finish_with_bar(work)
    if not arguments.shard:
        write(_table(finished), None)
    return 0


def _table(finished: ComparedSplits) -> str:
    rows = []
    for name in finished.splits:
        summary = finished.summary(name)
        criteria = [f"{summary[f'{one}_mean']:.4f} +- {summary.get(f'{one}_std', 0):.4f}" for one in ("srocc", "plcc")]
        rows.append([name, *criteria])
    return as_table(rows, ["start", "SROCC", "PLCC"])
