"""The folder that an experiment works in: what it has finished stays there, and is not computed again."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.experiments.workers import Workers
from metaiqa_core.files import write_text
from metaiqa_core.foreign_text import name_text, printable
from metaiqa_core.training.fingerprint import is_same_recipe

Item = TypeVar("Item")


@dataclass(frozen=True)
class RunFolder:
    """The folder of an experiment, and the processes that work in it.

    Attributes:
        folder: Folder of the run, created if needed; its name is the name of the run ("." takes the folder's own name).
        workers: Processes that share the folds; None: this process computes all of them.
        shard: (i, n), to compute only every n-th fold from the i-th, counted from 1, and publish nothing: for workers.
        tensorboard: Whether to write TensorBoard's event files beside `metrics.csv`.
        command: Command line that repeats the run, for the cards of models.
    """

    folder: Path
    workers: Workers | None = None
    shard: tuple[int, int] | None = None
    tensorboard: bool = False
    command: str = "called from Python"

    def __post_init__(self) -> None:
        if self.folder.name in ("", ".."):  # ".", "..", "runs/..": what it is called is known only to the disk
            object.__setattr__(self, "folder", self.folder.resolve())
        if not self.folder.name:
            raise TrainingError("The run's folder has no name, and the run goes by it: choose a folder below it.")
        place = next((place for place in (self.folder, *self.folder.parents) if os.path.lexists(place)), None)
        if place and not place.is_dir():
            raise TrainingError(
                f"The run's folder {printable(str(self.folder))} cannot be made: {printable(str(place))} is not a "
                "folder. Choose another place."
            )
        if self.shard and not 1 <= self.shard[0] <= self.shard[1]:
            raise ValueError("a shard (i, n) needs i from 1 to n, got ({}, {})".format(*self.shard))

    @property
    def name(self) -> str:
        """Name of the run as UTF-8 text, and of its model where that is given no other."""
        return name_text(self.folder.name)

    @property
    def log_folder(self) -> Path:
        """Folder of this process's curves: the run's own, or one of the workers'."""
        return self.folder / "workers" / str(self.shard[0]) if self.shard else self.folder

    def part_of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return the part of the items that is this process's."""
        return items if self.shard is None else items[self.shard[0] - 1 :: self.shard[1]]

    def claim(self, place: str, recipe: Mapping[str, Any], fingerprints: Mapping[str, str]) -> None:
        """Refuse folds that were made otherwise: their numbers would pass for this run's.

        Args:
            place: Folder of the finished folds, within the run's folder.
            recipe: Recipe of the folds with the hash of the start's weights, ready for JSON.
            fingerprints: Fingerprint (`Database.fingerprint`) of each database that the folds use, by its name.

        Raises:
            TrainingError: If another recipe, or images of the same name that are others, made them.
        """
        folder = self.folder / place
        content = json.dumps({**recipe, "databases": dict(fingerprints)}, indent=2, ensure_ascii=False, allow_nan=False)
        file, content = folder / "recipe.json", f"{content}\n"
        if not file.exists():
            write_text(file, content)
        elif not is_same_recipe(file.read_text(encoding="utf-8"), content):
            raise TrainingError(
                f"The splits in {folder} were made by another configuration, from other weights or of other images: "
                "choose another --run-dir, or delete it."
            )


def common_folder(database: Database) -> str | None:
    """Return the folder that holds all images of a database, from which result pages show them; None without one."""
    folders = {image.path.parent.resolve() for image in database}
    return name_text(str(folders.pop())) if len(folders) == 1 else None
