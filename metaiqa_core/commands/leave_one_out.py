"""Leave one distortion out: learn from all types but one, and be judged on that one (Table 2)."""

import argparse

import numpy as np

from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database
from metaiqa_core.commands.options.prior import add_prior_arguments, read_baseline_rates, read_meta_config
from metaiqa_core.commands.options.run_folder import add_run_arguments, add_worker_arguments, read_run_folder
from metaiqa_core.commands.options.start import add_new_parts_arguments, read_origin
from metaiqa_core.commands.output import as_table, finish_with_bar, write
from metaiqa_core.experiments.leave_one_out import LeaveOneOut, LeaveOneOutConfig, leave_one_out
from metaiqa_core.experiments.prior_recipe import METHODS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser)
    add_run_arguments(parser, "finished folds and the results, which the app shows")
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=METHODS,
        default=list(METHODS),
        help="ways of training to compare (default: both)",
    )
    parser.add_argument(
        "--seeds",
        nargs="+",
        type=int,
        default=[0],
        metavar="SEED",
        help="seeds of the training; each type is held out once for each (default: 0)",
    )
    parser.add_argument(
        "--types", nargs="+", metavar="TYPE", help="distortion types to hold out, such as GB (default: all)"
    )
    parser.add_argument(
        "--knows-half",
        action="store_true",
        help="learn from half of the held-out type's contents too and judge the others, then the other way round: what "
        "a model that knows the type reaches",
    )
    add_worker_arguments(parser)
    add_prior_arguments(parser)
    add_new_parts_arguments(parser)


def read_configuration(arguments: argparse.Namespace) -> LeaveOneOutConfig:
    """Return the experiment's configuration."""
    return LeaveOneOutConfig(
        read_meta_config(arguments),
        read_baseline_rates(arguments),
        methods=tuple(arguments.methods),
        seeds=tuple(arguments.seeds),
        types=tuple(arguments.types or ()),
        knows_half=arguments.knows_half,
    )


def run(arguments: argparse.Namespace) -> int:
    """Compute the folds that are missing, write the results, and print SROCC by type."""
    database, config = chosen_database(arguments), read_configuration(arguments)
    work = leave_one_out(database, read_origin(arguments), config, read_run_folder(arguments))
    finished = finish_with_bar(work)
    if not arguments.shard:
        write(_table(finished), None)
    return 0


def _table(finished: LeaveOneOut) -> str:
    means = {method: finished.srocc(method) for method in finished.splits}
    rows = [[kind, *(f"{means[method][kind]:.4f}" for method in means)] for kind in finished.types]
    rows.append(["mean", *(f"{np.mean(list(by_type.values())):.4f}" for by_type in means.values())])
    return as_table(rows, ["held out", *(f"SROCC {method}" for method in means)])
