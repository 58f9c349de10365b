"""The options by which commands name a database of rated photos."""

import argparse
from pathlib import Path

from metaiqa_core.databases.csv_database import read_csv_database
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import DatabaseError


def add_database_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare --database, --images and --mos-range."""
    parser.add_argument(
        "--database", required=True, type=Path, metavar="DIR|CSV", help="a CSV file with image and mos, or its folder"
    )
    parser.add_argument("--images", type=Path, metavar="DIR", help="folder of the images, if not beside the CSV file")
    parser.add_argument(
        "--mos-range", type=float, nargs=2, metavar=("LOW", "HIGH"), help="scale of the scores (default: 0 100)"
    )


def read_database(arguments: argparse.Namespace) -> Database:
    """Read the database that the options name.

    Raises:
        DatabaseError: If it is missing or wrong.
    """
    path = arguments.database
    if path.is_dir():
        files = sorted(path.glob("*.csv"))
        if len(files) != 1:
            raise DatabaseError(
                f"The folder {path} holds {len(files) or 'no'} CSV files: name the one with the columns image and mos."
            )
        path = files[0]
    mos_range = tuple(arguments.mos_range) if arguments.mos_range else None
    return read_csv_database(path, images=arguments.images, mos_range=mos_range)
