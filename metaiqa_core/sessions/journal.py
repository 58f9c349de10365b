"""Journal of a session: what happened, one JSON object a line, in the order in which it happened.

A line is appended whole or not at all. A line that cannot be read is passed over: the photos and decisions in all the
others are worth more than the one that was damaged.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metaiqa_core.errors import SessionError
from metaiqa_core.foreign_text import printable

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

Event = dict[str, Any]


class Journal:
    """The journal in one file, which one process at a time writes.

    Args:
        path: File of the journal; it is made where there is none.

    Raises:
        SessionError: If another process is writing it.
        OSError: If the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        # Never through a link: nobody but this program makes this file.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        self._file = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
        try:
            self._lock(path)
            self.events = self._read()
        except BaseException:
            self._file.close()
            raise

    def append(self, event: Mapping[str, Any]) -> None:
        """Append one event.

        Raises:
            OSError: If the disk refuses; the journal stays as it was.
        """
        line = (json.dumps(event) + "\n").encode("ascii")
        end = self._file.seek(0, os.SEEK_END)
        try:
            written = 0
            while written < len(line):  # a disk that fills up takes a part first
                written += self._file.write(line[written:])
        except BaseException:
            self._file.truncate(end)
            raise

    def close(self) -> None:
        """Close the file, so that another process can go on with it."""
        self._file.close()

    def _lock(self, path: Path) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SessionError(
                f"Another MetaIQA has the session in {printable(str(path.parent))} open: close that one first."
            ) from error
        except OSError:
            return  # a file system without locks

    def _read(self) -> list[Event]:
        *lines, half = self._file.read().split(b"\n")
        self._file.truncate(self._file.tell() - len(half))  # what a crash left half-written
        return [event for line in lines if (event := _parsed(line)) is not None]


def _parsed(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
