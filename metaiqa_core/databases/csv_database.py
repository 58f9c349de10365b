"""Anyone's own database: a CSV file with the columns `image` and `mos`.

A `database.json` beside it, as `synthesize` writes it, gives the name and the scale of the database, and may say with
`"series": true` that its photos come in series of one scene.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

from metaiqa_core.databases.csv_rows import read_csv_rows
from metaiqa_core.databases.score_sheet import ScoreRow, ScoreSheet
from metaiqa_core.errors import DatabaseError
from metaiqa_core.foreign_text import name_text


def read_csv_sheet(
    path: Path, *, images: Path | None = None, mos_range: tuple[float, float] | None = None
) -> ScoreSheet:
    """Read the rows of a CSV database.

    Args:
        path: CSV file with a header; columns `image` (file name, relative to `images`) and `mos` (higher is better),
            and optionally `reference`, `type`, `level` and `subset`. Other columns are ignored.
        images: Folder of the image files; by default the CSV file's folder, or `images/` in it.
        mos_range: Lowest and highest possible score; by default that of `database.json`, or else 0 to 100.

    Raises:
        DatabaseError: If the file is missing or no such file, or the scale is none or evidently another one.
    """
    description = _read_description(path.parent / "database.json")
    described_range = description.get("raw_range")
    raw_range = checked_range(mos_range or described_range or (0.0, 100.0))
    rows = [
        ScoreRow(
            place=place,
            image=_image_name(cells["image"], place),
            score=cells["mos"],
            reference=_text(cells.get("reference")),
            distortion_type=_text(cells.get("type")),
            level=_level(_text(cells.get("level")), place),
            subset=_text(cells.get("subset")),
        )
        for place, cells in read_csv_rows(path, ("image", "mos"), "a CSV database")
    ]
    if mos_range is None and described_range is None:
        _refuse_small_scale(rows, path)
    return ScoreSheet(
        name=description.get("name") or name_text(path.stem),
        column="mos",
        raw_range=raw_range,
        folders=(images,) if images else (path.parent, path.parent / "images"),
        rows=tuple(rows),
        range_advice="name the scale with --mos-range LOW HIGH",
        images_advice="name the folder of the images with --images",
        series=description.get("series", False),
    )


def _read_description(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: neither text nor JSON
        raise DatabaseError(f"{path} cannot be read: {error}; make it anew or delete it.") from error
    name = description.get("name") if isinstance(description, dict) else None
    if not isinstance(name, str) or not name:
        raise DatabaseError(f"{path} must hold an object with the database's name, such as {{'name': 'mine'}}.")
    if not isinstance(description.get("series", False), bool):
        raise DatabaseError(f"{path}: series must be true or false, got {description['series']!r}.")
    return description


def checked_range(value: Any) -> tuple[float, float]:
    """Return a score range as two floats, or raise a `DatabaseError` if it is none."""
    try:
        if isinstance(value, str | bytes):  # whose characters would be taken for the ends
            raise TypeError
        low, high = map(float, value)
    except (TypeError, ValueError, OverflowError) as error:
        raise DatabaseError(f"The score range must be two numbers, got {value!r}.") from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise DatabaseError(f"The score range must be LOW HIGH with LOW below HIGH, got {low:g} {high:g}.")
    return low, high


def _refuse_small_scale(rows: list[ScoreRow], path: Path) -> None:
    """Refuse scores whose scale is not named and that are evidently not out of 100."""
    try:
        scores = [float(row.score or "") for row in rows]
    except ValueError:
        return  # the row that is no number is reported with its place
    if len(scores) > 1 and min(scores) >= 0 and max(scores) <= 10:
        raise DatabaseError(
            f"All scores of {path.name} lie between {min(scores):g} and {max(scores):g}, which is no 0-100 scale: "
            "name theirs, for instance --mos-range 1 5."
        )


def _image_name(text: str | None, place: str) -> str:
    if not text or not text.strip():
        raise DatabaseError(f"{place}: the image name is empty.")
    return text


def _text(cell: str | None) -> str | None:
    return (cell or "").strip() or None


def _level(text: str | None, place: str) -> int | None:
    if not text:
        return None
    if re.fullmatch(r"\+?[0-9]{1,3}", text, re.ASCII):
        return int(text)
    raise DatabaseError(f"{place}: level must be a whole number from 0 to 999, got {text[:40]!r}.")
