"""Outputs that are no files: the standard streams by their names, pipes, terminals and other character devices."""

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

_MAXIMUM_LINKS = 40
_DESCRIPTOR = re.compile(r"/dev/fd/(\d+)|/proc/(?:self|thread-self)/fd/(\d+)")
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}


def is_stream(path: Path) -> bool:
    """Return whether a path is a stream: `-`, /dev/stdout, a pipe or a character device.

    Args:
        path: Path of an output, which may not exist.

    Raises:
        OSError: If the system cannot tell.
    """
    if _descriptor_of(path) is not None:
        return True
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISFIFO(kind) or stat.S_ISCHR(kind)


def open_stream(path: Path) -> BinaryIO:
    """Open a stream for writing; a named pipe waits for its reader.

    `-` and /dev/stdout are the stream that this process already has: opened anew, they would cut off what another
    program has written to the same file before.

    Raises:
        OSError: If the system refuses.
    """
    descriptor = _descriptor_of(path)
    if descriptor is not None:
        return os.fdopen(os.dup(descriptor), "wb")
    return path.open("wb")


def is_standard_output(path: Path) -> bool:
    """Return whether a path is a name of the standard output: `-`, /dev/stdout, or a link to it."""
    return _descriptor_of(path) == 1


def _descriptor_of(path: Path) -> int | None:
    """Return the number of the open file that a path, or the end of a chain of links, is a name of."""
    if str(path) == "-":
        return 1
    name = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow /dev/stdout to the file behind it
    for _ in range(_MAXIMUM_LINKS):
        if name in _STANDARD:
            return _STANDARD[name]
        if match := _DESCRIPTOR.fullmatch(name):
            return int(match[1] or match[2])
        try:
            name = os.path.normpath(os.path.join(os.path.dirname(name), os.readlink(name)))  # noqa: PTH115, PTH118, PTH120
        except (OSError, ValueError):
            return None
    return None
