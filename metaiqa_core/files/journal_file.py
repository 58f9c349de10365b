"""A file that grows by JSON lines, each appended whole or not at all, by one process at a time."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class JournalFile:
    """A journal on the disk, open for reading and appending.

    Args:
        path: The file; it is made where there is none, and never reached through a link.
        mode: Permissions of a new file.

    Raises:
        BlockingIOError: If another process has it open.
        OSError: If the disk refuses.
    """

    def __init__(self, path: Path, mode: int) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        self._file = os.fdopen(os.open(path, flags, mode), "r+b", buffering=0)
        try:
            self._lock()
        except BaseException:
            self._file.close()
            raise

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written yet."""
        return self._file.seek(0, os.SEEK_END) == 0

    def read(self) -> list[bytes]:
        """Return the whole lines."""
        self._file.seek(0)
        return self._file.read().split(b"\n")[:-1]

    def cut_half_line(self) -> None:
        """Cut off what a crash left of a last line: what is appended would join it."""
        self._file.seek(0)
        content = self._file.read()
        self._file.truncate(content.rfind(b"\n") + 1)

    def append(self, entry: Mapping[str, Any]) -> None:
        """Append one line.

        Raises:
            OSError: If the disk refuses; the file stays as it was.
        """
        line = (json.dumps(entry) + "\n").encode("ascii")
        end = self._file.seek(0, os.SEEK_END)
        try:
            written = 0
            while written < len(line):  # a disk that fills up takes a part first
                written += self._file.write(line[written:])
        except BaseException:
            self._file.truncate(end)
            raise

    def clear(self) -> None:
        """Remove all lines."""
        self._file.truncate(0)

    def close(self) -> None:
        """Close the file, so that another process can go on with it."""
        self._file.close()

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            return  # a file system without locks
