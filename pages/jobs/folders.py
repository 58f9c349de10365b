"""Which files and folders of this machine a job may read, where its owner has named them."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from metaiqa_core.assets import ASSETS
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import JobError
from metaiqa_core.settings import FOLDERS, Settings


def require_allowed(arguments: argparse.Namespace, settings: Settings) -> None:
    """Refuse options that name a file or folder outside the allowed ones; asked before anything there is read.

    Raises:
        JobError: For the first of them.
    """
    for path in _named(vars(arguments).values()):
        if not settings.allows(path) and not path.resolve().is_relative_to(ASSETS):
            raise JobError(
                f"{path} lies outside the folders that this app may read: name one inside them (its owner allows "
                f"folders in {FOLDERS})."
            )


def require_allowed_photos(databases: Iterable[Database], settings: Settings) -> None:
    """Refuse databases whose tables lead to photos outside the allowed folders.

    Raises:
        JobError: For the first of them.
    """
    for database in databases:
        if any(not settings.allows(image.path) for image in database):
            raise JobError(
                f"The database {database.name} names photos outside the folders that this app may read: bring them "
                f"into one of them (its owner allows folders in {FOLDERS})."
            )


def _named(values: Iterable[object]) -> Iterator[Path]:
    """Yield the paths among the values of options; a text is one where it names something that exists."""
    for value in values:
        if isinstance(value, Path):
            yield value
        elif isinstance(value, list | tuple):
            yield from _named(value)
        elif isinstance(value, str):
            # NAME=FILE and NAME=BACKBONE:FILE name a file too.
            parts = {value, value.partition("=")[2], value.partition("=")[2].partition(":")[2]}
            yield from (Path(part) for part in parts - {""} if _exists(part))


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # longer than any name may be, a null byte
        return False
