"""Score photos: a number from 0 to 100, its word, its interval and its percentile."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from metaiqa_core import __version__
from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import ROW_FIELDS, row_of
from metaiqa_core.commands.options.engine import add_engine_argument
from metaiqa_core.commands.options.photo_choice import add_photo_argument, find_photos
from metaiqa_core.commands.output import photo_bar, say
from metaiqa_core.commands.score_output import score_to_file, score_to_stream
from metaiqa_core.commands.score_sidecars import SidecarWriter, add_sidecar_arguments
from metaiqa_core.commands.streaming import csv_pieces, json_pieces, table_pieces
from metaiqa_core.errors import OutputError
from metaiqa_core.files import check_output, is_stream
from metaiqa_core.foreign_text import about_file, path_text
from metaiqa_core.models.model_files import find_model
from metaiqa_core.sorting.sidecars import SidecarNames


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_photo_argument(parser)
    parser.add_argument(
        "--model", default="default", metavar="NAME|FILE", help="name or file of the model (default: %(default)s)"
    )
    add_engine_argument(parser)
    parser.add_argument("--full-size", action="store_true", help="also score each photo zoomed in, tile by tile")
    parser.add_argument(
        "--format", choices=("table", "csv", "json"), default="table", help="format of the output (default: table)"
    )
    add_sidecar_arguments(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="file to write instead of the terminal")
    parser.add_argument(
        "--resume", action="store_true", help="continue an --output that was interrupted, from its finished rows"
    )


def run(arguments: argparse.Namespace) -> int:
    """Score every photo; those that fail become rows with their reason, and the status 1."""
    output = arguments.output
    to_file = output is not None and not is_stream(output)
    if arguments.resume and not to_file:
        raise OutputError("--resume goes on with the rows of an --output that is a file: name it.")
    if to_file:
        check_output(output)
    choice = find_photos(arguments.photos)
    for remark in choice.remarks():
        say(remark)
    model = find_model(arguments.model)
    if output is not None:
        check_output(output, (*choice.files, model, model.with_suffix(".json")))
    assessor = Assessor.load(arguments.model, engine=arguments.engine)
    if assessor.engine.remark:
        say(assessor.engine.remark)

    sidecars = SidecarWriter(SidecarNames(arguments.xmp_names), replace=arguments.replace_stars)

    def scored(files: Sequence[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
        rows = _scored(assessor, files, arguments, total=len(choice.files))
        return sidecars.beside(rows) if arguments.write_xmp else rows

    pieces = partial(_PIECES[arguments.format], arguments.full_size)
    if to_file:
        settings = {
            "model": assessor.card.name,
            "model_sha256": assessor.card.sha256,
            "full_size": arguments.full_size,
            "engine": assessor.engine.name,
            "version": __version__,
        }
        if arguments.write_xmp:  # rows of a run without sidecars would be taken as having theirs
            settings["write_xmp"] = arguments.xmp_names
        status = score_to_file(scored, choice.files, output, pieces, settings=settings, resume=arguments.resume)
    else:
        status = score_to_stream(scored, choice.files, output, pieces, as_utf8=arguments.format == "csv")
    for remark in sidecars.remarks():
        say(remark)
    return status or (0 if choice.is_complete and not sidecars.problems else 1)


def _scored(
    assessor: Assessor, files: Sequence[Path], arguments: argparse.Namespace, *, total: int
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Score photos one after another, with a progress bar unless the rows go to the same terminal."""
    rows_are_seen = arguments.output is None and sys.stdout is not None and sys.stdout.isatty()
    with photo_bar(total, done=total - len(files), hidden=total < 2 or rows_are_seen) as count:
        outcomes = assessor.assess_many(files, at_full_size=arguments.full_size)
        for file, outcome in zip(files, outcomes, strict=True):
            yield file, row_of(path_text(file), outcome, assessor.card.name)
            count()


def _csv(full_size: bool, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    return csv_pieces(rows, ROW_FIELDS)


def _json(full_size: bool, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    return json_pieces(rows)


def _table(full_size: bool, rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    header = ["score", "90 % interval", "word", "percentile", *(["zoomed in"] if full_size else []), "file"]
    widths = [5, 13, 9, 10, *([9] if full_size else []), 0]  # of the header and of the longest cell, "Excellent"
    return table_pieces((_cells(row, full_size) for row in rows), header, widths)


def _cells(row: dict[str, Any], full_size: bool) -> list[str]:
    if row["error"]:
        return ["-", "", "error", "", *([""] if full_size else []), about_file(row["file"], row["error"])]
    interval = "" if row["interval_low"] is None else f"{row['interval_low']:.0f} to {row['interval_high']:.0f}"
    percentile = "" if row["percentile"] is None else f"{row['percentile']:.0f} %"
    detail = [f"{row['score_at_full_size']:.1f}"] if full_size else []
    return [f"{row['score']:.1f}", interval, row["word"], percentile, *detail, row["file"]]


_PIECES = {"csv": _csv, "json": _json, "table": _table}
