"""A job, read from its folder.

A job is a folder in the runs folder, beside the runs that were made in a terminal:

    RUN/job.json      commands and their working folder; written once
    RUN/status.json   status of the job; replaced whole by its supervisor
    RUN/log.txt       output of its commands
    RUN/metrics.csv   curves of the run (results.run_log)

The folder's name is the job's name. Nothing here changes a file, and a link is never followed.
"""

import json
import math
import os
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

from annotated_types import Interval, Len, MaxLen

from metaiqa_core.errors import JobError
from metaiqa_core.files import write_text
from metaiqa_core.jobs.catalogue import JOB_COMMANDS, PREPARATIONS
from metaiqa_core.jobs.process_identity import ProcessIdentity
from metaiqa_core.json_files import STRICT, read_json, validated

JOB_FILE, STATUS_FILE, LOG_FILE = "job.json", "status.json", "log.txt"
RUN_FILES = ("metrics.csv", "results.json")
"""Files that mark the folder of a run that was made in a terminal."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
NAME_RULE = "1 to 60 letters, digits, - and _, the first a letter or a digit"
_MAXIMUM_BYTES = 2**20
_OLDER_FIELDS = {"keeper": "supervisor"}
"""Names that earlier versions gave to fields of a status, and the names of today."""
_STARTING_SECONDS = 60.0  # in which a supervisor that has not yet written its process id may still do so


class State(StrEnum):
    """State of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    STALE = "stale"
    TERMINAL = "terminal"

    @property
    def is_active(self) -> bool:
        """Whether a process works on the job or waits for its turn."""
        return self in (State.QUEUED, State.RUNNING, State.CANCELLING)


@dataclass(frozen=True)
class Status:
    """Status of a job, written by its supervisor.

    Attributes:
        state: State of the job; never `stale` or `terminal`, which only a reader can determine.
        supervisor: Process that waits, starts the commands and writes this status.
        command: Process that works, leader of its process group.
        queued_at: Time of start or resumption, seconds since 1970; decides the place in the queue.
        started_at: Time when its turn came last, seconds since 1970; None before that.
        ended_at: Time when it ended, seconds since 1970; None before that.
        sentence: Reason of a failure, or current activity, in one sentence.
        first_started_at: Time when its turn came for the first time, seconds since 1970; None before that.
    """

    state: State
    supervisor: ProcessIdentity | None = None
    command: ProcessIdentity | None = None
    queued_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    sentence: str = ""
    first_started_at: float | None = None

    @property
    def begun_at(self) -> float | None:
        """Time when its turn came for the first time, seconds since 1970; None before that."""
        return self.first_started_at or self.started_at


Content = TypeVar("Content")
Word = Annotated[str, MaxLen(10_000)]
Second = Annotated[float, Interval(ge=0, le=253_402_300_799)]
"""Seconds since 1970, as far as calendars go."""


@dataclass(frozen=True)
class StoredJob:
    """Content of `job.json`."""

    __pydantic_config__ = STRICT

    commands: Annotated[list[Annotated[list[Word], Len(1, 1000)]], Len(1, 10)]
    working_folder: Word

    def __post_init__(self) -> None:
        if any("\0" in word for word in (self.working_folder, *(word for words in self.commands for word in words))):
            raise ValueError("a word has a character of value zero, which no command can be given")


@dataclass(frozen=True)
class StoredProcess:
    """A process in `status.json`, whose start earlier builds wrote as text."""

    __pydantic_config__ = STRICT

    pid: Annotated[int, Interval(ge=1, le=2**31 - 1)]
    started: float | str


@dataclass(frozen=True)
class StoredStatus:
    """Content of `status.json`."""

    __pydantic_config__ = STRICT

    state: State
    supervisor: StoredProcess | None
    command: StoredProcess | None
    queued_at: Second
    started_at: Second | None
    ended_at: Second | None
    sentence: Annotated[str, MaxLen(100_000)]
    first_started_at: Second | None = None


@dataclass(frozen=True)
class Job:
    """A run that is or was started as a job, or that was made in a terminal.

    Attributes:
        folder: Folder of the run.
        commands: Commands, each as its words after `python -m metaiqa_core`, run one after the other, without
            the run folder for the last; empty for a run that was made in a terminal.
        working_folder: Working folder of the commands, which relative paths start from.
        status: Status of the job, as far as a reader can determine it.
    """

    folder: Path
    commands: tuple[tuple[str, ...], ...]
    working_folder: Path
    status: Status

    @property
    def name(self) -> str:
        """Name of the job and of its folder."""
        return self.folder.name

    @property
    def state(self) -> State:
        """State of the job."""
        return self.status.state

    def command_words(self) -> list[list[str]]:
        """Return the words of each command after `python -m metaiqa_core`, with the run folder in the last."""
        return with_run_folder(self.commands, self.folder, self.working_folder)


def with_run_folder(commands: Sequence[Sequence[str]], run: Path, working_folder: Path) -> list[list[str]]:
    """Return the words of each command, with the run folder, as it is named from the working folder, in the last."""
    *first, last = [list(words) for words in commands]
    return [*first, [*last, *JOB_COMMANDS[last[0]].in_run(shortest(run, working_folder))]]


def shell_lines(commands: list[list[str]]) -> str:
    """Return the commands to type in a terminal, one line each, quoted for a POSIX shell."""
    return " && \\\n".join(shlex.join(["python", "-m", "metaiqa_core", *words]) for words in commands)


def shortest(path: Path, folder: Path) -> str:
    """Return a path as it is named from a folder: relative if it lies below, absolute otherwise."""
    path, folder = Path(os.path.abspath(path)), Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as they are
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def find_job(runs: Path, name: str) -> Job:
    """Return the run with this name.

    Raises:
        JobError: If the name is invalid, or there is no such run, or its files are damaged.
    """
    if not NAME.fullmatch(name):
        raise JobError(f"A run's name has {NAME_RULE}; got {name[:80]!r}.")
    folder = runs / name
    if folder.is_symlink() or not is_run(folder):
        raise JobError(f"There is no run {name} in {runs}: it was deleted, or the app looks in another runs folder.")
    return read_job(folder)


def find_jobs(runs: Path) -> tuple[list[Job], list[str]]:
    """Look at every run in the runs folder.

    Returns:
        The runs, those that wait or work first and then by age, newest first; and a sentence for each that cannot be
        shown. Folders without a run, and links, are passed over.
    """
    jobs, problems = [], []
    try:
        folders = [Path(entry.path) for entry in os.scandir(runs) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [f"The runs folder {runs} cannot be read: {error.strerror}."]
    for folder in sorted(folders):
        if folder.name.startswith(".") or not is_run(folder):
            continue
        try:
            jobs.append(find_job(runs, folder.name))
        except JobError as error:
            problems.append(str(error))
        except OSError:
            continue  # deleted while it was looked at
    return sorted(jobs, key=lambda job: (not job.state.is_active, -job.status.queued_at)), problems


def is_run(folder: Path) -> bool:
    """Return whether a folder is that of a job or of a run made in a terminal."""
    return any((folder / file).is_file() for file in (JOB_FILE, *RUN_FILES))


def read_job(folder: Path) -> Job:
    """Read a job, and judge whether it still lives.

    Raises:
        JobError: If its files are damaged or cannot be read.
    """
    if not (folder / JOB_FILE).is_file():
        return Job(folder, (), Path(), Status(State.TERMINAL, queued_at=_written_at(folder)))
    content = _read(folder / JOB_FILE, StoredJob, "is damaged or of another version", {})
    commands = tuple(map(tuple, content.commands))
    if commands[-1][0] not in JOB_COMMANDS or any(words[0] not in PREPARATIONS for words in commands[:-1]):
        raise JobError(
            f"{folder.name}/{JOB_FILE} is damaged or of another version: delete the folder {folder} "
            f"(it starts with {commands[-1][0]!r:.40}, which cannot run as a job)."
        )
    return Job(folder, commands, Path(content.working_folder), judged(folder))


def judged(folder: Path) -> Status:
    """Return a job's status, which is stale if the job is said to be active and no process works on it any more."""
    status = read_status(folder)
    if not status.state.is_active:
        return status
    if status.supervisor is None:
        fresh = time.time() - status.queued_at < _STARTING_SECONDS
        return status if fresh else _stale(status, "it never began to work.")
    if status.supervisor.is_alive():
        return status
    # The supervisor writes for the last time before it ends: what was read above may be older.
    status = read_status(folder)
    if not status.state.is_active:
        return status
    if status.command and status.command.is_alive():
        return replace(
            status, sentence="The process that supervised this job was ended; its command goes on without it."
        )
    return _stale(status, "its process was killed, the machine was restarted, or its disk was full.")


def read_status(folder: Path) -> Status:
    """Read the status that the supervisor wrote last.

    Raises:
        JobError: If the status is damaged.
    """
    content = _read(folder / STATUS_FILE, StoredStatus, "is damaged, resume is not possible", _OLDER_FIELDS)
    return Status(**{**vars(content), "supervisor": _process(content.supervisor), "command": _process(content.command)})


def _process(content: StoredProcess | None) -> ProcessIdentity | None:
    """Return a process; a start that is a text, as earlier builds wrote it, matches no process of today."""
    if content is None:
        return None
    return ProcessIdentity(content.pid, math.nan if isinstance(content.started, str) else content.started)


def write_status(folder: Path, status: Status) -> None:
    """Write a status, whole or not at all; raises an OSError where the disk refuses."""
    write_text(folder / STATUS_FILE, json.dumps(asdict(status), indent=1) + "\n")


def _stale(status: Status, why: str) -> Status:
    return replace(status, state=State.STALE, sentence=f"It stopped without a word: {why}")


def _written_at(folder: Path) -> float:
    return max((file.stat().st_mtime for name in RUN_FILES if (file := folder / name).is_file()), default=0.0)


def _read(path: Path, kind: type[Content], trouble: str, renamed: Mapping[str, str]) -> Content:
    name = f"{path.parent.name}/{path.name}"
    try:
        content = read_json(path, _MAXIMUM_BYTES)
    except FileNotFoundError:
        raise JobError(f"{name} is missing or damaged: delete the folder {path.parent}.") from None
    except (OSError, ValueError) as error:
        raise JobError(f"{name} is missing or damaged: delete the folder {path.parent} ({error}).") from None
    try:
        if not isinstance(content, dict):
            raise ValueError("it holds no object")
        return validated(kind, {renamed.get(name, name): value for name, value in content.items()})
    except ValueError as error:
        raise JobError(f"{name} {trouble}: delete the folder {path.parent} ({error}).") from None
