"""Learn a quality prior from distortion tasks by meta-learning (Algorithm 1), for `fine-tune`."""

import argparse

from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_databases
from metaiqa_core.commands.options.prior import add_prior_arguments, read_baseline_rates, read_meta_config
from metaiqa_core.commands.options.run_folder import add_run_arguments, read_run_folder
from metaiqa_core.commands.options.start import add_new_parts_arguments, read_origin
from metaiqa_core.commands.output import finish_with_bar, say
from metaiqa_core.experiments.prior import PriorConfig, learn_prior
from metaiqa_core.experiments.prior_recipe import METHODS
from metaiqa_core.progress import finish
from metaiqa_core.training.processes import join_processes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser, several=True)
    add_run_arguments(parser, "its state, its curves and the new prior")
    parser.add_argument("--method", choices=METHODS, default="MetaIQA", help="way of training (default: MetaIQA)")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (default: 0)")
    parser.add_argument("--name", help="name of the prior (default: that of the run folder)")
    parser.add_argument("--licence", default="not stated", help="terms of the weights and of the data behind them")
    add_prior_arguments(parser)
    add_new_parts_arguments(parser)


def read_configuration(arguments: argparse.Namespace) -> PriorConfig:
    """Return the experiment's configuration."""
    return PriorConfig(
        read_meta_config(arguments),
        read_baseline_rates(arguments),
        method=arguments.method,
        seed=arguments.seed,
        preset=arguments.preset,
        name=arguments.name or "",
        licence=arguments.licence,
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, alone or among the processes that torchrun started, and write the prior with its card."""
    databases, config, origin = chosen_databases(arguments), read_configuration(arguments), read_origin(arguments)
    with join_processes(origin.device) as processes:
        work = learn_prior(databases, origin, config, read_run_folder(arguments), processes)
        prior = finish(work) if processes.rank else finish_with_bar(work)
    if prior.file:
        say(f"wrote {prior.file} and its card")
    return 0
