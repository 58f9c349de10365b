"""The databases that joint training learns from, and the batches that hold images of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.errors import TrainingError
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.training.joint_configuration import JointConfig
from metaiqa_core.training.photos import TrainingPhotos
from metaiqa_core.training.random_order import in_random_order


@dataclass(frozen=True, eq=False)
class Study:
    """One database that is learned from.

    Attributes:
        name: Name of the database.
        photos: Its images, as the model's inputs.
        training: Positions in `photos` to learn from.
        share: Share of each batch that its images make up; shares are relative to each other.
    """

    name: str
    photos: TrainingPhotos
    training: Sequence[int]
    share: float


def refuse_shared_photos(training: Sequence[Database], held_out: Sequence[Database]) -> None:
    """Raise a `TrainingError` if a photo to learn from is also one, in whatever database, to be judged by."""
    for learned in training:
        for judged in held_out:
            if copied := judged.find_copy(learned):
                raise TrainingError(
                    f"{copied} of {learned.name} is to be learned from and is also a held-out photo of {judged.name}: "
                    "leave it out of one of the two databases."
                )


class StudyBatches:
    """Batches that hold images of every study, in the shares of the studies.

    Args:
        studies: Databases to learn from.
        network: Network whose frozen first stages the crops pass through.
        config: Size of a batch, kind of crops, and the seed of the order.

    Attributes:
        counts: Number of images of each study in a batch, at least two.

    Raises:
        TrainingError: If a share is not above 0, or a study has fewer than two photos or no place in a batch.
    """

    def __init__(self, studies: Sequence[Study], network: Regressor, config: JointConfig) -> None:
        self.counts = _counts(studies, config.batch_size)
        self._studies, self._config = studies, config
        self._features = [
            study.photos.frozen_features(network, config.frozen_stages, of_crops=True) for study in studies
        ]

    def draw(self, number: int, generator: np.random.Generator) -> tuple[list[Tensor], list[Tensor]]:
        """Return a batch; a study's photos pass in random order, each once before any comes again.

        Args:
            number: Number of the batch, from 0.
            generator: Source of crops and mirrors.

        Returns:
            By study, the feature maps (B, C, h, w) of crops after the frozen stages, and the unit scores (B,).
        """
        maps, opinions = [], []
        for place, (study, count, features) in enumerate(zip(self._studies, self.counts, self._features, strict=True)):
            wanted = range(number * count, (number + 1) * count)
            positions = [int(study.training[index]) for index in self._order(place, wanted)]
            maps.append(features.batch(positions, self._config.crop, self._config.flip, generator))
            opinions.append(study.photos.unit_scores[positions])
        return maps, opinions

    def _order(self, place: int, wanted: range) -> list[int]:
        photos = len(self._studies[place].training)
        return in_random_order(wanted, photos, lambda turn: (self._config.seed, 0, place, turn))


def _counts(studies: Sequence[Study], batch_size: int) -> list[int]:
    """Divide a batch among the studies by their shares, at least two images each."""
    if any(study.share <= 0 for study in studies):
        raise TrainingError("Each database needs a share above 0 of the batches.")
    for study in studies:
        if len(study.training) < 2:
            raise TrainingError(f"{study.name} has {len(study.training)} photos to learn from: expected two or more.")
    whole = sum(study.share for study in studies)
    counts = [max(2, round(batch_size * study.share / whole)) for study in studies]
    if sum(counts) > batch_size + len(studies):
        raise TrainingError(f"A batch of {batch_size} is too small for {len(studies)} databases: two images of each.")
    return counts
