"""Say what is wrong with photos: a word for the defect, how strong it is, and how sure that is."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from metaiqa_core.assess import Assessor
from metaiqa_core.commands.options.engine import add_engine_argument
from metaiqa_core.commands.options.photo_choice import add_photo_argument, find_photos
from metaiqa_core.commands.output import photo_bar, say
from metaiqa_core.commands.score_output import score_to_stream
from metaiqa_core.commands.streaming import csv_pieces, json_pieces, table_pieces
from metaiqa_core.diagnosis import ROW_FIELDS, Diagnosis, failed_row
from metaiqa_core.errors import MetaIQAError
from metaiqa_core.foreign_text import about_file, path_text
from metaiqa_core.models.model_files import DEFAULT_GRAPH_MODEL

CANNOT_TELL = "cannot tell"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_photo_argument(parser)
    parser.add_argument(
        "--model",
        default=DEFAULT_GRAPH_MODEL,
        metavar="NAME|FILE",
        help="name or file of a model that names defects (default: %(default)s)",
    )
    add_engine_argument(parser)
    parser.add_argument(
        "--format", choices=("table", "csv", "json"), default="table", help="format of the output (default: table)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Diagnose every photo; those that fail become rows with their reason, and the status 1."""
    choice = find_photos(arguments.photos)
    for remark in choice.remarks():
        say(remark)
    assessor = Assessor.load(arguments.model, engine=arguments.engine)
    if assessor.engine.remark:
        say(assessor.engine.remark)

    def diagnosed(files: Sequence[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
        return _diagnosed(assessor, files)

    pieces = _PIECES[arguments.format]
    status = score_to_stream(diagnosed, choice.files, None, pieces, as_utf8=arguments.format == "csv")
    return status or (0 if choice.is_complete else 1)


def _diagnosed(assessor: Assessor, files: Sequence[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Diagnose photos one after another, with a progress bar unless the rows go to the same terminal."""
    hidden = len(files) < 2 or sys.stdout is None or sys.stdout.isatty()
    with photo_bar(len(files), hidden=hidden) as count:
        for file, outcome in zip(files, assessor.diagnose_many(files), strict=True):
            yield file, _row(file, outcome)
            count()


def _row(file: Path, outcome: Diagnosis | MetaIQAError) -> dict[str, Any]:
    """Return the row of a diagnosis or of a failure, numbers with four decimals."""
    name = path_text(file)
    row = failed_row(name, str(outcome)) if isinstance(outcome, MetaIQAError) else outcome.to_row(name)
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}


def _csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    return csv_pieces(rows, ROW_FIELDS)


def _table(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    header = ["found", "sure", "level of 5", "90 % interval", "file"]
    return table_pieces(map(_cells, rows), header, [20, 5, 10, 13, 0])  # of the longest cell, "compressed (smeared)"


def _cells(row: dict[str, Any]) -> list[str]:
    if row["error"]:
        return ["error", "", "", "", about_file(row["file"], row["error"])]
    word = row["word"] or CANNOT_TELL
    sure = "" if row["word"] is None else f"{row['probability'] * 100:.0f} %"
    level = "" if row["level"] is None else f"{row['level']:.1f}"
    interval = "" if row["level"] is None else f"{row['level_low']:.1f} to {row['level_high']:.1f}"
    return [word, sure, level, interval, row["file"]]


_PIECES = {"csv": _csv, "json": json_pieces, "table": _table}
