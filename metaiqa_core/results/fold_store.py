"""The one store of a run's finished folds, and the results that are made of them.

    RUN/folds/METHOD/FOLD.json      ablation, adaptation curve, leave-one-out
    RUN/splits/FOLD.json            the repeated splits of fine-tuning
    RUN/k-K-S-S/FOLD.json           the parameter study

A fold's file is written once, when the fold is finished. `results.json` and the predictions beside it are for readers:
they are made of these files, all of them, each time, and say nothing that the files do not hold.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

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
        self._folds: dict[Path, FinishedFold] = {}
        self._published: dict[Path, tuple[str, list[ResultRecord]]] = {}
        """The name of a fold's predictions in the results, and its records."""

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
            names = self._names_of(older)
            completed = complete(self._folder, {names[file]: fold for file, fold in older.items()})
            found |= {file: completed.get(names[file], fold) for file, fold in older.items()}
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
        stored = read_fold(file)
        earlier = stored if stored and stored.method else self._folds.get(file)
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
        names, published, unwritten = self._names_of(self._folds), dict(self._published), {}
        for file, fold in self._folds.items():
            name = names[file]
            if file not in published or published[file][0] != name:
                published[file] = name, fold.records(name_text(self._folder.name), name)
                unwritten[name] = fold.frame()
        if self._folds:
            write_run(self._folder, [record for file in self._folds for record in published[file][1]], unwritten)
            self._published = published  # only now: what a full disk refused is written the next time

    def _add(self, file: Path, fold: FinishedFold) -> None:
        if self._folds.pop(file, None) != fold:
            self._published.pop(file, None)
        if not fold.split.collapsed:
            self._folds[file] = fold

    def _names_of(self, folds: Mapping[Path, FinishedFold]) -> dict[Path, str]:
        """Return the names of the folds' predictions, each of which is one fold's alone.

        The folders A-B and A may hold folds called x and B-x: both would be A-B-x. Then both get their whole path with
        its hash, whichever came first.
        """
        names = {file: _name_of(file, fold) for file, fold in folds.items()}
        times = Counter(names.values())
        return {
            file: name if times[name] == 1 else file_name_for(file.relative_to(self._folder).with_suffix("").as_posix())
            for file, name in names.items()
        }


def _name_of(file: Path, fold: FinishedFold) -> str:
    """Return the name of a fold's predictions, which another fold may have too."""
    if file.parent.name == SPLITS:
        return f"split-{fold.split.seed}"
    return file_name_for(f"{file.parent.name}-{file.stem}")
