"""The options by which commands name a database of rated photos."""

import argparse
from pathlib import Path

from metaiqa_core.databases import reading
from metaiqa_core.databases.catalogue import OFFICIAL
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import DatabaseError


def add_database_arguments(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Declare --database, --images and --mos-range; `several` databases may be named where that makes sense."""
    parser.add_argument(
        "--database",
        required=True,
        type=Path,
        nargs="+" if several else None,
        metavar="DIR|CSV",
        help="folder of a published database, or a CSV file with the columns image and mos, or its folder",
    )
    add_layout_arguments(parser)


def add_layout_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --images and --mos-range."""
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of the images, if they lie elsewhere")
    parser.add_argument(
        "--mos-range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="scale of a CSV file's scores (default: that of its database.json, or else 0 100)",
    )


def chosen_database(arguments: argparse.Namespace) -> Database:
    """Read the database that the options name.

    Raises:
        DatabaseError: If the database is missing or wrong.
    """
    return reading.read_database(arguments.database, images=arguments.images, mos_range=chosen_range(arguments))


def score_files(path: Path) -> list[Path]:
    """Return the files that hold or may hold the scores of a database, which no output may overwrite.

    Args:
        path: CSV file, or folder of a database.
    """
    if not path.is_dir():
        return [path, path.with_name("database.json")]
    tables = "scores.csv" if (path / "scores.csv").is_file() else "*.csv"
    patterns = ["database.json", tables, *(pattern for official in OFFICIAL for pattern in official.score_files)]
    return [file for pattern in patterns for file in path.glob(pattern)]


def chosen_databases(arguments: argparse.Namespace) -> list[Database]:
    """Read all the databases that the options name; --images and --mos-range go with a single one.

    Raises:
        DatabaseError: If one is missing or wrong, two have the same name, or an option fits several.
    """
    if len(arguments.database) > 1 and (arguments.images or arguments.mos_range):
        raise DatabaseError(
            f"--images and --mos-range belong to one database, and {len(arguments.database)} were named: put a "
            "database.json with the scale beside each CSV file instead."
        )
    return reading.read_databases(arguments.database, images=arguments.images, mos_range=chosen_range(arguments))


def chosen_range(arguments: argparse.Namespace) -> tuple[float, float] | None:
    """Return the scale that --mos-range names, if any."""
    return tuple(arguments.mos_range) if arguments.mos_range else None
