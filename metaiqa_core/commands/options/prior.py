"""The options by which commands say how a prior is trained."""

import argparse

from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.start import add_start_arguments
from metaiqa_core.experiments.prior_recipe import BaselineRates
from metaiqa_core.training.meta_configuration import META_PRESETS, MetaConfig


def add_prior_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the start, the preset, the configuration and Baseline's rates."""
    add_start_arguments(parser, default="backbone")
    parser.add_argument(
        "--preset",
        choices=tuple(META_PRESETS),
        default="recommended",
        help="configuration whose values hold where no option is given (default: recommended)",
    )
    baseline = parser.add_argument_group("Baseline (Section 4.6), where it differs from meta-training")
    baseline.add_argument(
        "--baseline-learning-rate",
        type=float,
        metavar="FLOAT",
        help="learning rate of the backbone (default: the inner learning rate)",
    )
    baseline.add_argument(
        "--baseline-head-learning-rate",
        type=float,
        metavar="FLOAT",
        help="learning rate of the linear layers (default: the head learning rate)",
    )
    baseline.add_argument(
        "--baseline-batch-size",
        type=int,
        metavar="INT",
        help="images in a step (default: chosen so that Baseline takes as many Adam steps as meta-training)",
    )
    add_options(parser, MetaConfig, skip=("seed",))


def read_meta_config(arguments: argparse.Namespace) -> MetaConfig:
    """Return the preset with the fields that the options change."""
    return chosen(META_PRESETS[arguments.preset], arguments)


def read_baseline_rates(arguments: argparse.Namespace) -> BaselineRates:
    """Return the learning rates and the batch size of Baseline."""
    return BaselineRates(
        arguments.baseline_learning_rate, arguments.baseline_head_learning_rate, arguments.baseline_batch_size
    )
