"""Start, cancel, resume and delete jobs, by their name in a runs folder."""

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

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
    write_status,
)
from metaiqa_core.jobs.supervisor import GRACE_SECONDS, start_process, stop_group
from metaiqa_core.jobs.turns import refuse_unsupported_system
from metaiqa_core.json_files import validated

SUPERVISOR = (sys.executable, "-m", "metaiqa_core.jobs")
"""Words that start the supervisor of a job, with the job's folder as its last word."""


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
    """
    refuse_unsupported_system()
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
        return _launch(runs, name)
    except JobError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def resume(runs: Path, name: str) -> Job:
    """Run a job's commands again; they continue from the state that they saved in the run folder.

    Raises:
        JobError: If there is no such job, it is at work or finished, or it was made in a terminal.
    """
    job = _job_of_ours(runs, name)
    if job.state.is_active or job.state == State.FINISHED:
        raise JobError(f"{name} is {job.state}: there is nothing to resume.")
    if not job.working_folder.is_dir():
        raise JobError(f"{name} was started in {job.working_folder}, which is gone: start it anew from here.")
    return _launch(runs, name, job.status.begun_at)


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
    job = _job_of_ours(runs, name)
    if job.state.is_active:
        raise JobError(f"{name} is {job.state}: cancel it first.")
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


def _launch(runs: Path, name: str, begun_at: float | None = None) -> Job:
    folder = runs.absolute() / name
    try:
        write_status(folder, Status(State.QUEUED, queued_at=time.time(), first_started_at=begun_at))
        with (folder / LOG_FILE).open("ab") as log:
            process = start_process([*SUPERVISOR, str(folder)], folder.parent, log)
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
        time.sleep(0.05)
    if command.is_alive():
        os.killpg(command.pid, signal.SIGKILL)
    with suppress(OSError):
        write_status(job.folder, replace(job.status, state=State.CANCELLED, ended_at=time.time(), sentence=""))
