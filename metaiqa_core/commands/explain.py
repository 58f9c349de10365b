"""Show where in a photo its score comes from: a map over the photo, or the numbers behind it."""

import argparse
from pathlib import Path

from metaiqa_core.commands.output import require_folder
from metaiqa_core.explain.methods import METHODS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("photo", metavar="PHOTO", help="photo to explain")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--method", default="saliency", metavar="NAME", help=f"method of the map: one of {', '.join(METHODS)}"
    )
    choice.add_argument(
        "--methods",
        metavar="A,B,C",
        help="several methods, or `all`: writes a .png and a .npz of each, and maps.json, into a folder",
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="a .png or .npz file; a folder for several methods"
    )
    parser.add_argument(
        "--model", default="default", metavar="NAME|FILE", help="name or file of the model (default: %(default)s)"
    )
    parser.add_argument(
        "--opacity", type=float, default=0.6, help="opacity of the map over the photo, 0 to 1 (default: %(default)s)"
    )
    reading = parser.add_mutually_exclusive_group()
    reading.add_argument(
        "--signed",
        dest="mode",
        action="store_const",
        const="signed",
        help="colour what lowers the score against what raises it",
    )
    reading.add_argument(
        "--magnitude", dest="mode", action="store_const", const="magnitude", help="colour by strength alone"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of SmoothGrad's noise and of the evidence (default: %(default)s)"
    )
    parser.add_argument("--evidence", action="store_true", help="also check the map, which takes far longer")


def run(arguments: argparse.Namespace) -> int:
    """Compute the maps, write them, and print their description as JSON."""
    if arguments.methods is not None:
        require_folder(arguments.output, "--output")
    # Captum would make every other command start later too.
    from metaiqa_core.commands.explain_photo import explain_photo

    return explain_photo(arguments)
