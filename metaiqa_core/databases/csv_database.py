"""Anyone's own database: a CSV file with the columns `image` and `mos`."""

import csv
import math
from pathlib import Path

from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.errors import DatabaseError

_OPTIONAL_COLUMNS = ("reference", "type", "level")


def read_csv_database(
    path: Path, *, images: Path | None = None, mos_range: tuple[float, float] | None = None
) -> Database:
    """Read a CSV database.

    Args:
        path: CSV file with a header; columns `image` (file name, relative to `images`) and `mos` (higher is better),
            and optionally `reference`, `type` and `level`. Other columns are ignored.
        images: Folder of the image files; by default the CSV file's folder, or `images/` in it.
        mos_range: Lowest and highest possible score; by default 0 to 100.

    Returns:
        The database, named after the file.

    Raises:
        DatabaseError: If the file, a column, a score or an image file is missing or wrong; the message names the line.
    """
    low, high = mos_range or (0.0, 100.0)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise DatabaseError(f"The score range must be LOW HIGH with LOW below HIGH, got {low:g} {high:g}.")
    folders = [images] if images else [path.parent, path.parent / "images"]
    rows = _read_rows(path)
    rated = []
    for line, row in rows:
        raw_score = _score(row.get("mos"), low, high, path, line)
        rated.append(
            RatedImage(
                path=_image_file(row.get("image"), folders, path, line),
                unit_score=(raw_score - low) / (high - low),
                raw_score=raw_score,
                reference=row.get("reference") or None,
                distortion_type=row.get("type") or None,
                level=_level(row.get("level"), path, line),
            )
        )
    highest = max(image.raw_score for image in rated)
    if mos_range is None and len(rated) > 1 and highest <= 10:
        lowest = min(image.raw_score for image in rated)
        raise DatabaseError(
            f"All scores of {path.name} lie between {lowest:g} and {highest:g}, which is no 0-100 scale: "
            "name theirs, for instance --mos-range 1 5."
        )
    return Database(path.stem, tuple(rated), (low, high))


def _read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = [(reader.line_num, row) for row in reader]
            columns = reader.fieldnames or []
    except FileNotFoundError as error:
        raise DatabaseError(f"There is no file {path}; a CSV database has the columns image and mos.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatabaseError(f"{path.name} cannot be read as a CSV file: {error}.") from error
    missing = [column for column in ("image", "mos") if column not in columns]
    if missing:
        raise DatabaseError(
            f"{path.name} has no column {missing[0]!r}: expected a header line with image and mos, "
            f"found {', '.join(columns[:8]) or 'an empty file'}."
        )
    if not rows:
        raise DatabaseError(f"{path.name} has a header but no images.")
    return rows


def _score(text: str | None, low: float, high: float, path: Path, line: int) -> float:
    try:
        score = float(text or "")
    except ValueError as error:
        raise DatabaseError(f"{path.name}, line {line}: mos must be a number, got {text!r}.") from error
    if not low <= score <= high:  # also refuses NaN
        raise DatabaseError(
            f"{path.name}, line {line}: mos {score:g} lies outside {low:g} to {high:g}; "
            "name the scale with --mos-range LOW HIGH."
        )
    return score


def _level(text: str | None, path: Path, line: int) -> int | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise DatabaseError(f"{path.name}, line {line}: level must be a whole number, got {text!r}.") from error


def _image_file(name: str | None, folders: list[Path], path: Path, line: int) -> Path:
    if not name:
        raise DatabaseError(f"{path.name}, line {line}: the image name is empty.")
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise DatabaseError(
        f"{path.name}, line {line}: there is no image {name} in {folders[0]}; "
        "name the folder of the images with --images."
    )
