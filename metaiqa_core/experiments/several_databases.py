"""Experiments that learn from several databases: what they judge, hold out and write on the card alike."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.evaluation.calibration import calibrate_on_several
from metaiqa_core.evaluation.protocols import Fold
from metaiqa_core.experiments.held_out import HeldOut, held_out_accuracy, write_held_out
from metaiqa_core.experiments.new_model import NewModel, NewModelConfig, measured_accuracy, new_card
from metaiqa_core.experiments.repeated_splits import RepeatedSplits, judge_by_splits, split_candidate
from metaiqa_core.experiments.run_folder import RunFolder
from metaiqa_core.experiments.start import Start
from metaiqa_core.experiments.trainer import Trainer
from metaiqa_core.models.checkpoints import save_checkpoint
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.training.studies import refuse_shared_photos

NATIVE_SIDE = 64
"""Images that were made from references are seen at their own size: their damage is measured in pixels."""


@dataclass(frozen=True, kw_only=True)
class SeveralDatabasesConfig(NewModelConfig):
    """Settings of what is judged and held out, besides those of `NewModelConfig`.

    Attributes:
        judged: Name of the database that repeated splits measure on; "" takes the first one.
        held_out: Names of image files that nothing learns from, and that the finished model is judged on.
        smallest_side: Short side to which smaller photos are enlarged before the model sees them, pixels.
        half: Whether the model's file holds its weights in half precision.
    """

    judged: str = ""
    held_out: frozenset[str] = frozenset()
    smallest_side: int = NATIVE_SIDE
    half: bool = False


class SeveralDatabases:
    """Databases to learn from, one of which is judged.

    Args:
        databases: Rated images, each database of another name.
        start: Start of the training.
        config: Settings of the experiment.
        named: Names of databases that other settings speak of.

    Attributes:
        databases: The databases by their names.
        judged: Database that repeated splits measure on.
        start: Start of the training.
        preprocessing: Steps from a photo to the network's input.

    Raises:
        DatabaseError: If nothing can be learned from one of the databases.
        TrainingError: If a database is named that is not there, or two have a photo in common.
    """

    def __init__(
        self, databases: Sequence[Database], start: Start, config: SeveralDatabasesConfig, named: Collection[str]
    ) -> None:
        for database in databases:
            require_learnable(database)
        self.databases = {database.name: database for database in databases}
        if unknown := sorted({*named, *filter(None, [config.judged])} - set(self.databases)):
            known = ", ".join(self.databases)
            raise TrainingError(f"There is no database {unknown[0]} among those to learn from: {known}.")
        self.judged = self.databases[config.judged or databases[0].name]
        for number, database in enumerate(databases):
            refuse_shared_photos(databases[number + 1 :], [database])
        self.start = start
        self.preprocessing = replace(start.preprocessing, minimum_side=config.smallest_side)
        self._settings = config

    def preprocessing_of(self, database: Database) -> Preprocessing:
        """Return the steps from a database's image to the network's input."""
        is_made = all(image.reference for image in database)
        return replace(self.preprocessing, minimum_side=NATIVE_SIDE) if is_made else self.preprocessing

    def is_held_out(self, database: Database, position: int) -> bool:
        """Return whether nothing may learn from an image."""
        return database.images[position].name in self._settings.held_out

    def held_out_of(self, database: Database) -> list[int]:
        """Return the positions of a database's images that nothing learns from."""
        return [position for position in range(len(database)) if self.is_held_out(database, position)]

    def judge(
        self,
        trainer_of: Callable[[Fold, Path], Trainer],
        settings: Mapping[str, Any],
        recipe: Mapping[str, Any],
        shown: Collection[str],
        run: RunFolder,
    ) -> Work[RepeatedSplits]:
        """Train and test on repeated splits of the judged database, while the others are learned from whole.

        Args:
            trainer_of: Function that makes a split's trainer, with a file for the state of the unfinished training.
            settings: Settings of each training, JSON-ready.
            recipe: Further settings that the splits depend on, JSON-ready.
            shown: Names of the databases that the model answers like.
            run: Folder of the run; finished splits are not computed again.
        """
        config = self._settings
        candidate = split_candidate(
            config.name or run.name,
            self.start,
            self.preprocessing,
            settings,
            self.judged,
            trainer_of,
            recipe={**recipe, "held_out": sorted(config.held_out)},
            configuration={"databases": ", ".join(self.databases), "shown": ", ".join(shown)},
        )
        seeds = range(config.first_seed, config.first_seed + config.repeats)
        others = [other for other in self.databases.values() if other is not self.judged]
        return (yield from judge_by_splits(candidate, self.judged, seeds, run, others))

    def write_model(
        self,
        network: Regressor,
        measured: RepeatedSplits | None,
        held_out: Sequence[HeldOut],
        run: RunFolder,
        *,
        summary: str,
        images: Mapping[str, int],
        recipe: Mapping[str, Any],
    ) -> NewModel:
        """Write a finished network with its card, and what it says of the held-out images.

        Args:
            network: The network; its batch normalisation is folded, in place.
            measured: Results of the repeated splits; None where none were asked for.
            held_out: Answers of the network for the held-out images.
            run: Folder of the run.
            summary: The model in one sentence.
            images: Number of images that it learned from, by database.
            recipe: Start, settings and data that it was made from, JSON-ready; the command is added.
        """
        config, database = self._settings, self.judged
        write_held_out(run.folder / "held_out.json", held_out)
        network.fold()  # it has learned, and scores faster so
        accuracy = measured_accuracy(measured, database, database.name) if measured else {}
        calibration = None
        if measured and len(measured.splits) > 1:
            others = {one.database: one.on_the_model_s_scale() for one in held_out}
            population = config.population or f"{database.name} photos"
            calibration, accuracy["coverage"] = calibrate_on_several(measured.splits, others, population)
            # Smaller photos are enlarged, and people have rated none of them here.
            smallest = config.smallest_side if config.smallest_side > NATIVE_SIDE else 0
            calibration = replace(calibration, smallest_side=smallest)
        name = config.name or run.name
        card = new_card(
            network,
            self.preprocessing,
            name,
            summary=summary,
            training_data=config.training_data
            or ", ".join(f"{one} ({count:,} images)" for one, count in images.items()),
            licence=config.licence,
            recipe={"command": run.command, **recipe},
            accuracy=accuracy | held_out_accuracy(held_out),
            calibration=calibration,
        )
        file = run.folder / f"{name}.safetensors"
        save_checkpoint(network, card, file, half=config.half)
        return NewModel(measured, network, file)
