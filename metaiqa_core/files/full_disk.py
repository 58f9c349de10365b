"""Full disks, told from other refusals of the system."""

import errno
import os
from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PROBE_BYTES = 2**20


def is_full_disk(error: BaseException) -> bool:
    """Return whether an error says that the disk, a quota or the largest size of a file is used up."""
    return isinstance(error, OSError) and error.errno in _FULL


def refuse_full_disk(half_written: Path, path: Path) -> None:
    """Ask the system itself whether a file that could not be written met a full disk.

    Libraries that write files themselves tell it in words of their own, or not at all.

    Args:
        half_written: File that was written when it failed; more is appended.
        path: Name of the file for the error.

    Raises:
        OSError: If the disk is full, as the system says it.
    """
    try:
        with half_written.open("ab", buffering=0) as file:
            missing = _PROBE_BYTES
            while missing:
                missing -= file.write(bytes(missing))
    except OSError as error:
        if is_full_disk(error):
            raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error
