"""Score a manifest or folders of any size, by this machine or a cluster of Ray, into Parquet files."""

import argparse
import os
import time
from pathlib import Path

from metaiqa_core.bulk import (
    BulkSummary,
    PhotoList,
    PhotoPaths,
    ScoreFolder,
    Scoring,
    open_manifest,
    part_size_for,
    score_in_bulk,
)
from metaiqa_core.bulk.photo_lists import digest_of
from metaiqa_core.bulk.ray_processes import LOCAL, ray_processes
from metaiqa_core.commands.options.engine import add_engine_argument
from metaiqa_core.commands.options.photo_choice import add_photo_argument, find_photos
from metaiqa_core.commands.output import finish_with_bar, require_folder, say
from metaiqa_core.durations import duration_in_words
from metaiqa_core.engine.stored_model import StoredModel
from metaiqa_core.errors import DatabaseError, PhotoError
from metaiqa_core.foreign_text import printable

_MILLION = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_photo_argument(parser, "*")
    parser.add_argument(
        "--manifest",
        type=Path,
        metavar="FILE",
        help="list of photos instead: a Parquet or CSV file, or a text file with one path a line; relative paths start "
        "from its folder",
    )
    parser.add_argument(
        "--column", metavar="NAME", help="column of the manifest with the paths (default: file, image or path)"
    )
    parser.add_argument(
        "--ray",
        default=LOCAL,
        metavar="ADDRESS",
        help="cluster of Ray, as auto, HOST:PORT or ray://HOST:PORT (default: local, this machine alone)",
    )
    parser.add_argument(
        "--workers", type=_positive, metavar="N", help="number of processes at most (default: one for each processor)"
    )
    parser.add_argument(
        "--model", default="default", metavar="NAME|FILE", help="name or file of the model (default: %(default)s)"
    )
    add_engine_argument(parser)
    parser.add_argument("--full-size", action="store_true", help="also score each photo zoomed in, tile by tile")
    parser.add_argument(
        "--part-size",
        type=_positive,
        metavar="N",
        help="number of photos in a file of the output (default: 1000, and fewer for a list of less than 256,000)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder of the Parquet files; one that was interrupted is gone on with",
    )


def run(arguments: argparse.Namespace) -> int:
    """Score every photo; those that fail become rows with their reason, and the status 1."""
    require_folder(arguments.output, "--output")
    photos, is_complete = _photos(arguments)
    total, digest = digest_of(photos)
    if not total:
        raise DatabaseError(f"The manifest {printable(str(arguments.manifest))} names no photo.")
    scoring = _scoring(arguments)
    settings = {
        "photos": total,
        "photos_sha256": digest,
        "model": scoring.model_name,
        "model_sha256": scoring.model_sha256,
        "engine": scoring.engine or "auto",
        "full_size": scoring.full_size,
        "version": scoring.version,
        "part_size": arguments.part_size,
    }
    begin = time.monotonic()
    folder = ScoreFolder(arguments.output, settings, part_size=part_size_for(total))
    with ray_processes(arguments.ray, arguments.workers) as processes:
        try:
            summary = finish_with_bar(score_in_bulk(photos, scoring, folder, processes, total=total))
        except KeyboardInterrupt:
            say("interrupted: finished parts are kept; start the same command again to go on from there")
            return 130
    say(_told(summary, time.monotonic() - begin))
    return 0 if is_complete and not summary.failed else 1


def _photos(arguments: argparse.Namespace) -> tuple[PhotoList, bool]:
    """Return the photos, and whether all folders could be read."""
    if bool(arguments.photos) == bool(arguments.manifest):
        raise PhotoError("Name photos and folders, or a list of them with --manifest, and not both.")
    if arguments.manifest:
        manifest = open_manifest(arguments.manifest, arguments.column)
        if arguments.ray == LOCAL:  # the machines of a cluster may have files that this one lacks
            manifest.refuse_without_files()
        return manifest, True
    if arguments.column:
        raise PhotoError("--column names a column of a manifest: name that with --manifest.")
    choice = find_photos(arguments.photos)
    for remark in choice.remarks():
        say(remark)
    return PhotoPaths(choice.files), choice.is_complete


def _scoring(arguments: argparse.Namespace) -> Scoring:
    model, stored = arguments.model, StoredModel(arguments.model)
    if os.path.lexists(model):  # other processes start in other folders
        model = os.path.abspath(model)  # noqa: PTH100 - resolve() would follow a link that another machine lacks
    return Scoring(model, stored.card.name, stored.card.sha256, arguments.engine, arguments.full_size)


def _told(summary: BulkSummary, seconds: float) -> str:
    scored = summary.photos - summary.finished_before
    if not scored:
        return f"All {summary.photos:,} photos are finished, {summary.failed:,} of them without a score."
    before = f" ({summary.finished_before:,} others were finished before)" if summary.finished_before else ""
    core_hours = summary.seconds / scored * _MILLION / 3600
    return (
        f"Scored {scored:,} photos in {duration_in_words(seconds)}{before}; {summary.failed:,} of "
        f"{summary.photos:,} have no score. That took {summary.seconds / scored:.3f} processor seconds a photo: "
        f"{core_hours:,.0f} core-hours per million."
    )


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < _MILLION):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {_MILLION - 1:,}, got {text!r:.80}")
    return int(text)
