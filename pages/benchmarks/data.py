"""The data of the result pages: published columns, own runs and uploads, gathered and labelled; own runs are cached."""

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from metaiqa_core.assets import ASSETS
from metaiqa_core.errors import ResultsError
from metaiqa_core.foreign_text import name_text
from metaiqa_core.results import published, significance, storage
from metaiqa_core.results.records import Measured, Protocol, ResultRecord, Uploaded
from metaiqa_core.settings import read_settings
from pages.benchmarks import linked_runs
from pages.benchmarks.my_results import MyResults
from pages.shared.plain import plain

Columns = dict[str, list[ResultRecord]]


def own_runs() -> tuple[list[storage.RunSummary], list[str]]:
    """Return runs, one's own first and the newest first, and one sentence for each results file that was skipped."""
    runs: dict[str, storage.RunSummary] = {}
    problems = []
    for folder in filter(_may_be_read, storage.run_folders()):
        found, skipped = _runs_in(os.fsencode(folder), tuple(sorted(_stamps(folder))))
        for run in filter(lambda run: _may_be_read(run.folder), found):
            runs.setdefault(run.name, run)
        problems += skipped
    return list(runs.values()), problems


def _may_be_read(folder: Path) -> bool:
    """Return whether the settings allow this folder; what comes with the program is always allowed."""
    return folder.resolve().is_relative_to(ASSETS) or read_settings().allows(folder)


@st.cache_resource(max_entries=4, show_spinner=False)
def _runs_in(folder: bytes, stamps: tuple) -> tuple[list[storage.RunSummary], list[str]]:
    runs, problems = storage.find_runs(Path(os.fsdecode(folder)))
    return sorted(runs, key=lambda run: run.date, reverse=True), problems


def _stamps(folder: Path) -> list[tuple[bytes, int, int]]:
    """Return name, time and size of every results file: they change when a run is written; no file is read.

    Names and folders are bytes, because Streamlit's cache takes no text that is not UTF-8.
    """
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    status = (Path(entry.path) / storage.RESULTS_FILE).stat()
                    found.append((os.fsencode(entry.name), status.st_mtime_ns, status.st_size))
    except OSError:
        return []
    return found


def runs_with(
    runs: Iterable[storage.RunSummary], protocols: Sequence[Protocol], databases: Sequence[str] | None = None
) -> list[storage.RunSummary]:
    """Return the runs that hold records of one of the protocols, on one of the databases if given."""
    return [
        run
        for run in runs
        if any(protocol in protocols and (databases is None or name in databases) for protocol, name in run.contents)
    ]


def choose_runs(runs: Sequence[storage.RunSummary], key: str, shown: int) -> list[storage.Run]:
    """Let the user choose among runs, the newest by default, and read those; a damaged one is named and left out."""
    if not runs:
        return []
    names = [run.name for run in runs]
    first = linked_runs.shown_first(names, key, shown)
    chosen = st.multiselect(
        "Measured runs", names, default=first, key=key, bind="query-params", on_change=linked_runs.forget
    )
    read = []
    for run in runs:
        if run.name in chosen:
            try:
                read.append(read_run(run.folder))
            except ResultsError as error:
                st.warning(plain(str(error)))
    return read


def read_run(folder: Path) -> storage.Run:
    """Read a run, cached for as long as its results file does not change.

    Raises:
        ResultsError: If the file is damaged.
    """
    try:
        status = (folder / storage.RESULTS_FILE).stat()
    except OSError:
        raise ResultsError(f"The run {name_text(folder.name)} is not there any more.") from None
    return _read_run(os.fsencode(folder), status.st_mtime_ns, status.st_size)


@st.cache_resource(max_entries=64, show_spinner=False)
def _read_run(folder: bytes, modified: int, size: int) -> storage.Run:
    return storage.read_run(Path(os.fsdecode(folder)))


def imitations(database: str) -> list[str]:
    """Return a database's name followed by the names of its re-syntheses."""
    return [database, *(name for name, original in published.RESYNTHESES.items() if original == database)]


def columns_of(
    database: str, printed: Iterable[ResultRecord], runs: Iterable[storage.Run], uploads: Iterable[ResultRecord]
) -> Columns:
    """Return the SROCC records of each column of a leave-one-distortion-out table, by the label that they bear.

    Published methods keep their names. Own runs are labelled with method and run, and with their database where it is
    a re-synthesis of the one shown; uploads say that they are yours.
    """
    columns: Columns = {}
    own = [record for run in runs for record in run.records]
    for record in [*printed, *own, *uploads]:
        if record.protocol != Protocol.LEAVE_ONE_DISTORTION_OUT or record.metric != "srocc":
            continue
        if record.distortion_type is not None and record.database in imitations(database):
            label = " · ".join(label_lines(record, database))
            columns.setdefault(label, []).append(replace(record, label=label))
    return columns


def label_lines(record: ResultRecord, database: str) -> list[str]:
    """Return the lines of a record's label above a narrow column, when `database` is shown."""
    parts = [record.method]
    if isinstance(record.source, Measured):
        parts.append(record.source.run)
    elif isinstance(record.source, Uploaded):
        parts.append("yours")
    if record.database != database:
        parts.append(record.database)
    return parts


def predictions_of(record: ResultRecord, mine: MyResults | None = None) -> pd.DataFrame | None:
    """Return the per-image predictions behind a record, of a run or uploaded; None where there are none.

    Raises:
        ResultsError: If they were kept but cannot be read.
    """
    source = record.source
    if isinstance(source, Uploaded):
        return mine.predictions_of(record) if mine else None
    if not isinstance(source, Measured) or source.predictions is None:
        return None
    places = [folder / source.run for folder in storage.run_folders()]
    run = read_run(next((place for place in places if (place / storage.RESULTS_FILE).is_file()), places[0]))
    if source.predictions not in run.predictions:
        return None
    return _predictions(run, source.predictions, run.predictions[source.predictions].sha256)


@st.cache_data(max_entries=64, show_spinner=False)
def _predictions(_run: storage.Run, name: str, sha256: str) -> pd.DataFrame:
    return storage.read_predictions(_run, name)


@st.cache_data(max_entries=256, show_spinner="Comparing on the same images …")
def compared(first: pd.DataFrame, second: pd.DataFrame) -> significance.PairedComparison:
    """Return the paired comparison of two sets of predictions, cached."""
    return significance.compare(first, second)
