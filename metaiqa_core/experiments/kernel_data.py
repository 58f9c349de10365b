"""What a kernel head is fitted on and judged by: the features and opinion scores of a database's images."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from metaiqa_core.databases.rated_image import Database
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.training.kernel_regression import StudyScores
from metaiqa_core.training.pooled_features import pooled_features


class RatedFeatures:
    """Images of one database as a kernel head sees them.

    Args:
        database: The database.
        tones: Number of tones that the head sees besides what the network pools.
    """

    def __init__(self, database: Database, tones: int = 0) -> None:
        self.database = database
        self._tones = tones
        self._rows: dict[int, np.ndarray] = {}

    def compute(
        self, network: Regressor, positions: Sequence[int], preprocessing: Preprocessing, folder: Path
    ) -> Work[None]:
        """Compute the features of some images, or read those that are kept.

        Args:
            network: The network, whose head is not used.
            positions: Positions of the images in the database.
            preprocessing: Steps from a photo to the network's input.
            folder: Folder of the kept features.
        """
        if positions:
            images = [self.database.images[position] for position in positions]
            features = yield from pooled_features(network, images, preprocessing, folder, tones=self._tones)
            self._rows |= dict(zip(positions, features, strict=True))

    def at(self, positions: Iterable[int]) -> StudyScores:
        """Return the features and the opinion scores of some images, in that order."""
        chosen = list(positions)
        scores = np.array([self.database.images[position].unit_score for position in chosen])
        return StudyScores(self.database.name, np.stack([self._rows[position] for position in chosen]), scores)


def chosen_positions(allowed: Sequence[int], most: int | None, seed: int) -> list[int]:
    """Return at most so many of some positions, drawn by a seed, in their order; None: all of them."""
    chosen = np.random.default_rng((seed, 3)).permutation(len(allowed))[:most]
    return [allowed[place] for place in sorted(chosen)]
