"""Distort a photo as KADID-10k or TID2013 do, at one of five levels or at all of them."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from metaiqa_core.commands.output import as_table, finish_with_bar, say, write
from metaiqa_core.distortions import CATALOGUE, LEVELS, DistortionType, distort, find_distortion
from metaiqa_core.errors import DistortionError
from metaiqa_core.files import check_output, write_whole
from metaiqa_core.images import decode, png
from metaiqa_core.progress import Progress, Work

_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {"compression": 6}),
    ".tif": ("TIFF", {"compression": "tiff_lzw"}),
    ".tiff": ("TIFF", {"compression": "tiff_lzw"}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
}
"""Format and options of each suffix; JPEG at its best quality."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("photo", nargs="?", type=Path, metavar="PHOTO", help="photo to distort")
    parser.add_argument(
        "--type", metavar="DATABASE:NAME", help="distortion type, such as kadid10k:GB or tid2013:11; --list shows all"
    )
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument(
        "--level", type=int, choices=LEVELS, help="level of the distortion, from 1 (mild) to 5 (strong)"
    )
    how_much.add_argument(
        "--all-levels", action="store_true", help="write all five levels into the folder that --output names"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE|DIR", help="a .png, .tif or .jpg file to write; a folder with --all-levels"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the random draws (default: %(default)s)")
    parser.add_argument(
        "--stretch",
        action="store_true",
        help="stretch the photo's range before and after the distortion, as KADID-10k's generator does",
    )
    parser.add_argument("--list", action="store_true", help="list the 49 types and their levels, and do nothing else")


def run(arguments: argparse.Namespace) -> int:
    """List the types, or distort one photo at its full size."""
    if arguments.list:
        write(_catalogue(), None)
        return 0
    if missing := [name for name in ("photo", "type", "output") if getattr(arguments, name) is None]:
        names = ", ".join(name.upper() if name == "photo" else f"--{name}" for name in missing)
        raise DistortionError(f"To distort a photo, say also {names}; --list shows the types.")
    if arguments.level is None and not arguments.all_levels:
        raise DistortionError(f"Say how much: --level {LEVELS[0]} to {LEVELS[-1]}, or --all-levels.")
    entry = find_distortion(arguments.type)
    files = _files(arguments, entry)
    for file in files.values():
        check_output(file, [arguments.photo])
    finish_with_bar(_distort(arguments, entry, files))
    for file in files.values():
        say(f"wrote {file}")
    if any(_FORMATS[file.suffix.lower()][0] == "JPEG" for file in files.values()):
        say("JPEG adds a little damage of its own: write .png or .tif to keep every pixel.")
    return 0


def _distort(arguments: argparse.Namespace, entry: DistortionType, files: dict[int, Path]) -> Work[None]:
    pixels = decode(arguments.photo).pixels
    for number, (level, file) in enumerate(files.items(), start=1):
        _save(distort(pixels, entry, level, seed=arguments.seed, stretch=arguments.stretch), file)
        yield Progress(f"{entry.name}, level {level}", number, len(files))


def _files(arguments: argparse.Namespace, entry: DistortionType) -> dict[int, Path]:
    """Return the file of each level that is asked for."""
    if arguments.all_levels:
        if arguments.output.is_file():
            raise DistortionError(f"Expected a folder for the five levels, got the file {arguments.output}.")
        name = f"{arguments.photo.stem}-{entry.key.replace(':', '-')}"
        return {level: arguments.output / f"{name}-{level}.png" for level in LEVELS}
    if arguments.output.suffix.lower() not in _FORMATS:
        raise DistortionError(f"Expected an output that ends in {', '.join(_FORMATS)}, got {arguments.output.name}.")
    output, photo = arguments.output, arguments.photo
    if output.exists() and photo.exists() and output.samefile(photo):
        raise DistortionError(f"{output} is the photo itself: name another output, so that it is kept.")
    return {arguments.level: arguments.output}


def _save(pixels: np.ndarray, file: Path) -> None:
    format_name, options = _FORMATS[file.suffix.lower()]

    def encode(temporary: Path) -> None:
        if format_name == "PNG":
            temporary.write_bytes(png(pixels, **options))
        else:
            Image.fromarray(pixels).save(temporary, format_name, **options)

    write_whole(file, encode)


def _catalogue() -> str:
    rows = []
    for entry in CATALOGUE:
        levels = "  ".join(f"{value:g}" for value in entry.parameters)
        rows.append([entry.key, entry.name, entry.family, levels, entry.parameter_name])
    return as_table(rows, ["key", "name", "family", "levels 1 to 5", "parameter"])
