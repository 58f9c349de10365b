"""The folder of a bulk scoring: its parts as Parquet files, each written whole, and a record of what they hold.

    OUTPUT/
        _scoring.json          model, engine, number of photos and of photos a part, a hash of the photos' names
        part-000000.parquet    rows of the first photos, in the order of the list
        part-000001.parquet

A part exists once all of its photos have their rows, so that a run that was killed goes on with the others. Names that
begin with `_` or `.` are no part of a data set for pandas, Arrow and Spark, which read the folder as one table.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from metaiqa_core.assessment import ROW_FIELDS
from metaiqa_core.errors import OutputError
from metaiqa_core.files import is_full_disk, write_text, write_whole
from metaiqa_core.foreign_text import printable

RECORD = "_scoring.json"
_FORMAT = 1
_NUMBERS = (
    "score",
    "interval_low",
    "interval_high",
    "interval_level",
    "percentile",
    "score_at_full_size",
)
_WHOLE_NUMBERS = ("width", "height")
SCHEMA = pa.schema(
    [
        (name, pa.float64() if name in _NUMBERS else pa.int64() if name in _WHOLE_NUMBERS else pa.string())
        for name in ROW_FIELDS
    ]
)
"""Columns of a part; every one has its type, also where all values are missing."""


class ScoreFolder:
    """Holds the finished parts of one list of photos.

    Args:
        path: The folder; it is made where it does not exist.
        settings: Everything that the rows depend on, ready for JSON; its `part_size` may be None: that of an earlier
            run, or the default.
        part_size: Default number of photos in a part.

    Raises:
        OutputError: If the folder holds something else, or rows that were made otherwise.
        OSError: If the system refuses.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], *, part_size: int) -> None:
        self.path = path
        self._shown = printable(str(path))
        if path.exists() and not path.is_dir():
            raise OutputError(f"{self._shown} is a file: name a folder for the parts of the output.")
        record = path / RECORD
        if not record.exists() and path.is_dir() and any(path.iterdir()):
            raise OutputError(f"{self._shown} holds other files: name a new or an empty folder for the output.")
        wanted = {"format": _FORMAT, **settings}
        if record.exists():
            self.settings = self._settings_of_earlier_run(record, wanted)
        else:
            self.settings = wanted | {"part_size": wanted["part_size"] or part_size}
            path.mkdir(parents=True, exist_ok=True)
            write_text(record, json.dumps(self.settings, indent=2) + "\n")

    def failed_rows(self, number: int, rows: int) -> int | None:
        """Return how many photos of a part failed, or None where the part is not finished.

        Args:
            number: Number of the part, from 0.
            rows: Number of its photos; a part with another number of rows counts as not finished.
        """
        try:
            with pq.ParquetFile(self._part(number)) as part:
                if part.metadata.num_rows != rows or part.schema_arrow.names != SCHEMA.names:
                    return None
                return rows - part.read(columns=["error"]).column("error").null_count
        except (FileNotFoundError, pa.ArrowInvalid):
            return None

    def write(self, number: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write a part, whole or not at all.

        Raises:
            OutputError: If the disk is full or the system refuses.
        """
        table = pa.Table.from_pylist(list(rows), schema=SCHEMA)
        try:
            write_whole(self._part(number), lambda temporary: pq.write_table(table, temporary, compression="zstd"))
        except OSError as error:
            reason = "The disk is full" if is_full_disk(error) else f"The system refused it ({error.strerror or error})"
            remedy = "make room" if is_full_disk(error) else "mend that"
            raise OutputError(
                f"{reason}, so {self._shown} is not finished: its parts are kept; {remedy} and start the same command "
                "again to go on from there."
            ) from error

    def _part(self, number: int) -> Path:
        return self.path / f"part-{number:06}.parquet"

    def _settings_of_earlier_run(self, record: Path, wanted: dict[str, Any]) -> dict[str, Any]:
        try:
            found = json.loads(record.read_text(encoding="utf-8"))
            if not isinstance(found, dict) or not isinstance(found["part_size"], int) or found["part_size"] < 1:
                raise ValueError
        except (ValueError, KeyError) as error:
            raise OutputError(f"{printable(str(record))} is damaged: name another folder for the output.") from error
        if wanted["part_size"] is None:
            wanted["part_size"] = found["part_size"]
        if differing := [name for name in wanted if wanted[name] != found.get(name)]:
            told = ", ".join(f"{_WORDS.get(name, name)} {found.get(name)}" for name in differing)
            raise OutputError(
                f"{self._shown} holds rows that were made otherwise ({printable(told)}): give the same photos and "
                "options to go on with them, or name another folder."
            )
        return found


_WORDS = {"photos_sha256": "a list of photos with the SHA-256", "photos": "the number of photos"}
