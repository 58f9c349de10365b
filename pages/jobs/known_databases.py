"""Databases that the form offers: those that earlier runs used or made, and those in the allowed folders."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from metaiqa_core.commands.options.database_choice import score_files
from metaiqa_core.jobs.catalogue import DATABASE_FOLDER
from metaiqa_core.jobs.job import Job, shortest
from metaiqa_core.settings import Settings

_MOST = 100


def known_databases(jobs: Iterable[Job], settings: Settings) -> list[str]:
    """Return the paths of databases of rated photos on this machine, as they are named from the working folder.

    Args:
        jobs: Runs, the newest first; their databases come first.
        settings: Settings, whose folders alone are looked into.
    """
    found: dict[str, None] = {}
    for path in _candidates(jobs, settings):
        if len(found) >= _MOST:
            break
        if settings.allows(path) and is_database(path):
            found[shortest(path, Path.cwd())] = None
    return list(found)


def is_database(path: Path) -> bool:
    """Return whether a file or folder looks like a database of rated photos; its content is not read."""
    try:
        if path.is_dir():
            return any(file.is_file() for file in score_files(path))
        return path.suffix.lower() == ".csv" and path.is_file()
    except (OSError, ValueError):
        return False


def _candidates(jobs: Iterable[Job], settings: Settings) -> Iterator[Path]:
    for job in jobs:
        yield job.folder / DATABASE_FOLDER
        for words in job.commands:
            yield from (job.working_folder / word for word in words[1:] if os.sep in word or word.endswith(".csv"))
    for folder in settings.folders or ():
        try:
            yield from sorted(folder.iterdir())[: 10 * _MOST]
        except OSError:
            continue
