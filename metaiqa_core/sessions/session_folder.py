"""The folder of one session: a journal, and files that are named by their content.

SESSION/journal.jsonl
SESSION/photos/<SHA-256>
SESSION/thumbnails/<SHA-256>
SESSION/tables/<SHA-256>
"""

import contextlib
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from metaiqa_core.files import write_whole
from metaiqa_core.sessions.journal import Event, Journal

Kind = Literal["photos", "thumbnails", "tables"]
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


class SessionFolder:
    """A session on the disk, readable by its owner alone.

    Args:
        path: The folder; it is made where there is none.

    Raises:
        SessionError: If another process has the session open.
        OSError: If the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._journal = self._open()

    def _open(self) -> Journal:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Journal(self.path / "journal.jsonl")

    @property
    def events(self) -> list[Event]:
        """What happened before the folder was opened here, in order."""
        return self._journal.events

    def note(self, event: Mapping[str, Any]) -> None:
        """Append an event to the journal.

        Raises:
            OSError: If the disk refuses; the journal stays as it was.
        """
        self._journal.append(event)

    def write(self, kind: Kind, digest: str, content: bytes) -> None:
        """Keep a file, whole or not at all; the same content is kept once.

        Args:
            kind: Kind of the file.
            digest: SHA-256 that names it, as 64 hexadecimal digits.
            content: Content of the file.

        Raises:
            OSError: If the disk refuses.
        """
        path = self._path(kind, digest)
        if not path.exists():
            write_whole(path, lambda temporary: temporary.write_bytes(content))

    def has(self, kind: Kind, digest: str) -> bool:
        """Return whether a file is kept."""
        return self._path(kind, digest).is_file()

    def read(self, kind: Kind, digest: str) -> bytes:
        """Return the content of a file that was kept.

        Raises:
            OSError: If it is missing or cannot be read.
        """
        return self._path(kind, digest).read_bytes()

    def remove(self, kind: Kind, digest: str) -> None:
        """Delete a file that was kept; one that is gone already is no error."""
        with contextlib.suppress(OSError):
            self._path(kind, digest).unlink(missing_ok=True)

    def touch(self) -> None:
        """Note that somebody was here, so that the session does not grow old."""
        with contextlib.suppress(OSError):
            (self.path / "journal.jsonl").touch()

    def empty(self) -> None:
        """Delete everything; the session goes on without photos.

        Raises:
            OSError: If the disk refuses.
        """
        self._journal.close()
        shutil.rmtree(self.path)
        self._journal = self._open()

    def _path(self, kind: Kind, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"digest must be 64 hexadecimal digits, got {digest!r:.80}")
        return self.path / kind / digest


def find_table(root: Path, fingerprint: str) -> bytes | None:
    """Return a table that one of the sessions keeps; None where none does.

    Whoever knows the fingerprint was given it by somebody who had the table: it is as hard to guess as a password.

    Args:
        root: Folder of all sessions; it need not exist.
        fingerprint: First 16 hexadecimal digits of the table's SHA-256.
    """
    if not _FINGERPRINT.fullmatch(fingerprint):
        return None
    with contextlib.suppress(OSError):
        for path in root.glob(f"*/tables/{fingerprint}*"):
            if _DIGEST.fullmatch(path.name) and path.is_file():
                return path.read_bytes()
    return None


def delete_old_sessions(root: Path, seconds: float, *, kept: frozenset[Path] = frozenset()) -> int:
    """Delete the sessions in which nothing happened for some time; return their number.

    Args:
        root: Folder of all sessions; it need not exist.
        seconds: Age from which a session is deleted, seconds since somebody was there.
        kept: Folders of sessions that are open.
    """
    deleted = 0
    try:
        folders = [path for path in root.iterdir() if path not in kept and path.is_dir() and not path.is_symlink()]
    except OSError:
        return 0
    for folder in folders:
        journal = folder / "journal.jsonl"
        try:
            age = time.time() - journal.stat().st_mtime
        except OSError:  # no session of ours, or one that is being deleted
            continue
        if age > seconds:
            shutil.rmtree(folder, ignore_errors=True)
            deleted += 1
    return deleted
