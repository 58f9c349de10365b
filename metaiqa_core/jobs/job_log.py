"""The log of a job's commands: its end, and the sentence with which a command gave up."""

import re
from pathlib import Path

TAIL_BYTES = 64 * 2**10
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
_TRACE = "Traceback (most recent call last):"


def tail(path: Path, lines: int) -> str:
    """Return the last lines of a log as plain text; empty where there is none.

    Args:
        path: Log file; of a long one only the end is read.
        lines: Largest number of lines to return.
    """
    return "\n".join(_read_end(path, 0).splitlines()[-lines:])


def last_sentence(path: Path, begin: int) -> str:
    """Return the last line that a command wrote, which names the reason of a failure.

    Args:
        path: Log file.
        begin: Position where the command's part of the log begins, bytes.
    """
    text = _read_end(path, begin)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    return f"The program stopped by mistake ({lines[-1]}); the log says where." if _TRACE in text else lines[-1]


def has_trace(path: Path, begin: int) -> bool:
    """Return whether a command stopped by a mistake of the program; the arguments are those of `last_sentence`."""
    return _TRACE in _read_end(path, begin)


def _read_end(path: Path, begin: int) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(begin, size - TAIL_BYTES))
            content = file.read()
    except OSError:
        return ""
    # A line that was overwritten in place, as progress bars do, counts as its last version.
    text = content.decode("utf-8", errors="replace").replace("\r\n", "\n")
    return _CONTROL.sub("", "\n".join(line.rpartition("\r")[2] for line in text.split("\n")))
