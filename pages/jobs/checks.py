"""What is checked before a job starts or goes on, so that a mistake is told at once and not in its log."""

import argparse
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metaiqa_core.cli import load_command
from metaiqa_core.commands.options.database_choice import chosen_database, chosen_databases, chosen_range
from metaiqa_core.databases import reading
from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.databases.score_sheet import match_images
from metaiqa_core.errors import DatabaseError, JobError
from metaiqa_core.jobs.catalogue import JOB_COMMANDS, JobCommand
from metaiqa_core.jobs.command_options import DeclareOptions, parse
from metaiqa_core.jobs.job import Job
from metaiqa_core.models.model_files import find_model
from metaiqa_core.settings import read_settings
from metaiqa_core.tasks import distortion_tasks
from pages.jobs.folders import require_allowed, require_allowed_files, require_allowed_photos


def declares(entry: JobCommand) -> DeclareOptions:
    """Return the function that declares the options of a job's command."""
    command: Any = load_command(entry.entry.name)
    declare: DeclareOptions = getattr(command, f"add_{entry.action}_arguments" if entry.action else "add_arguments")
    return declare


def arguments_of(words: Sequence[str], run: Path) -> argparse.Namespace:
    """Return the arguments that the command of a job reads from its words.

    Raises:
        JobError: If the command would refuse them, with its own sentence.
    """
    entry = JOB_COMMANDS[words[0]]
    return parse(declares(entry), words[len(entry.words) :], run, entry.in_run(str(run)))


def require_startable(runs: Path, name: str, words: list[str]) -> None:
    """Build the configuration that a command will build, and read the tables that it will read.

    Raises:
        MetaIQAError: If it would fail at once, or reads outside the allowed folders.
    """
    arguments, command = arguments_of(words, runs / name), load_command(words[0])
    require_allowed(arguments, read_settings())
    try:
        if read := getattr(command, "read_configuration", None):
            read(arguments)
    except (ValueError, TypeError) as error:
        raise JobError(f"The settings do not fit: {str(error).rstrip('.')}.") from error
    if model := getattr(arguments, "model", None):
        find_model(model)
    try:
        _check_databases(arguments, words[0])
    except OSError as error:
        raise JobError(f"The database cannot be read: {error.strerror}.") from error


def require_allowed_job(job: Job) -> None:
    """Refuse a job that reads outside the allowed folders: those may be others than on the day of its start.

    Raises:
        MetaIQAError: If it does, or what it reads is not there.
    """
    settings = read_settings()
    if settings.folders is None:
        return
    if not (job.working_folder.is_dir() and job.working_folder.samefile(Path.cwd())):
        raise JobError(
            f"{job.name} was started in {job.working_folder}, and this app, which may read certain folders alone, runs "
            "in another: start it anew from here."
        )
    for words in job.commands:
        arguments = arguments_of(words, job.folder)
        require_allowed(arguments, settings)
        if len(job.commands) == 1:  # of several, the first makes the database of the last, in the run's folder
            _require_allowed_tables(arguments, words[0])


def _check_databases(arguments: argparse.Namespace, command: str) -> None:
    entry = JOB_COMMANDS[command]
    if command == "databases" and not arguments.folder.exists():
        raise DatabaseError(f"There is no folder or file {arguments.folder}: expected a database of rated photos.")
    databases, targets = _require_allowed_tables(arguments, command)
    if entry.by_type:
        distortion_tasks(*databases)
    if entry.presets:
        require_learnable(*databases, by_type=entry.by_type)
    if targets:
        require_learnable(*targets)


def _require_allowed_tables(arguments: argparse.Namespace, command: str) -> tuple[list[Database], list[Database]]:
    """Read the tables that a job names, refuse photos outside the allowed folders; return databases and targets."""
    settings, targets = read_settings(), []
    if command == "databases" and settings.folders is not None:
        with contextlib.suppress(DatabaseError):  # the job says what is wrong with the table, and then reads no photo
            sheet = reading.read_sheet(
                arguments.folder, arguments.name, images=arguments.images, mos_range=chosen_range(arguments)
            )
            require_allowed_files(sheet.name, match_images(sheet).files, settings)
    if not hasattr(arguments, "database"):
        return [], []
    databases = _databases(arguments)
    if target := getattr(arguments, "target", None):
        targets.append(reading.read_database(target, images=arguments.target_images))
    require_allowed_photos([*databases, *targets], settings)
    if settings.folders is not None:  # their tables may lead to photos elsewhere, which is asked only where it matters
        named = [*getattr(arguments, "rehearse", ()), *getattr(arguments, "judged", ())]
        further = [path for path in named if isinstance(path, Path)]  # some commands name a database by its name alone
        require_allowed_photos(reading.read_databases(further), settings)
    return databases, targets


def _databases(arguments: argparse.Namespace) -> list[Database]:
    if not isinstance(arguments.database, list):
        return [chosen_database(arguments)]
    return chosen_databases(arguments) if hasattr(arguments, "images") else reading.read_databases(arguments.database)
