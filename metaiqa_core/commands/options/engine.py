"""The option by which commands name the engine that scores."""

import argparse

from metaiqa_core.engine import ENGINES


def add_engine_argument(parser: argparse.ArgumentParser) -> None:
    """Declare --engine."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        help="engine that runs the network: onnx (ONNX Runtime, about twice as fast), torch, or auto, which is onnx "
        "where it can run (default: the variable METAIQA_ENGINE, or auto)",
    )
