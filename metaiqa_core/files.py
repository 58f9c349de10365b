"""Files are written whole or not at all: to a temporary neighbour first, then renamed."""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it to `path`.

    Args:
        path: The file to appear; its folder is created.
        write: Receives the temporary path and writes everything there.

    Raises:
        OSError: If the disk refuses; the temporary file is removed and an older `path` stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        # mkstemp makes files private; what the user asked for gets the permissions any new file would.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_whole(path, write)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_name_for(name: str) -> str:
    """Return a name as a file may bear it anywhere: at most 100 letters, digits, `_`, `.` and `-`; as it is if it can.

    What had to be changed gets a hash of the name, so that different names never share a file.
    """
    fit = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:100]
    return fit if fit == name else f"{fit[:91]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")
