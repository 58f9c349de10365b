"""Journal of a session: what happened, one JSON object a line, in the order in which it happened.

A line is appended whole or not at all. A line that cannot be read is passed over: the photos and decisions in all the
others are worth more than the one that was damaged.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metaiqa_core.errors import SessionError
from metaiqa_core.files.journal_file import JournalFile
from metaiqa_core.foreign_text import printable

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
        try:
            self._file = JournalFile(path, 0o600)
        except BlockingIOError as error:
            raise SessionError(
                f"Another MetaIQA has the session in {printable(str(path.parent))} open: close that one first."
            ) from error
        self._file.cut_half_line()
        self.events = [event for line in self._file.read() if (event := _parsed(line)) is not None]

    def append(self, event: Mapping[str, Any]) -> None:
        """Append one event.

        Raises:
            OSError: If the disk refuses; the journal stays as it was.
        """
        self._file.append(event)

    def close(self) -> None:
        """Close the file, so that another process can go on with it."""
        self._file.close()


def _parsed(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
