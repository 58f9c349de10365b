"""The differences that a kernel head is told: between levels of one distortion, and between photos and their copies."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.experiments.kernel_copies import COPY_KINDS, DARKENED_KINDS, CopyKind
from metaiqa_core.experiments.kernel_data import RatedFeatures
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.training.kernel_differences import Differences
from metaiqa_core.training.pooled_features import pooled_features


@dataclass(frozen=True)
class DifferencesConfig:
    """Settings of the differences.

    Attributes:
        levels: Weight, for each study, of a pair of levels of one distortion of one reference; 0: no pairs.
        copies: Weight, for each study, of a photo with a worse copy of it; 0: no copies.
        darkened: Weight, for each study, of a photo with an underexposed copy of it; 0: no such copies.
        copied: Number of photos at most, by database, that are copied.
    """

    levels: float = 0.0
    copies: float = 0.0
    darkened: float = 0.0
    copied: int = 600

    def __post_init__(self) -> None:
        for name in ("levels", "copies", "darkened"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(
                    f"the weight of {name} must be a finite number of at least 0, got {getattr(self, name):g}."
                )
        if self.copied < 1:
            raise ValueError(f"at least one photo must be copied, got {self.copied}.")

    def to_dict(self) -> dict[str, float]:
        """Return the fields as JSON-ready values; none where nothing is learned from differences."""
        fields = {name: value for name, value in asdict(self).items() if name != "darkened" or value}
        return fields if self.levels or self.weighed_kinds() else {}

    def weighed_kinds(self) -> list[tuple[CopyKind, float]]:
        """Return the kinds of copies that are learned from, with the weight of a photo with its copy."""
        kinds = [(COPY_KINDS, self.copies), (DARKENED_KINDS, self.darkened)]
        return [(kind, weight) for some, weight in kinds if weight for kind in some]


def level_differences(features: RatedFeatures, positions: Sequence[int], weight: float) -> Differences | None:
    """Return all pairs of images of one reference and one distortion type; None where there are none.

    They differ by as much as their opinion scores do, on a scale from 0 to 1: a distortion costs in one study what it
    costs people in another.

    Args:
        features: Computed features of a database.
        positions: Positions of the images in the database.
        weight: Weight of a pair.
    """
    contents: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for position in positions:
        image = features.database.images[position]
        if image.reference and image.distortion_type:
            contents[image.reference, image.distortion_type].append(position)
    pairs = [pair for same in contents.values() for pair in combinations(same, 2)]
    if not pairs:
        return None
    better, worse = (features.at(side) for side in zip(*pairs, strict=True))
    return Differences(better.features, worse.features, better.unit_scores - worse.unit_scores, weight)


def copy_differences(
    network: Regressor,
    databases: Sequence[tuple[Database, Sequence[int], Preprocessing]],
    most: int,
    kinds: Sequence[tuple[CopyKind, float]],
    folder: Path,
    tones: int = 0,
) -> Work[list[Differences]]:
    """Return photos with their copies of each kind, whose features are computed or read where they are kept.

    Args:
        network: The network, whose head is not used.
        databases: Databases of authentic photos, with the positions to choose from and the steps to the input.
        most: Number of photos at most of each database: the first ones by a draw of their own.
        kinds: Kinds of copies, with the weight of a pair.
        folder: Folder of the kept features.
        tones: Number of tones that the head sees besides what the network pools.

    Yields:
        The `Progress` of the features.
    """
    found = []
    for database, positions, preprocessing in databases:
        photos = _drawn(database, positions, most)
        originals = yield from pooled_features(network, photos, preprocessing, folder, tones=tones)
        for kind, weight in kinds:
            copies = yield from pooled_features(network, photos, preprocessing, folder, kind.copy, kind.name, tones)
            falls = np.array([kind.fall(number) for number in range(len(photos))])
            found.append(Differences(originals, copies, falls, weight, are_copies=True))
    return found


def _drawn(database: Database, positions: Sequence[int], most: int) -> list[RatedImage]:
    chosen = np.random.default_rng(len(positions)).permutation(len(positions))[:most]
    return [database.images[positions[place]] for place in sorted(chosen)]
