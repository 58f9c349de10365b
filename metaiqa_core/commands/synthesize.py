"""Make a database of distorted photos, labelled with people's opinion scores of such distortions."""

import argparse
import os
import re
from pathlib import Path

from humanize import naturalsize

from metaiqa_core.commands.output import finish_with_bar, require_folder, say
from metaiqa_core.distortions import LEVELS, find_distortion
from metaiqa_core.errors import DatabaseError
from metaiqa_core.synthesis import NAMES, SynthesisConfig, disk_need, find_photos, select_references, synthesise
from metaiqa_core.synthesis.configuration import FULL_SIZE
from metaiqa_core.synthesis.labels import LabelSource


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--like",
        required=True,
        choices=tuple(NAMES),
        help="database to imitate: kadid10k with any photos, tid2013 with the Kodak suite",
    )
    parser.add_argument(
        "--photos", required=True, type=Path, nargs="+", metavar="DIR", help="folders of pristine photos"
    )
    parser.add_argument(
        "--output",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder of the database: a new one, or one to continue",
    )
    parser.add_argument(
        "--scores",
        type=Path,
        metavar="FILE",
        help="TID2013's mos_with_names.txt, to label each image with its own score",
    )
    parser.add_argument(
        "--labels",
        choices=("means", "refined"),
        help="labels without --scores: the published means of type and level, or these refined by how visible the "
        "damage is in a photo (default: refined for kadid10k, means for tid2013)",
    )
    parser.add_argument(
        "--most", type=int, metavar="N", help="number of photos to use from each folder, evenly spread (default: all)"
    )
    parser.add_argument(
        "--types", nargs="+", default=(), metavar="TYPE", help="distortion types, such as GB or 01 (default: all)"
    )
    parser.add_argument(
        "--levels",
        nargs="+",
        type=int,
        default=LEVELS,
        choices=LEVELS,
        metavar="LEVEL",
        help="levels, 1 to 5 (default: all)",
    )
    parser.add_argument(
        "--size", type=_size, default=FULL_SIZE, metavar="WxH", help="size of the images, pixels (default: 512x384)"
    )
    parser.add_argument(
        "--smallest-size",
        type=_size,
        metavar="WxH",
        help="smallest size of the images of photos that do not fill --size",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the random draws; the same seed gives the same bytes (default: 0)"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="number of processes (default: one for each core)",
    )


def read_configuration(arguments: argparse.Namespace) -> SynthesisConfig:
    """Return the configuration that the options name.

    Raises:
        DatabaseError: If two options do not go together, or one is out of range.
    """
    if arguments.scores and arguments.labels:
        raise DatabaseError("--scores brings people's own labels: leave --labels out.")
    if arguments.workers < 1:
        raise DatabaseError(f"--workers must be 1 or more, got {arguments.workers}.")
    return SynthesisConfig(
        like=arguments.like,
        seed=arguments.seed,
        types=tuple(
            find_distortion(name if ":" in name else f"{arguments.like}:{name}").key for name in arguments.types
        ),
        levels=tuple(sorted(set(arguments.levels))),
        size=arguments.size,
        smallest_size=arguments.smallest_size or arguments.size,
    )


def run(arguments: argparse.Namespace) -> int:
    """Check the photos, tell the space that is needed, then make the images; return 1 if photos were refused."""
    require_folder(arguments.output, "--output")
    config = read_configuration(arguments)
    photos = [photo for folder in arguments.photos for photo in _spread(find_photos([folder]), arguments.most)]
    selection = finish_with_bar(select_references(photos, config))
    for reason in selection.refused.values():
        say(f"refused: {reason}")
    images = len(selection.references) * len(config.types) * len(config.levels)
    need = disk_need(config, selection, arguments.output)
    say(
        f"{config.name}: {len(selection.references)} references x {len(config.types)} types x {len(config.levels)} "
        f"levels = {images:,} images; about {naturalsize(need)} are still to be written"
    )
    work = synthesise(
        config,
        selection,
        arguments.output,
        labels=_labels(arguments),
        scores=arguments.scores,
        workers=arguments.workers,
    )
    done = finish_with_bar(work)
    say(f"{done.images:,} images in {done.folder}, {done.made:,} of them made now")
    return 1 if selection.refused else 0


def _labels(arguments: argparse.Namespace) -> LabelSource:
    if arguments.scores:
        return "people"
    return arguments.labels or ("refined" if arguments.like == "kadid10k" else "means")


def _spread(photos: list[Path], most: int | None) -> list[Path]:
    if most is None or most >= len(photos):
        return photos
    if most < 1:
        raise DatabaseError(f"--most must be 1 or more, got {most}.")
    return [photos[index * len(photos) // most] for index in range(most)]


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT such as 512x384, got {text!r}")
    return int(match[1]), int(match[2])
