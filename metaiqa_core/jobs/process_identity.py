"""The identity of a process: its id, which may be given to another process later, and its start time."""

from dataclasses import dataclass

import psutil

_SAME_START_SECONDS = 2.0
"""Largest difference between two readings of one start time: the kernel gives the time of its boot in whole seconds."""


@dataclass(frozen=True)
class ProcessIdentity:
    """A process that is recognised as long as the machine runs.

    Attributes:
        pid: Process id.
        started: Start time, seconds after the machine's boot: a corrected clock moves both alike.
    """

    pid: int
    started: float

    def is_alive(self) -> bool:
        """Return whether this very process still runs; one that only waits to be reaped does not."""
        found = identify(self.pid)
        return found is not None and abs(found.started - self.started) <= _SAME_START_SECONDS


def identify(pid: int) -> ProcessIdentity | None:
    """Return the process that has an id now; None if there is none, or only a zombie.

    Args:
        pid: Process id, positive.
    """
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        return ProcessIdentity(pid, round(process.create_time() - psutil.boot_time(), 2))
    except psutil.Error:
        return None
