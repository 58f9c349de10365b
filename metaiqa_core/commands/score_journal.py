"""Journal of a long `score`: its finished rows, kept beside the output until that is whole, as one JSON line a photo.

    OUTPUT.unfinished.jsonl
    {"format": 1, "model": ..., "model_sha256": ..., "full_size": ..., "version": ...}
    {"path": ..., "size": ..., "mtime_ns": ..., "row": {...}}

A line is appended as soon as its photo is scored, so that a process that is killed or a disk that fills up loses the
photo in hand at most. A half-written last line is cut off when the work goes on.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metaiqa_core.errors import OutputError
from metaiqa_core.files.journal_file import JournalFile
from metaiqa_core.foreign_text import printable

_FORMAT = 1
_SUFFIX = ".unfinished.jsonl"
_HEADER_FIELDS, _ENTRY_FIELDS = {"format"}, {"path", "size", "mtime_ns", "row"}
_LONGEST_NAME = 255
"""Bytes that a file's name may have on the usual file systems."""


def journal_path(output: Path) -> Path:
    """Return the file that holds the finished rows of an output until that is whole."""
    name = os.fsencode(output.name)
    if len(name) + len(_SUFFIX) > _LONGEST_NAME:
        name = name[:200] + b"-" + hashlib.sha256(name).hexdigest()[:8].encode()
    return output.parent / (os.fsdecode(name) + _SUFFIX)


class ScoreJournal:
    """Keeps the finished rows of one output.

    Args:
        output: File that the rows are meant for.
        settings: Everything but the photo that a row depends on, ready for JSON.
        resume: Whether to go on with the rows of an earlier run.

    Raises:
        OutputError: If an earlier run left rows and `resume` is False, if they were made with other settings, if the
            journal is damaged, or if another process is writing it.
        OSError: If the disk refuses.
    """

    def __init__(self, output: Path, settings: Mapping[str, Any], *, resume: bool) -> None:
        self.path = journal_path(output)
        self._shown = printable(str(self.path))
        self._rows: dict[str, tuple[tuple[int, int] | None, dict[str, Any]]] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = JournalFile(self.path, 0o666)
        except BlockingIOError as error:
            raise OutputError(
                f"Another process is writing {self._shown}: wait for it, or name another output."
            ) from error
        except OSError as error:
            raise OutputError(
                f"Finished rows are kept in {self._shown}, which cannot be written ({error.strerror}): name an output "
                "in another folder."
            ) from error
        try:
            self._read(_ready_for_json(dict(settings)), resume)
        except BaseException:
            if self._file.is_empty:
                self.path.unlink(missing_ok=True)
            self._file.close()
            raise

    @property
    def finished(self) -> int:
        """Number of photos whose rows are kept."""
        return len(self._rows)

    def row_of(self, photo: Path) -> dict[str, Any] | None:
        """Return the row of a photo if it was scored and is still the same file; one with an error is tried again."""
        seen, row = self._rows.get(_key(photo), (None, None))
        if row is None or row.get("error") or seen is None or seen != _fingerprint(photo):
            return None
        return row

    def rows(self, photos: Sequence[Path]) -> list[dict[str, Any]]:
        """Return the rows of photos, in their order; then those of photos that are gone or not asked for any more."""
        keys = [_key(photo) for photo in photos]
        asked = set(keys)
        kept = [self._rows[key][1] for key in keys if key in self._rows]
        return kept + [row for key, (_, row) in self._rows.items() if key not in asked]

    def count_of_others(self, photos: Sequence[Path]) -> int:
        """Return the number of kept rows of other photos."""
        return len(self._rows.keys() - {_key(photo) for photo in photos})

    def append(self, photo: Path, row: dict[str, Any]) -> None:
        """Keep the row of a photo.

        Raises:
            OSError: If the disk refuses; the rows kept before stay.
        """
        seen = _fingerprint(photo)
        size, modified = seen or (None, None)
        self._file.append({"path": _key(photo), "size": size, "mtime_ns": modified, "row": row})
        self._rows[_key(photo)] = seen, row

    def close(self) -> None:
        """Close the journal and keep it for a later run; remove it where it holds no row."""
        if not self._rows:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def remove(self) -> None:
        """Remove the journal, since the output holds its rows."""
        self.path.unlink(missing_ok=True)
        self._file.close()

    def _read(self, settings: dict[str, Any], resume: bool) -> None:
        entries = [self._parsed(line, is_header=number == 0) for number, line in enumerate(self._file.read())]
        header = {"format": _FORMAT, **settings}
        number = len({entry["path"] for entry in entries[1:]})
        if not resume and number:
            raise OutputError(
                f"{self._shown} keeps {number:,} finished row{'' if number == 1 else 's'} of a run that did not end: "
                "add --resume to go on with them, or delete that file to start again."
            )
        if number and entries[0] != header:
            differing = [f"{key} {value}" for key, value in entries[0].items() if header.get(key) != value]
            other = ", ".join([*differing, *(f"without {key}" for key in header if key not in entries[0])])
            raise OutputError(
                f"{self._shown} keeps rows that were made otherwise ({printable(other)}): give the same options, or "
                "delete that file to start again."
            )
        if not number:
            self._file.clear()
            self._file.append(header)
            return
        self._file.cut_half_line()
        for entry in entries[1:]:
            seen = None if entry["size"] is None else (entry["size"], entry["mtime_ns"])
            self._rows[entry["path"]] = seen, entry["row"]

    def _parsed(self, line: bytes, *, is_header: bool) -> dict[str, Any]:
        try:
            entry = json.loads(line)
            if isinstance(entry, dict) and entry.keys() >= (_HEADER_FIELDS if is_header else _ENTRY_FIELDS):
                return entry
        except ValueError:
            pass
        raise OutputError(f"{self._shown} is damaged: move it away to start again.")


def _key(photo: Path) -> str:
    return os.path.abspath(photo)  # noqa: PTH100 - resolve() would take a link for its photo


def _fingerprint(photo: Path) -> tuple[int, int] | None:
    try:
        status = photo.stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def _ready_for_json(settings: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(settings))
