"""Checks that an output can be written, made before the work whose result would be lost."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from metaiqa_core.errors import OutputError
from metaiqa_core.files.streams import is_stream
from metaiqa_core.foreign_text import printable


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Refuse an output that is an input, a folder or out of reach. A stream, a pipe or a device may be written to.

    Args:
        path: File to write; neither it nor its folder need exist.
        inputs: Files that the work reads; those that do not exist are ignored.

    Raises:
        OutputError: If the output cannot be written, or is one of the inputs under whatever name.
    """
    name = printable(str(path))
    try:
        if is_stream(path):
            return None
        found = path.stat()
    except FileNotFoundError:
        return _check_folder(Path(os.path.realpath(path)), name)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{name} cannot be written ({reason}): name another output.") from error
    if stat.S_ISDIR(found.st_mode):
        raise OutputError(f"{name} is a folder: name a file for the output.")
    if not stat.S_ISREG(found.st_mode):
        raise OutputError(f"{name} is neither a file nor a pipe or terminal: name another output.")
    if source := same_file(found, inputs):
        also = "" if source == path else f" under the name {printable(str(source))}"
        raise OutputError(f"{name} is one of the inputs{also}: name another output, so that it is kept.")
    if not os.access(path, os.W_OK):
        raise OutputError(f"{name} may not be written: change its permissions, or name another output.")
    return None


def same_file(found: os.stat_result, inputs: Iterable[Path]) -> Path | None:
    """Return the first of the inputs that is the file, by whatever name, link or hard link."""
    for source in inputs:
        try:
            if os.path.samestat(found, source.stat()):
                return source
        except (OSError, ValueError):
            continue
    return None


def _check_folder(path: Path, name: str) -> None:
    """Refuse a new file whose folder cannot be made or written."""
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        if folder.is_symlink():
            raise OutputError(f"{name} lies in a folder that is a link to nowhere: name another output.")
        folder = folder.parent
    if not folder.is_dir():
        raise OutputError(f"{name} cannot be made: {printable(str(folder))} is not a folder. Name another output.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(
            f"{name} cannot be made: the folder {printable(str(folder))} may not be written. Name another output."
        )
