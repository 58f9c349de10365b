"""Start, cancel, resume and delete jobs, by their name in a runs folder.

Whoever changes a job holds its lock from the look at its status to the last change, and gives it to the supervisor that
it starts: two tabs, or two apps, cannot both resume a job, and a job that works is not deleted.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from metaiqa_core.errors import JobError
from metaiqa_core.files import write_text
from metaiqa_core.jobs.catalogue import JOB_COMMANDS, PREPARATIONS
from metaiqa_core.jobs.job import (
    JOB_FILE,
    LOG_FILE,
    NAME,
    NAME_RULE,
    Job,
    State,
    Status,
    StoredJob,
    find_job,
    read_status,
    write_status,
)
from metaiqa_core.jobs.supervisor import GRACE_SECONDS, start_process, stop_group
from metaiqa_core.jobs.turns import jobs_at_once, refuse_unsupported_system, take_lock
from metaiqa_core.json_files import validated

SUPERVISOR = (sys.executable, "-m", "metaiqa_core.jobs")
"""Words that start the supervisor of a job; the job's folder and the descriptor of its lock follow."""

Seen = TypeVar("Seen")
_LOCK_SECONDS = 10.0  # in which the supervisor of a job that has just ended leaves it, however busy the machine is
_POLL_SECONDS = 0.05


def start(
    runs: Path,
    name: str,
    commands: Sequence[Sequence[str]],
    *,
    working_folder: Path | None = None,
    fill: Callable[[Path], None] | None = None,
) -> Job:
    """Start a job; it works at once or when its turn comes.

    Args:
        runs: Folder of all runs; created if needed.
        name: Name of the job and of its folder.
        commands: Commands, each as its words after `python -m metaiqa_core`; all but the last prepare for the last
            one, which is given the run folder.
        working_folder: Working folder of the commands; by default that of this process.
        fill: Function that puts files which the commands read into the new run folder.

    Returns:
        The job, waiting.

    Raises:
        JobError: If the name is invalid or taken, a command may not run as a job, or the disk refuses.
        SettingsError: If `METAIQA_JOBS_AT_ONCE` holds no number of jobs.
    """
    refuse_unsupported_system()
    jobs_at_once()  # its supervisor could say only in the job's status that the variable is wrong
    if not NAME.fullmatch(name):
        raise JobError(f"A run's name has {NAME_RULE}; got {name[:80]!r}.")
    *preparations, last = commands
    if last[0] not in JOB_COMMANDS or any(words[0] not in PREPARATIONS for words in preparations):
        raise JobError(f"{last[0]} cannot run as a job: expected one of {', '.join(JOB_COMMANDS)}.")
    content: dict[str, Any] = {
        "commands": [list(words) for words in commands],
        "working_folder": str(working_folder or Path.cwd()),
    }
    try:
        validated(StoredJob, content)  # what is written down must be what can be read again
    except ValueError as error:
        raise JobError(f"The job's command cannot be kept: {error}.") from error
    folder = runs.absolute() / name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        raise JobError(f"There is already a run {name} in {runs}: choose another name, or resume that one.") from None
    except OSError as error:
        raise JobError(f"The run folder {folder} cannot be made: {error.strerror}.") from error
    try:
        if fill:
            fill(folder)
        write_text(folder / JOB_FILE, json.dumps(content, indent=1) + "\n")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise JobError(f"The job cannot be written down in {folder}: {error.strerror}.") from error
    try:
        with _locked(folder, lambda: None) as (lock, _):
            return _launch(runs, name, lock)
    except JobError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def resume(runs: Path, name: str) -> Job:
    """Run a job's commands again; they continue from the state that they saved in the run folder.

    Raises:
        JobError: If there is no such job, it is at work or finished, or it was made in a terminal.
        SettingsError: If `METAIQA_JOBS_AT_ONCE` holds no number of jobs.
    """
    jobs_at_once()

    def resumable() -> Job:
        job = _job_of_ours(runs, name)
        if job.state.is_active or job.state == State.FINISHED:
            raise JobError(f"{name} is {job.state}: there is nothing to resume.")
        if not job.working_folder.is_dir():
            raise JobError(f"{name} was started in {job.working_folder}, which is gone: start it anew from here.")
        return job

    with _locked(runs / name, resumable) as (lock, job):
        return _launch(runs, name, lock, job.status.begun_at)


def cancel(runs: Path, name: str) -> None:
    """Cancel a job, which ends within seconds; its saved state stays.

    Raises:
        JobError: If there is no such job, it does not run, or it is another user's.
    """
    job = _job_of_ours(runs, name)
    supervisor, command = job.status.supervisor, job.status.command
    try:
        if job.state.is_active and supervisor and supervisor.is_alive():
            os.kill(supervisor.pid, signal.SIGTERM)
        elif job.state.is_active and command and command.is_alive():
            _end_orphan(job)
        else:
            raise JobError(f"{name} is not at work: there is nothing to cancel.")
    except ProcessLookupError:
        return  # it ended at this very moment
    except PermissionError:
        raise JobError(f"{name} belongs to another user of this machine, who alone can cancel it.") from None


def delete(runs: Path, name: str) -> None:
    """Delete a job with everything in its folder: state, curves, results and models.

    Raises:
        JobError: If there is no such job, it is at work, it was made in a terminal, or the disk refuses.
    """

    def deletable() -> Job:
        job = _job_of_ours(runs, name)
        if job.state.is_active:
            raise JobError(f"{name} is {job.state}: cancel it first.")
        return job

    with _locked(runs / name, deletable) as (_, job):
        try:
            # Moved away first: it is gone from all lists at once, and nobody meets half of it. Links in it are removed,
            # not followed.
            trash = Path(tempfile.mkdtemp(prefix=".deleted-", dir=runs))
            job.folder.rename(trash / name)
        except OSError as error:
            raise JobError(f"{name} cannot be deleted: {error.strerror}.") from error
    try:
        shutil.rmtree(trash)
    except OSError as error:
        raise JobError(f"{name} is deleted but for {trash}, which stays: {error.strerror}.") from error


def _job_of_ours(runs: Path, name: str) -> Job:
    job = find_job(runs, name)
    if job.state == State.TERMINAL:
        raise JobError(f"The run {name} was made in a terminal: it is cancelled, continued or deleted there.")
    return job


@contextmanager
def _locked(folder: Path, look: Callable[[], Seen]) -> Iterator[tuple[int, Seen]]:
    """Hold a job's lock, which its supervisor and its command hold as long as they live.

    Args:
        folder: Folder of the job.
        look: Function that reads the job, and raises a `JobError` if its state forbids what is to be done.

    Yields:
        Descriptor of the lock, and what `look` saw with the lock in hand.

    Raises:
        JobError: If the state forbids it, the disk refuses, or a process of the job does not let go of the lock.
    """
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        look()  # refused at once; and where there is no job, locking would make a file
        try:
            lock = take_lock(folder / JOB_FILE)
        except OSError as error:
            raise JobError(f"{folder.name} cannot be locked in {folder.parent}: {error.strerror}.") from error
        if lock is not None:
            break
        if time.monotonic() > end:
            raise JobError(
                f"A process of {folder.name} has not ended yet: try again in a moment, or end the process that holds "
                f"{folder / JOB_FILE} open."
            )
        time.sleep(_POLL_SECONDS)
    try:
        yield lock, look()
    finally:
        os.close(lock)


def _launch(runs: Path, name: str, lock: int, begun_at: float | None = None) -> Job:
    folder = runs.absolute() / name
    try:
        write_status(folder, Status(State.QUEUED, queued_at=time.time(), first_started_at=begun_at))
        with (folder / LOG_FILE).open("ab") as log:
            # It holds the lock from its first moment: there is none in which a second resume could take it.
            process = start_process([*SUPERVISOR, str(folder), str(lock)], folder.parent, log, pass_fds=(lock,))
    except OSError as error:
        raise JobError(f"The job cannot be started in {folder}: {error.strerror}.") from error
    # Somebody has to take notice of its end, or it stays in the process table as long as this process lives.
    threading.Thread(target=process.wait, daemon=True).start()
    return find_job(runs, name)


def _end_orphan(job: Job) -> None:
    """End a command whose supervisor was killed, and write its status in the supervisor's place."""
    command = job.status.command
    if command is None:
        return
    stop_group(command.pid, signal.SIGTERM)
    end = time.monotonic() + GRACE_SECONDS
    while command.is_alive() and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
    # Workers of a command that was killed outlive it, and hold the lock.
    stop_group(command.pid, signal.SIGKILL)

    def refuse_resumed() -> None:
        if read_status(job.folder).command != command:
            raise JobError(f"{job.name} was resumed meanwhile.")

    with suppress(OSError, JobError), _locked(job.folder, refuse_resumed):
        write_status(job.folder, replace(job.status, state=State.CANCELLED, ended_at=time.time(), sentence=""))
