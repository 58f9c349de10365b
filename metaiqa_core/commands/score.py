"""Score photos: a number from 0 to 100, its word, its interval and its percentile."""

import argparse
import glob
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from metaiqa_core.assess import Assessor
from metaiqa_core.assessment import ROW_FIELDS, Assessment, failed_row
from metaiqa_core.commands.output import as_csv, as_json, as_table, write
from metaiqa_core.errors import MetaIQAError, PhotoError
from metaiqa_core.images import READABLE_SUFFIXES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="a photo, a folder of photos, or a quoted glob")
    parser.add_argument("--model", default="default", metavar="NAME|FILE", help="which model (default: %(default)s)")
    parser.add_argument("--full-size", action="store_true", help="also read the photo at 100 %%, tile by tile")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to the terminal")


def run(arguments: argparse.Namespace) -> int:
    """Score every photo; those that fail become rows with their reason, and the status 1."""
    files = find_photos(arguments.photos)
    assessor = Assessor.load(arguments.model)
    bar = tqdm(total=len(files), disable=len(files) < 2 or not sys.stderr.isatty(), unit="photo", leave=False)
    rows = []
    with bar:
        for file, outcome in zip(files, assessor.assess_many(files, at_full_size=arguments.full_size), strict=True):
            rows.append(_row(file, outcome, assessor.card.name))
            bar.update()
    text = {"json": as_json, "csv": lambda rows: as_csv(rows, ROW_FIELDS), "table": _table}[arguments.format](rows)
    write(text, arguments.output)
    return 1 if any(row["error"] for row in rows) else 0


def find_photos(names: list[str]) -> list[Path]:
    """Return the files that paths, folders and globs stand for: folders recursively, photos only, in order of name.

    Raises:
        PhotoError: If a folder or a glob holds no photo, or no file exists at all.
    """
    files: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if file.suffix.lower() in READABLE_SUFFIXES)
            if not found:
                raise PhotoError(f"The folder {name} holds no photo: expected files such as .jpg, .png or .heic.")
            files.extend(found)
        elif not path.exists() and glob.has_magic(name):
            matches = sorted(map(Path, glob.glob(name, recursive=True)))  # noqa: PTH207 - patterns may be absolute
            if not matches:
                raise PhotoError(f"Nothing matches {name}: check the folder and the pattern.")
            files.extend(match for match in matches if match.is_file())
        else:
            files.append(path)  # a missing file becomes a row with its reason, and the others are scored
    if not any(file.exists() for file in files):
        named = files[0].name if len(files) == 1 else f"{files[0].name} or any other of the {len(files)} photos"
        raise PhotoError(f"There is no file {named}: check the name and the folder.")
    return files


def _row(file: Path, outcome: Assessment | MetaIQAError, model: str) -> dict[str, Any]:
    """Return the row of an assessment or of a failure, numbers with four decimals."""
    row = failed_row(str(file), model, str(outcome)) if isinstance(outcome, MetaIQAError) else outcome.to_row(str(file))
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}


def _table(rows: list[dict[str, Any]]) -> str:
    full_size = any(row["score_at_full_size"] is not None for row in rows)
    header = ["score", "90 % interval", "word", "percentile", *(["at 100 %"] if full_size else []), "file"]
    lines = []
    for row in rows:
        if row["error"]:
            lines.append(["-", "", "error", "", *([""] if full_size else []), f"{row['file']}: {row['error']}"])
            continue
        interval = "" if row["interval_low"] is None else f"{row['interval_low']:.0f} to {row['interval_high']:.0f}"
        percentile = "" if row["percentile"] is None else f"{row['percentile']:.0f} %"
        detail = [f"{row['score_at_full_size']:.1f}"] if full_size else []
        lines.append([f"{row['score']:.1f}", interval, row["word"], percentile, *detail, row["file"]])
    return as_table(lines, header)
