"""Ratings as a CSV file: `image` and `stars` for stars, `better` and `worse` for choices between two photos."""

import csv
import io
from pathlib import Path

from metaiqa_core.errors import TasteError
from metaiqa_core.foreign_text import csv_text, text_from_csv
from metaiqa_core.taste.ratings import MOST_STARS, Choice, Rating, Ratings, Star

COLUMNS = ("image", "stars", "better", "worse")
_MAXIMUM_BYTES = 2**20
_EXPECTED = "the columns image and stars, or better and worse, or all four"


def to_csv_text(ratings: Ratings) -> str:
    r"""Return ratings as CSV, one a line, in the order in which they were given; replaced ones are left out.

    >>> to_csv_text(Ratings.of([Star("a.jpg", 4), Choice("a.jpg", "b.jpg")]))
    'image,stars,better,worse\r\na.jpg,4,,\r\n,,a.jpg,b.jpg\r\n'
    """
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for photo, stars in ratings.stars.items():
        writer.writerow((csv_text(photo), stars, "", ""))
    for choice in ratings.choices:
        writer.writerow(("", "", csv_text(choice.better), csv_text(choice.worse)))
    return lines.getvalue()


def from_csv_text(text: str, source: str) -> Ratings:
    """Return the ratings that CSV holds; columns of other names are ignored.

    Args:
        text: Content of the file.
        source: Name of the file, for messages.

    Raises:
        TasteError: If it is no such file, or a line says nothing or something impossible.
    """
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
        names = [name.strip() for name in reader.fieldnames or []]
        reader.fieldnames = names
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise TasteError(f"{source} cannot be read as a CSV file: {error}.") from error
    if not ({"image", "stars"} <= set(names) or {"better", "worse"} <= set(names)):
        found = ", ".join(names[:6]) or "an empty file"
        raise TasteError(f"{source} holds no ratings: expected a header line with {_EXPECTED}, found {found}.")
    return Ratings.of(_rating(row, f"{source}, line {line}") for line, row in rows)


def read_ratings(path: Path) -> Ratings:
    """Read a CSV file of ratings.

    Raises:
        TasteError: If it cannot be read, or is none.
    """
    try:
        if path.stat().st_size > _MAXIMUM_BYTES:
            raise TasteError(f"{path.name} is too large for a file of ratings: expected at most 1 MiB.")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise TasteError(f"There is no file {path}: expected a CSV file with {_EXPECTED}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise TasteError(f"{path.name} cannot be read as a CSV file: {error}.") from error
    return from_csv_text(text, path.name)


def _rating(row: dict[str, str | None], place: str) -> Rating:
    """Return the rating of a line."""
    cells = {name: text_from_csv((row.get(name) or "").strip()) for name in COLUMNS}
    if cells["better"] or cells["worse"]:
        if not (cells["better"] and cells["worse"]) or cells["better"] == cells["worse"]:
            raise TasteError(f"{place}: a choice needs two different photos, one under better and one under worse.")
        return Choice(cells["better"], cells["worse"])
    if not cells["image"]:
        raise TasteError(f"{place}: no photo is named under image.")
    stars = cells["stars"]
    if stars not in map(str, range(1, MOST_STARS + 1)):
        raise TasteError(f"{place}: stars must be a whole number from 1 to {MOST_STARS}, got {stars!r:.40}.")
    return Star(cells["image"], int(stars))
