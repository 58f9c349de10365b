"""The one store of a run's finished folds, and the results that are made of them.

    RUN/folds/METHOD/FOLD.json      ablation, adaptation curve, leave-one-out
    RUN/splits/FOLD.json            the repeated splits of fine-tuning
    RUN/k-K-S-S/FOLD.json           the parameter study

A fold's file is written once, when the fold is finished. `results.json` and the predictions beside it are for readers:
they are made of these files, all of them, each time, and say nothing that the files do not hold.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from metaiqa_core.files import file_name_for
from metaiqa_core.foreign_text import name_text
from metaiqa_core.results.finished_fold import FinishedFold, read_fold
from metaiqa_core.results.older_folds import complete
from metaiqa_core.results.records import ResultRecord
from metaiqa_core.results.storage import write_run

METHOD_FOLDERS = "folds"
SPLITS = "splits"
_FOLDERS = (f"{METHOD_FOLDERS}/*", SPLITS, "k-*-S-*")
_NO_FOLDS = ("recipe.json", "prior.json")
"""Other files in those folders: the recipe of the folds, and the card of a setting's prior."""


def folder_of_method(method: str) -> str:
    """Return the folder of a method's finished folds, relative to the run's folder."""
    return f"{METHOD_FOLDERS}/{file_name_for(method)}"


class FoldStore:
    """Keeps finished folds and makes results of them.

    Args:
        folder: Folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folds: dict[str, FinishedFold] = {}
        self._records: dict[str, list[ResultRecord]] = {}
        self._unwritten: dict[str, pd.DataFrame] = {}

    def gather(self) -> None:
        """Read all folds that the run holds, so that its results keep the measurements of earlier commands.

        Raises:
            EvaluationError: If a fold is damaged.
            ResultsError: If the results of a run of version 0.1 are damaged.
        """
        files = [file for folder in _FOLDERS for file in self._folder.glob(f"{folder}/*.json")]
        files = [file for file in sorted(files) if file.name not in _NO_FOLDS]
        found = {file: fold for file in files if (fold := read_fold(file))}
        older = {file: fold for file, fold in found.items() if not fold.method}
        if older:
            names = {_name_of(file, fold): fold for file, fold in older.items()}
            completed = complete(self._folder, names)
            found |= {file: completed.get(_name_of(file, fold), fold) for file, fold in older.items()}
        for file, fold in found.items():
            if fold.method:  # nothing is known about an older one that no results named; its own command knows it
                self._add(file, fold)

    def keep(self, file: Path, fold: FinishedFold) -> None:
        """Keep a fold, which becomes the last of the results.

        A fold that is there already keeps its date and version; its file is written again only if another
        field has changed, such as the folder of the images.

        Raises:
            OSError: If the disk refuses.
        """
        name = _name_of(file, fold)
        stored = read_fold(file)
        earlier = stored if stored and stored.method else self._folds.get(name)
        if earlier and earlier.split == fold.split:
            fold = replace(fold, date=earlier.date, code_version=earlier.code_version)
        if fold != stored:
            fold.write(file)
        self._add(file, fold)

    def publish(self) -> None:
        """Write the results of all folds except for those with constant predictions, which have no correlation.

        Raises:
            ResultsError: If the run's results are damaged.
            OSError: If the disk refuses.
        """
        for name, fold in self._folds.items():
            if name not in self._records:
                self._records[name] = fold.records(name_text(self._folder.name), name)
                self._unwritten[name] = fold.frame()
        if self._folds:
            records = [record for name in self._folds for record in self._records[name]]
            write_run(self._folder, records, self._unwritten)
            self._unwritten = {}

    def _add(self, file: Path, fold: FinishedFold) -> None:
        name = _name_of(file, fold)
        if self._folds.pop(name, None) != fold:
            self._records.pop(name, None)
        if not fold.split.collapsed:
            self._folds[name] = fold


def _name_of(file: Path, fold: FinishedFold) -> str:
    """Return the name of a fold's predictions."""
    if file.parent.name == SPLITS:
        return f"split-{fold.split.seed}"
    return file_name_for(f"{file.parent.name}-{file.stem}")
