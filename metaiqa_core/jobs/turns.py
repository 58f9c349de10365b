"""The queue of jobs: they work one at a time, the longest waiting first, with or without the app.

Each supervisor waits for its own job. A turn is an advisory lock on a file in the runs folder, which the system gives
back when the last process that holds it has ended, however it ended; so nothing is left behind that would block the
queue.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from metaiqa_core.errors import JobError
from metaiqa_core.jobs.job import State, find_jobs
from metaiqa_core.settings import whole_number

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_MOST_AT_ONCE = 1000


def refuse_unsupported_system() -> None:
    """Raise a `JobError` on a system without the locks and process groups that jobs need."""
    if fcntl is None:
        raise JobError(
            "Jobs need Linux, macOS or another POSIX system: run the command in a terminal instead (on Windows, WSL)."
        )


def jobs_at_once(environment: Mapping[str, str] = os.environ) -> int:
    """Return the number of jobs that may work at the same time: `METAIQA_JOBS_AT_ONCE`, or one.

    Raises:
        SettingsError: If the variable holds no such number.
    """
    return whole_number(environment, "METAIQA_JOBS_AT_ONCE", _MOST_AT_ONCE, "jobs", default=1)


def take_lock(path: Path) -> int | None:
    """Lock a file unless another process holds the lock.

    Args:
        path: File to lock; made if needed, never through a link.

    Returns:
        Descriptor of the open file, which gives the lock back when it is closed; None if another process holds it.

    Raises:
        OSError: If the file cannot be opened or the file system knows no locks.
    """
    refuse_unsupported_system()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def take_turn(folder: Path, queued_at: float) -> int | None:
    """Take the turn of a job if it is the next and a turn is free.

    Args:
        folder: Folder of the job; those of the other jobs in the queue lie beside it.
        queued_at: Time at which the job was started or resumed, seconds since 1970.

    Returns:
        Descriptor of the lock, as from `take_lock`; None if it is not this job's turn.
    """
    for number in range(1, jobs_at_once() + 1):
        descriptor = take_lock(folder.parent / f".turn-{number}.lock")
        if descriptor is None:
            continue
        # Looked at with the lock in hand: whoever came first takes it at its own next look.
        waiting = [job for job in find_jobs(folder.parent)[0] if job.state == State.QUEUED and job.status.supervisor]
        if all((queued_at, folder.name) <= (job.status.queued_at, job.name) for job in waiting):
            return descriptor
        os.close(descriptor)
        return None
    return None
