"""Files are written whole or not at all: to a temporary neighbour first, then renamed.

What a rename would break is written through instead: a link keeps pointing where it does, a file of several names keeps
them, a pipe or a device gets the bytes.
"""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from metaiqa_core.files.full_disk import is_full_disk, refuse_full_disk
from metaiqa_core.files.streams import is_stream, open_stream

_LONGEST_PREFIX = 100
"""Bytes of the name that the temporary neighbour bears too: a name may have 255, and the neighbour's is longer."""
_NO_NEIGHBOURS = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_RENAME = (errno.EBUSY, errno.EXDEV)  # such as a file that is mounted by itself into a container


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it to `path`.

    Args:
        path: Target file; its folder is created. A link is followed; an existing file keeps its permissions.
        write: Function that is given the temporary path and writes everything there.

    Raises:
        OSError: If the disk refuses; the temporary file is removed and an older `path` stays as it was.
    """
    if is_stream(path):
        with tempfile.TemporaryDirectory() as folder:
            temporary = Path(folder) / f"output{path.suffix}"
            write(temporary)
            with open_stream(path) as stream, temporary.open("rb") as content:
                shutil.copyfileobj(content, stream)
        return
    write_together({path: write})


def write_together(writers: Mapping[Path, Callable[[Path], object]]) -> None:
    """Let several files appear together or not at all, as `write_whole` does one; none of them is a stream.

    All are filled before the first one is renamed. Where that is interrupted, what was renamed is taken back.

    Args:
        writers: for each file what fills it; they are called in this order.

    Raises:
        OSError: If the disk refuses; older files stay as they were.
    """
    with contextlib.ExitStack() as stack:
        waiting = []
        for path, write in writers.items():
            one = _Waiting.beside(path)
            stack.callback(one.clean_up)
            waiting.append(one)
            try:
                write(one.temporary)
            except OSError:
                raise
            except Exception:
                refuse_full_disk(one.temporary, path)
                raise
        try:
            for one in waiting:
                one.keep_older(is_alone=len(waiting) == 1)
            for one in waiting:
                one.put_in_place()
        except BaseException:
            for one in waiting:
                one.take_back()
            raise


@dataclass
class _Waiting:
    """A file that is filled beside its target and waits to be put in its place."""

    target: Path
    before: os.stat_result | None
    temporary: Path
    older: Path | None = None
    is_placed: bool = False

    @classmethod
    def beside(cls, path: Path) -> "_Waiting":
        before = _status_of(path)
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        if before and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))  # a rename would not ask
        target.parent.mkdir(parents=True, exist_ok=True)
        return cls(target, before, _neighbour(target, may_lie_elsewhere=before is not None))

    def keep_older(self, *, is_alone: bool) -> None:
        """Give the older file a second name, until all of its companions are in place too."""
        if self.before is None or is_alone or self.before.st_nlink > 1:
            return
        older = self.temporary.with_name(f"{self.temporary.name}.older")
        with contextlib.suppress(OSError):  # a file system without hard links
            os.link(self.target, older)
            self.older = older

    def put_in_place(self) -> None:
        self.is_placed = True
        # Only what was there can have several names, or a neighbour that lies elsewhere.
        if self.before and (self.before.st_nlink > 1 or self.temporary.parent != self.target.parent.absolute()):
            _write_into(self.temporary, self.target)
        else:
            _replace(self.temporary, self.target, self.before)

    def take_back(self) -> None:
        if self.older:
            self.older.replace(self.target)
        elif self.is_placed and self.before is None:
            self.target.unlink(missing_ok=True)

    def clean_up(self) -> None:
        self.temporary.unlink(missing_ok=True)
        if self.older:
            self.older.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8", newline="")

    write_whole(path, write)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_name_for(name: str) -> str:
    """Return a name as a valid file name on every system: at most 100 letters, digits, `_`, `.` and `-`.

    A valid name stays as it is. A changed one gets a hash of the original, so that different names never share a file.
    """
    fit = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:100]
    return fit if fit == name else f"{fit[:91]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".lstrip("-")


def _status_of(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _neighbour(target: Path, *, may_lie_elsewhere: bool) -> Path:
    """Make the temporary file: beside its target, or elsewhere where that is an existing file in a closed folder."""
    prefix = os.fsdecode(os.fsencode(f".{target.name}")[:_LONGEST_PREFIX])
    suffix = target.suffix if len(target.suffix) < 20 else ""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{prefix}.", suffix=suffix)
    except OSError as error:
        if not may_lie_elsewhere or error.errno not in _NO_NEIGHBOURS:
            raise
        handle, name = tempfile.mkstemp(suffix=suffix)
    os.close(handle)
    return Path(name)


def _replace(temporary: Path, target: Path, before: os.stat_result | None) -> None:
    if before:
        if hasattr(os, "chown") and (before.st_uid, before.st_gid) != (
            temporary.stat().st_uid,
            temporary.stat().st_gid,
        ):
            try:
                os.chown(temporary, before.st_uid, before.st_gid)
            except PermissionError:
                return _write_into(temporary, target)  # a file that is somebody else's stays theirs
        temporary.chmod(before.st_mode & 0o7777)
    else:
        # mkstemp makes files private; what the user asked for gets the permissions any new file would.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
    try:
        temporary.replace(target)
    except OSError as error:
        if not before or error.errno not in _NO_RENAME:
            raise
        _write_into(temporary, target)
    return None


def _write_into(source: Path, target: Path) -> None:
    """Overwrite an existing file in place; room for all of it is taken before its first byte changes."""
    size = source.stat().st_size
    with source.open("rb") as content, target.open("r+b") as file:
        old_size = os.fstat(file.fileno()).st_size
        if hasattr(os, "posix_fallocate") and size > 0:
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                file.truncate(old_size)
                if is_full_disk(error):
                    raise
        shutil.copyfileobj(content, file)
        file.truncate(size)
