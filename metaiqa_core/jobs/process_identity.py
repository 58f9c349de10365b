"""Recognise a process again: its id alone may be another's by now, its id and its start time may not.

Linux tells both in /proc; elsewhere `ps` does. The boot's own id is part of the start time, so that no process survives
a restart of the machine by coincidence.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_STATE, _STARTED = 0, 19  # fields 3 and 22 of /proc/PID/stat, counted from the one after the name (proc(5))


@dataclass(frozen=True)
class ProcessIdentity:
    """A process, for good.

    Attributes:
        pid: Its id.
        started: When it started, in whatever form this system tells it; only compared.
    """

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Return whether this very process still runs; one that only waits to be reaped does not."""
        return identify(self.pid) == self


def identify(pid: int) -> ProcessIdentity | None:
    """Return who has this id now; None if nobody, or only a zombie."""
    started = _from_proc(pid) if (_PROC / "self" / "stat").exists() else _from_ps(pid)
    return ProcessIdentity(pid, started) if started else None


def _from_proc(pid: int) -> str | None:
    try:
        # The name, in parentheses, may itself hold spaces and parentheses: what follows the last one has fixed places.
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return None if fields[_STATE] in "ZX" else f"{boot} {fields[_STARTED]}"
    except (OSError, IndexError):
        return None


def _from_ps(pid: int) -> str | None:
    try:
        answer = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()
