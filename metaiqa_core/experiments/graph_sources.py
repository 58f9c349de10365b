"""The photos of a graph model: distorted ones, good authentic ones, and distorted copies of these."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.distortions import KADID10K, LEVELS, distort
from metaiqa_core.errors import DatabaseError, TrainingError
from metaiqa_core.experiments.kernel_data import chosen_positions
from metaiqa_core.images import Photo
from metaiqa_core.images.photo_folders import FolderScan
from metaiqa_core.models.distortion_graph.quarter_features import QuarterFeatures
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import Work
from metaiqa_core.training.graph_data import DefectImages
from metaiqa_core.training.quarter_rows import quarter_rows

CHOICE_SEED = 0
"""Seed of the choice of images and of the distortions of copies: one for all runs, so that they share features."""


def undamaged_photos(folder: Path) -> Database:
    """Return the photos of a folder as photos in which nothing is wrong, each with the best score.

    Args:
        folder: Folder of photos without opinion scores.

    Raises:
        DatabaseError: If there is no photo in it.
    """
    files = FolderScan().photos_in(folder) if folder.is_dir() else []
    if not files:
        raise DatabaseError(f"There are no photos in {folder}: name a folder of undamaged photos.")
    return Database(folder.resolve().name, tuple(RatedImage(file, 1.0, 1.0) for file in files), (0.0, 1.0))


class GraphSources:
    """Databases as a graph model sees them; features are computed once and kept.

    Args:
        module: The backbone, from photos to the features of their quarters.
        preprocessing: Steps from a photo to its input.
        folder: Folder of the kept features.
    """

    def __init__(self, module: QuarterFeatures, preprocessing: Preprocessing, folder: Path) -> None:
        self._module, self._preprocessing, self._folder = module, preprocessing, folder

    def typed(self, database: Database, most: int | None) -> Work[DefectImages]:
        """Return images of a database whose distortion types and levels are known.

        Args:
            database: The database.
            most: Number of images at most, drawn with `CHOICE_SEED`.

        Raises:
            TrainingError: If an image has no type or level, or one that is none.
        """
        positions = chosen_positions(range(len(database)), most, CHOICE_SEED)
        images = [database.images[position] for position in positions]
        if unknown := next((image for image in images if image.distortion_type is None or image.level is None), None):
            raise TrainingError(
                f"Graph training needs the distortion type and the level of every image, and {unknown.name} of "
                f"{database.name} lacks one: use a database that `synthesize` made, or KADID-10k."
            )
        return (yield from self._images(images, [image.reference or image.name for image in images], database.name))

    def good(self, database: Database, share: float, most: int | None) -> Work[DefectImages]:
        """Return authentic photos that people find good, in which nothing is to be found.

        Args:
            database: Rated authentic photos.
            share: Share of the photos that counts as good.
            most: Number of photos at most, drawn with `CHOICE_SEED`.
        """
        photos = self._good_photos(database, share, most)
        return (yield from self._images(photos.images, photos.groups(), database.name))

    def degraded(self, database: Database, share: float, most: int | None, copies: int) -> Work[DefectImages]:
        """Return distorted copies of good authentic photos, of types and levels that are drawn with `CHOICE_SEED`.

        Args:
            database: Rated authentic photos.
            share: Share of the photos that counts as good.
            most: Number of photos at most.
            copies: Number of copies of each.
        """
        photos = self._good_photos(database, share, most)
        draws = np.random.default_rng((CHOICE_SEED, 7))
        kinds = draws.integers(len(KADID10K), size=len(photos) * copies)
        levels = draws.choice(LEVELS, size=len(kinds))
        images = [
            replace(image, distortion_type=KADID10K[kind].key, level=int(level))
            for image, kind, level in zip(photos.images * copies, kinds, levels, strict=True)
        ]

        def change(photo: Photo, number: int) -> NDArray[np.uint8]:
            return distort(self._preprocessing.pixels(photo), KADID10K[kinds[number]], int(levels[number]), seed=number)

        made = [f"{image.distortion_type} {image.level}" for image in images]
        features = yield from quarter_rows(
            self._module, images, self._preprocessing, self._folder, change=change, changes=made
        )
        contents = [f"{database.name} {group}" for group in photos.groups() * copies]
        return DefectImages.of_database(images, features, contents)

    def _good_photos(self, database: Database, share: float, most: int | None) -> Database:
        order = sorted(range(len(database)), key=lambda position: -database.images[position].unit_score)
        best = sorted(order[: max(2, round(share * len(database)))])
        return database.take(chosen_positions(best, most, CHOICE_SEED))

    def _images(self, images: Sequence[RatedImage], contents: Sequence[str], name: str) -> Work[DefectImages]:
        features = yield from quarter_rows(self._module, images, self._preprocessing, self._folder)
        return DefectImages.of_database(images, features, [f"{name} {content}" for content in contents])
