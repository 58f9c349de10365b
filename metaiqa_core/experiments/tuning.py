"""Fine-tuning on parts of a database while images of other databases are rehearsed, as both its experiments do it."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from metaiqa_core.databases.learnable import require_learnable
from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.experiments.start import Start
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.progress import Work
from metaiqa_core.tasks import split_by_group
from metaiqa_core.training.configuration import LEAST_STEPS, RECOMMENDED, FineTuneConfig, enough_epochs
from metaiqa_core.training.finetune import fine_tune
from metaiqa_core.training.photos import TrainingPhotos


@dataclass(frozen=True)
class TuningConfig:
    """Settings of fine-tuning.

    Attributes:
        tuning: Settings of fine-tuning.
        least_steps: Least number of steps; small training sets get more epochs to reach it.
        rehearsal_share: Number of rehearsed images, drawn by the seed, as a share of the number of training photos.
    """

    tuning: FineTuneConfig = RECOMMENDED
    least_steps: int = LEAST_STEPS
    rehearsal_share: float = 0.5

    def __post_init__(self) -> None:
        if not math.isfinite(self.rehearsal_share):
            raise ValueError(f"--rehearsal-share must be a finite number, got {self.rehearsal_share}.")
        if self.rehearsal_share <= 0:
            raise ValueError(f"--rehearsal-share must be above 0, got {self.rehearsal_share:g}.")


class Tuning:
    """A start, the images that it is fine-tuned on, and the settings of fine-tuning.

    Args:
        start: Start to fine-tune.
        database: Database that the training positions refer to.
        rehearsed: Databases whose images are learned from as well, but not tested on.
        config: Settings of fine-tuning and of the rehearsal.

    Raises:
        DatabaseError: If the database has a single photo, or all its photos have the same score.
        TrainingError: If a rehearsed image is also one of the database, on which a split may test.
    """

    def __init__(self, start: Start, database: Database, rehearsed: Sequence[Database], config: TuningConfig) -> None:
        require_learnable(database)
        for other in rehearsed:
            if copied := database.find_copy(other):
                raise TrainingError(
                    f"{copied} is to be rehearsed and is also a photo of {database.name}, on which a split may test: "
                    "rehearse other images."
                )
        self.start, self.database, self.rehearsed, self.config = start, database, rehearsed, config
        images = [*database.images, *(image for other in rehearsed for image in other)]
        self.photos = TrainingPhotos(images, start.preprocessing)

    @property
    def rehearsal(self) -> dict[str, str | float]:
        """Entries of results and cards about the rehearsal: the names of its databases, and its share."""
        share = self.config.rehearsal_share if self.rehearsed else 0.0
        return {"rehearsed": ", ".join(other.name for other in self.rehearsed), "rehearsal_share": share}

    def config_for(self, photos: int, seed: int) -> FineTuneConfig:
        """Return the settings of one training.

        Args:
            photos: Number of training photos.
            seed: Seed of everything random.
        """
        config = dataclasses.replace(self.config.tuning, seed=seed)
        return enough_epochs(config, photos, self.config.least_steps)

    def train(self, positions: Sequence[int], config: FineTuneConfig, state: Path) -> Work[Regressor]:
        """Fine-tune on some of the database's images and on some of the rehearsed ones.

        Args:
            positions: Positions of the images to learn from, including the validation part.
            config: Settings of this training, with its seed.
            state: File for the state of the unfinished training.
        """
        training, validation = list(positions), []
        if config.validation_share:
            groups = self.database.take(training).groups()
            first, second = split_by_group(groups, config.validation_share, config.seed)
            training, validation = [positions[i] for i in first], [positions[i] for i in second]
        # The rehearsed images come after the database's own in `photos`.
        others = np.arange(len(self.database), len(self.photos))
        drawn = np.random.default_rng((config.seed, 3)).permutation(others)
        share = self.config.rehearsal_share if self.rehearsed else 0.0
        training += drawn[: round(share * len(training))].tolist()
        network = self.start.network(config.seed)
        work = fine_tune(network, self.photos, training, config, validation=validation, state_file=state)
        return (yield from work).network
