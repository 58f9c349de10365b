"""Reading of databases: `read_database` recognises what a folder or a CSV file holds, and reads it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from metaiqa_core.databases.catalogue import OFFICIAL, find_official, recognise
from metaiqa_core.databases.csv_database import checked_range, read_csv_sheet
from metaiqa_core.databases.official_database import OfficialDatabase
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.databases.score_sheet import ScoreSheet, to_database
from metaiqa_core.errors import DatabaseError

CSV = "csv"
"""Name of a database that is a CSV file, or a folder with one."""


def read_database(
    path: Path,
    name: str | None = None,
    *,
    images: Path | None = None,
    mos_range: tuple[float, float] | None = None,
) -> Database:
    """Read a database of rated photos.

    Args:
        path: Folder with one of the published databases in its official layout, a folder with `scores.csv` or one
            other CSV file, or a CSV file with the columns image and mos.
        name: Expected database: the name of a published database, or `csv`; by default any that is recognised.
        images: Folder of the image files, if they lie elsewhere.
        mos_range: Scale of a CSV database's scores; the published ones have their own.

    Returns:
        The database: scores in [0, 1], higher is better, in the order of the score file.

    Raises:
        DatabaseError: If no database is recognised, or a score or an image is missing or wrong.
    """
    return to_database(read_sheet(path, name, images=images, mos_range=mos_range))


def read_databases(
    paths: Sequence[Path], *, images: Path | None = None, mos_range: tuple[float, float] | None = None
) -> list[Database]:
    """Read several databases to learn from together; the options are those of `read_database`.

    Raises:
        DatabaseError: If one cannot be read, or two have the same name.
    """
    databases = [read_database(path, images=images, mos_range=mos_range) for path in paths]
    names = [database.name for database in databases]
    if len(set(names)) < len(names):
        raise DatabaseError(f"Two databases have the same name, got {', '.join(names)}: name each of them once.")
    return databases


def read_sheet(
    path: Path,
    name: str | None = None,
    *,
    images: Path | None = None,
    mos_range: tuple[float, float] | None = None,
) -> ScoreSheet:
    """Read the score file of a database and judge none of its rows; the arguments are those of `read_database`.

    Raises:
        DatabaseError: If no database is recognised, or the score file cannot be read.
    """
    if not path.exists():
        raise DatabaseError(f"There is no folder or file {path}: expected a database of rated photos.")
    official, found = _recognise(path, name)
    refuse_wrong_options(official, images, mos_range)
    if official is None:
        return read_csv_sheet(found, images=images, mos_range=mos_range)
    sheet = official.read_sheet(found)
    return replace(sheet, folders=(images,)) if images else sheet


def refuse_wrong_options(
    official: OfficialDatabase | None, images: Path | None, mos_range: tuple[float, float] | None
) -> None:
    """Raise a `DatabaseError` if --images or --mos-range makes no sense; `official` is None for a CSV database."""
    if images and not images.is_dir():
        raise DatabaseError(f"There is no folder {images}: --images names the folder of the image files.")
    if mos_range and official:
        raise DatabaseError(f"{official.name} has its own scale: leave --mos-range out.")
    if mos_range:
        checked_range(mos_range)


def _recognise(path: Path, name: str | None) -> tuple[OfficialDatabase | None, Path]:
    """Return the published database and its folder, or None and the CSV file to read."""
    if name and name.casefold() != CSV:
        official = find_official(name)
        if folder := official.locate(path) if path.is_dir() else None:
            return official, folder
        raise DatabaseError(
            f"{path} does not hold {official.name}: expected {official.layout}. "
            f"This program downloads no database: ask for it at {official.where}."
        )
    if not path.is_dir():
        return None, path
    if (path / "scores.csv").is_file():
        return None, path / "scores.csv"
    tables = sorted(path.glob("*.csv"))
    if not name:
        # A score file here outranks a lone CSV file, which outranks a database in a folder of this folder.
        here = recognise(lambda official: path if official.is_in(path) else None)
        if found := here or (None if len(tables) == 1 else recognise(lambda official: official.locate(path))):
            return found
    if len(tables) == 1:
        return None, tables[0]
    if tables:
        raise DatabaseError(f"The folder {path} holds {len(tables)} CSV files: name the one with image and mos.")
    sought = "; ".join(f"{official.score_files[0]} ({official.name})" for official in OFFICIAL)
    raise DatabaseError(f"The folder {path} holds no database: looked for scores.csv or one other CSV file; {sought}.")
