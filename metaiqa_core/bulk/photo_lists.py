"""Lists of photos that may be longer than memory is wide: a manifest, read anew each time, or paths at hand.

A manifest is a Parquet file, a CSV file with a header, or a text file with one path a line. Its relative paths start
from its own folder, wherever the process that reads the photo was started.
"""

import csv
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from metaiqa_core.errors import DatabaseError
from metaiqa_core.foreign_text import path_from_text, path_text, printable, text_from_csv

COLUMNS = ("file", "image", "path")
"""Columns of a manifest that are looked for, in this order: those of `score`, of a CSV database, and of others."""
_ROWS_AT_ONCE = 10_000
_LOOKED_AT = 1000
"""Number of photos of which a manifest must name one that exists."""


class ListedPhoto(NamedTuple):
    """A photo of a list.

    Attributes:
        file: Name in its row, UTF-8, as the list writes it.
        path: Absolute path.
    """

    file: str
    path: str


class PhotoList(Protocol):
    """Photos in order; iterating again gives the same ones again."""

    def __iter__(self) -> Iterator[ListedPhoto]:
        """Yield the photos."""


@dataclass(frozen=True)
class PhotoPaths:
    """Photos whose paths are at hand.

    Attributes:
        paths: Paths, relative ones from the folder of this process.
    """

    paths: Sequence[Path]

    def __iter__(self) -> Iterator[ListedPhoto]:
        """Yield the photos."""
        for path in self.paths:
            yield ListedPhoto(path_text(path), os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links


@dataclass(frozen=True)
class Manifest:
    """Photos that a file names.

    Attributes:
        path: The file: `.parquet`, `.csv`, or text with one path a line.
        column: Column of a table that holds the paths; None in a text file.
    """

    path: Path
    column: str | None = None

    def __iter__(self) -> Iterator[ListedPhoto]:
        """Yield the photos; empty cells and lines are left out.

        Raises:
            DatabaseError: If the file cannot be read any more, or is none of text.
        """
        folder = os.path.dirname(os.path.abspath(self.path))  # noqa: PTH100, PTH120 - a million of them
        try:
            for name in self._names():
                if "\0" in name:
                    raise ValueError("it holds bytes of value zero, as pictures and UTF-16 text do")
                yield ListedPhoto(path_text(name), os.path.join(folder, name))  # noqa: PTH118
        except (OSError, ValueError, csv.Error) as error:
            raise _unreadable(self.path, error) from error

    def refuse_without_files(self) -> None:
        """Refuse a manifest whose first photos are all missing, as those of a wrong column or folder are.

        One that misses some of its photos is scored: they become rows with their reason.

        Raises:
            DatabaseError: If none of the first photos exists here, or the file cannot be read.
        """
        photos = list(islice(self, _LOOKED_AT))
        if not photos or any(os.path.lexists(photo.path) for photo in photos):
            return
        column, remedy = "", "correct the paths."
        if self.column is not None:
            column = f" in its column {printable(self.column)}"
            remedy = "correct the paths, or name another column with --column."
        others = f", nor any other of the first {len(photos):,}" if len(photos) > 1 else ""
        raise DatabaseError(
            f"The manifest {printable(str(self.path))} must name photos{column}, as paths from its own folder or from "
            f"the root on, but there is no file {printable(photos[0].file):.80}{others}: {remedy}"
        )

    def _names(self) -> Iterator[str]:
        if self.column is None:
            with self.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
                yield from filter(None, (line.rstrip("\r\n") for line in file))
            return
        cells = _parquet_cells(self.path, self.column) if _is_parquet(self.path) else _csv_cells(self.path, self.column)
        for cell in cells:
            if cell:
                yield str(path_from_text(cell))


def open_manifest(path: Path, column: str | None = None) -> Manifest:
    """Look at a manifest, and find the column of its paths.

    Args:
        path: The file.
        column: Name of the column; None: the first of `COLUMNS`, or the only one.

    Raises:
        DatabaseError: If the file cannot be read, or has no such column.
    """
    try:
        path.open("rb").close()  # the reason in the system's words, whatever library reads it then
        if _is_parquet(path):
            names = _parquet_columns(path)
        elif path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                names = [name.strip() for name in next(csv.reader(file, skipinitialspace=True), [])]
        else:
            if column is not None:
                raise DatabaseError(f"{path.name} is read as text with one path a line, which has no columns.")
            return Manifest(path)
    except (OSError, ValueError, csv.Error) as error:
        raise _unreadable(path, error) from error
    wanted = [column] if column else [name for name in COLUMNS if name in names] or names[:1] * (len(names) == 1)
    if not wanted or names.count(wanted[0]) != 1:
        found = printable(", ".join(names[:8])) or "none"
        raise DatabaseError(
            f"{path.name} must have one column {column or ' or '.join(COLUMNS)} with the paths, found {found}: name "
            "the column with --column."
        )
    return Manifest(path, wanted[0])


def digest_of(photos: PhotoList) -> tuple[int, str]:
    """Return the number of photos of a list, and a SHA-256 of their names in order."""
    count, digest = 0, hashlib.sha256()
    for photo in photos:
        count += 1
        digest.update(photo.path.encode(errors="surrogateescape") + b"\n")
    return count, digest.hexdigest()


def parts_of(photos: PhotoList, size: int) -> Iterator[list[ListedPhoto]]:
    """Yield the photos in parts of `size`; the last one may be smaller."""
    remaining = iter(photos)
    while part := list(islice(remaining, size)):
        yield part


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


def _parquet_columns(path: Path) -> list[str]:
    import pyarrow.parquet as pq  # what other manifests need not wait for

    return pq.read_schema(path).names


def _parquet_cells(path: Path, column: str) -> Iterator[str | None]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=[column]):
            for cell in batch.column(0).to_pylist():
                if cell is not None and not isinstance(cell, str):
                    raise ValueError(f"the column {column} holds {type(cell).__name__}, not text")
                yield cell


def _csv_cells(path: Path, column: str) -> Iterator[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, skipinitialspace=True)
        place = [name.strip() for name in next(rows)].index(column)
        for row in rows:
            yield text_from_csv(row[place]) if place < len(row) else ""


def _unreadable(path: Path, error: Exception) -> DatabaseError:
    reason = getattr(error, "strerror", None) or str(error).rstrip(".")
    return DatabaseError(
        f"The manifest {printable(str(path))} cannot be read ({reason}): expected a Parquet file, a CSV file with a "
        "header, or a text file with one path a line, in UTF-8."
    )
