"""Which files and folders of this machine a job may read, where its owner has named them."""

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from metaiqa_core.assets import ASSETS
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import JobError
from metaiqa_core.settings import FOLDERS, Settings


def require_allowed(arguments: argparse.Namespace, settings: Settings) -> None:
    """Refuse options that name a file or folder outside the allowed ones; asked before anything there is read.

    A folder with a link that leads out is refused as well, since a job would follow it.

    Raises:
        JobError: For the first of them.
    """
    if settings.folders is None:
        return
    for path in _named(vars(arguments).values()):
        if path.resolve().is_relative_to(ASSETS):
            continue
        if not settings.allows(path):
            raise JobError(
                f"{path} lies outside the folders that this app may read: name one inside them (its owner allows "
                f"folders in {FOLDERS})."
            )
        for link in _links_in(path):
            if not settings.allows(link):
                raise JobError(
                    f"{link} leads out of the folders that this app may read: bring what it leads to into one of them "
                    f"(its owner allows folders in {FOLDERS})."
                )


def require_allowed_photos(databases: Iterable[Database], settings: Settings) -> None:
    """Refuse databases whose tables lead to photos outside the allowed folders.

    Raises:
        JobError: For the first of them.
    """
    for database in databases:
        require_allowed_files(database.name, (image.path for image in database), settings)


def require_allowed_files(database: str, photos: Iterable[Path], settings: Settings) -> None:
    """Refuse a database with a photo outside the allowed folders.

    Args:
        database: Name of the database.
        photos: Files of its photos.
        settings: Settings with the allowed folders.

    Raises:
        JobError: If there is one.
    """
    if not all(map(settings.allows, photos)):
        raise JobError(
            f"The database {database} names photos outside the folders that this app may read: bring them "
            f"into one of them (its owner allows folders in {FOLDERS})."
        )


def _links_in(folder: Path) -> Iterator[Path]:
    """Yield the links in a folder and in the folders below it; none of a file."""
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        yield Path(entry.path)
                    elif entry.is_dir():
                        waiting.append(Path(entry.path))
        except OSError:  # a file, or a folder that the job cannot read either
            continue


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
        # A model may be named by its card, which need not be there to lead to the weights.
        return Path(text).exists() or Path(text).with_suffix(".safetensors").exists()
    except (OSError, ValueError):  # longer than any name may be, a null byte
        return False
