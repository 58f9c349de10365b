"""The one place where own runs are written and read.

A run is a folder in the runs folder:

    RUN/results.json                       records, their sources, and the list of prediction files
    RUN/predictions/NAME.HASH.parquet      per-image predictions of one cell and seed (`predictions.COLUMNS`)

`results.json` (schema 1) is an object with `format` = "metaiqa-results", `schema_version`, `configurations`, `sources`
(each points to its configuration), `records` (each points to its source; its `label` is left out where that is the
method) and `predictions` (name: file, sha256, rows). It is written last and whole, so a reader sees the run before or
after a write, never half of it. Finding runs builds no record, reading a run opens no prediction file;
`read_predictions` does, for one cell.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from metaiqa_core.assets import ASSETS
from metaiqa_core.errors import ResultsError
from metaiqa_core.files import write_text
from metaiqa_core.foreign_text import name_text
from metaiqa_core.json_files import read_json, validated
from metaiqa_core.results import predictions
from metaiqa_core.results.predictions import PredictionFile
from metaiqa_core.results.records import Measured, ResultRecord
from metaiqa_core.results.stored_run import FORMAT, SCHEMA_VERSION, StoredRecord, StoredRun
from metaiqa_core.settings import runs_folder

RESULTS_FILE = "results.json"
_MAXIMUM_BYTES = 50 * 2**20
SHIPPED_RUNS = ASSETS / "runs"
"""Runs that come with the program."""


@dataclass(frozen=True)
class Run:
    """One own run.

    Attributes:
        folder: Folder of the run; its name, as UTF-8 text (`name_text`), is the run's name.
        records: Numbers of the run; every source is a `Measured`.
        predictions: Stored prediction files by name.
    """

    folder: Path
    records: tuple[ResultRecord, ...]
    predictions: Mapping[str, PredictionFile]

    @property
    def name(self) -> str:
        """Name of the run."""
        return name_text(self.folder.name)


@dataclass(frozen=True)
class RunSummary:
    """Summary of a run, known before its records are read.

    Attributes:
        folder: Folder of the run; its name, as UTF-8 text (`name_text`), is the run's name.
        date: Date of the last measurement, ISO 8601; "" if there is none.
        contents: Pairs (protocol, database) of the records that the run holds.
    """

    folder: Path
    date: str
    contents: frozenset[tuple[str, str]]

    @property
    def name(self) -> str:
        """Name of the run."""
        return name_text(self.folder.name)


def run_folders() -> list[Path]:
    """Return all folders of runs: that of own runs before that of the runs that come with the program."""
    return [runs_folder().resolve(), SHIPPED_RUNS]


def write_run(folder: Path, records: Iterable[ResultRecord], frames: Mapping[str, pd.DataFrame] | None = None) -> Run:
    """Write a run, whole or not at all; call it again with more records as a protocol advances.

    Args:
        folder: Folder of the run; created if needed. Its name must be the `run` of every record's source.
        records: Records of all numbers of the run, earlier ones included.
        frames: Per-image predictions by the name that `Measured.predictions` gives; each with the columns
            `predictions.COLUMNS`. Names stored by an earlier call need not be given again.

    Raises:
        ResultsError: If a record does not belong to this run, or predictions are malformed, unused or missing.
        OSError: If the disk refuses.
    """
    records, frames, run = tuple(records), dict(frames or {}), name_text(folder.name)
    for record in records:
        if not isinstance(record.source, Measured) or record.source.run != run:
            raise ResultsError(f"Only results measured in the run {run} can be written there, got one {record.source}.")
    sources = [record.source for record in records if isinstance(record.source, Measured)]
    named = {source.predictions for source in sources if source.predictions is not None}
    if unused := sorted(set(frames) - named):
        raise ResultsError(f"No record of the run {run} names the predictions {', '.join(unused)}.")
    stored = dict(read_run(folder).predictions) if (folder / RESULTS_FILE).exists() else {}
    stored = {name: entry for name, entry in stored.items() if name in named}
    if missing := sorted(name for name in named if name not in frames and name not in stored):
        raise ResultsError(f"The run {run} names predictions that were not given: {', '.join(missing)}.")
    for name, frame in frames.items():
        stored[name] = predictions.write(folder, name, frame)
    write_text(folder / RESULTS_FILE, _to_json(records, stored))
    for old in (folder / predictions.FOLDER).glob("*.parquet"):  # a file that no name points to any more
        if old.name not in {entry.file for entry in stored.values()}:
            old.unlink()
    return Run(folder, records, stored)


def read_run(folder: Path) -> Run:
    """Read a run's records; predictions stay on disk.

    Raises:
        ResultsError: If `results.json` is missing, too large, damaged, foreign or of another version.
    """
    content, run = _read_content(folder), name_text(folder.name)
    try:
        sources = [
            Measured(**{**vars(source), "configuration": _pointed_to(content.configurations, source.configuration)})
            for source in content.sources
        ]
        records = tuple(_record(entry, sources) for entry in content.records)
    except ResultsError as error:
        raise ResultsError(f"{run}/{RESULTS_FILE} is damaged: {error}") from None
    files = content.predictions
    if any(source.run != run for source in sources):
        # A copied or renamed folder: the numbers are sound, the name that people see is the folder's.
        sources_renamed = {source: replace(source, run=run) for source in sources}
        records = tuple(replace(record, source=sources_renamed[record.source]) for record in records)  # type: ignore[index]
    return Run(folder, records, files)


def find_runs(folder: Path) -> tuple[list[RunSummary], list[str]]:
    """Look at every run in a runs folder.

    Returns:
        The runs by name, and one sentence for each results file that was skipped. A folder without a results file is a
        run that has not measured anything yet and is passed over.
    """
    runs, problems = [], []
    for path in sorted(folder.glob(f"*/{RESULTS_FILE}")):
        try:
            runs.append(_summary(path.parent))
        except ResultsError as error:
            problems.append(str(error))
    return runs, problems


def read_predictions(run: Run, name: str) -> pd.DataFrame:
    """Read one cell's per-image predictions, with the columns `predictions.COLUMNS`.

    Raises:
        ResultsError: If the file is missing or is not the one that the run wrote.
    """
    entry = run.predictions.get(name)
    if entry is None:
        raise ResultsError(f"The run {run.name} stores no predictions called {name}.")
    return predictions.read(run.folder, entry)


def _read_content(folder: Path) -> StoredRun:
    path, run = folder / RESULTS_FILE, name_text(folder.name)
    try:
        if path.stat().st_size > _MAXIMUM_BYTES:
            raise ResultsError(f"{run}/{RESULTS_FILE} is larger than 50 MiB, which no run writes: remove it.")
        content = read_json(path, _MAXIMUM_BYTES)
    except FileNotFoundError:
        raise ResultsError(f"The run {run} has no {RESULTS_FILE} yet.") from None
    except (OSError, ValueError):
        raise ResultsError(f"{run}/{RESULTS_FILE} is damaged: it is not readable JSON. Run it again.") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ResultsError(f"{run}/{RESULTS_FILE} was not written by this program: its format is not {FORMAT}.")
    if content.get("schema_version") != SCHEMA_VERSION:
        raise ResultsError(
            f"{run}/{RESULTS_FILE} has schema version {content.get('schema_version')!r:.20}, "
            f"this program reads {SCHEMA_VERSION}."
        )
    try:
        return validated(StoredRun, content)
    except ValueError as error:
        raise ResultsError(f"{run}/{RESULTS_FILE} is damaged: {error}. Run it again.") from None


def _summary(folder: Path) -> RunSummary:
    content = _read_content(folder)
    contents = frozenset((str(record.protocol), record.database) for record in content.records)
    return RunSummary(folder, max((source.date for source in content.sources), default=""), contents)


def _to_json(records: tuple[ResultRecord, ...], files: Mapping[str, PredictionFile]) -> str:
    configurations, sources = _Distinct(), _Distinct()
    entries = []
    for record in records:
        source = asdict(record.source)
        source["configuration"] = configurations.place({**source["configuration"]})
        entries.append({**_shallow(record), "source": sources.place(source)})
    content = {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "configurations": configurations.values,
        "sources": sources.values,
        "records": entries,
        "predictions": {name: asdict(entry) for name, entry in sorted(files.items())},
    }
    return json.dumps(content, indent=1, allow_nan=False)


class _Distinct:
    """JSON values, each kept once and found by its position."""

    def __init__(self) -> None:
        self.values: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}

    def place(self, value: dict[str, Any]) -> int:
        place = self._places.setdefault(json.dumps(value), len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place


def _shallow(record: ResultRecord) -> dict[str, Any]:
    content = {entry.name: getattr(record, entry.name) for entry in fields(record)}
    if record.label == record.method:
        del content["label"]
    return content


def _record(entry: StoredRecord, sources: list[Measured]) -> ResultRecord:
    return ResultRecord(**{**vars(entry), "source": _pointed_to(sources, entry.source)})


def _pointed_to(values: list[Any], place: int) -> Any:
    if not 0 <= place < len(values):
        raise ResultsError(f"it points to entry {place} of a list of {len(values)}.")
    return values[place]
