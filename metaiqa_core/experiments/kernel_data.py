"""What a kernel head is fitted on: the features and opinion scores of several databases' images."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.experiments.joint_configuration import NATIVE_SIDE
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.training.pooled_features import Features, pooled_features


@dataclass(frozen=True, eq=False)
class RatedFeatures:
    """Images of one database as a kernel head sees them.

    Attributes:
        database: Name of the database.
        images: The images, N.
        features: Their pooled features (N, P), float32.
        unit_scores: Their opinion scores (N,), in [0, 1].
    """

    database: str
    images: tuple[RatedImage, ...]
    features: Features
    unit_scores: NDArray[np.float64]

    def subset(self, positions: Sequence[int]) -> "RatedFeatures":
        """Return some of the images."""
        images = tuple(self.images[position] for position in positions)
        return RatedFeatures(self.database, images, self.features[positions], self.unit_scores[positions])


def rated_features(
    network: Regressor, database: Database, images: Sequence[RatedImage], preprocessing: Preprocessing, folder: Path
) -> Work[RatedFeatures]:
    """Compute the features of a database's images, or read those that are kept.

    Args:
        network: The network, whose head is not used.
        database: The database.
        images: Those of its images that are wanted.
        preprocessing: Steps from a photo to the network's input; images that were made from references are seen at
            their own size, as their damage is measured in pixels.
        folder: Folder of the kept features.
    """
    if all(image.reference for image in database):
        preprocessing = replace(preprocessing, minimum_side=NATIVE_SIDE)
    features = yield from pooled_features(network, images, preprocessing, folder)
    scores = np.array([image.unit_score for image in images])
    return RatedFeatures(database.name, tuple(images), features, scores)


def images_to_learn_from(
    database: Database, most: Mapping[str, int], held_out: Collection[str], seed: int
) -> list[RatedImage]:
    """Return the images of a database that a head may be fitted on, in the database's order.

    Args:
        database: The database.
        most: Number of images at most, by the name of the database; all of one that is not named.
        held_out: Names of image files to leave out.
        seed: Seed of the choice among more.
    """
    allowed = [image for image in database if image.path.name not in held_out]
    chosen = np.random.default_rng((seed, 3)).permutation(len(allowed))[: most.get(database.name)]
    return [allowed[place] for place in sorted(chosen)]
