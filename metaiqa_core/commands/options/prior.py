"""The options by which commands say how a prior is trained."""

import argparse

from metaiqa_core.commands.options.configuration import add_options, chosen
from metaiqa_core.commands.options.start import add_start_arguments
from metaiqa_core.experiments.prior_recipe import BaselineRates
from metaiqa_core.training.meta_configuration import META_PRESETS, MetaConfig


def add_prior_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the start, the preset, the configuration and Baseline's rates."""
    add_start_arguments(parser, default="backbone")
    parser.add_argument("--preset", choices=tuple(META_PRESETS), default="recommended")
    baseline = parser.add_argument_group("Baseline (Section 4.6), which shares all else, and the image passes")
    baseline.add_argument("--baseline-learning-rate", type=float, metavar="FLOAT", help="(default: the inner rate)")
    baseline.add_argument("--baseline-head-learning-rate", type=float, metavar="FLOAT", help="(default: the head's)")
    baseline.add_argument(
        "--baseline-batch-size",
        type=int,
        metavar="INT",
        help="images in a step (default: so many that Baseline takes as many Adam steps as meta-training)",
    )
    add_options(parser, MetaConfig, skip=("seed",))


def read_meta_config(arguments: argparse.Namespace) -> MetaConfig:
    """Return the preset with what the options change."""
    return chosen(META_PRESETS[arguments.preset], arguments)


def read_baseline_rates(arguments: argparse.Namespace) -> BaselineRates:
    """Return what Baseline has of its own."""
    return BaselineRates(
        arguments.baseline_learning_rate, arguments.baseline_head_learning_rate, arguments.baseline_batch_size
    )
