"""One photo on the bench: the scores of its distorted versions, level by level, as they are asked for."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from PIL import Image

from metaiqa_core.assess import Assessor
from metaiqa_core.distortions import LEVELS, DistortionType, distort
from metaiqa_core.images import png
from metaiqa_core.level_response import LevelResponse, read_level
from pages.shared.encoding import data_uri, jpeg
from pages.shared.failures import explain

_THUMBNAIL_SIDE = 168
_PICTURES_KEPT = 12


@dataclass(eq=False)
class Bench:
    """A photo at the working size, under one model and one seed.

    Attributes:
        assessor: Model that scores, by its engine.
        pixels: Pixels of the undistorted photo, (height, width, 3), uint8.
        seed: Seed of all distortions.
        undistorted: Score of the undistorted photo at this size, 0-100.
        scores: Scores that are known, 0-100, by type and level.
        thumbnails: Data URIs of the same levels, by type and level.
        failures: Reason why a type cannot be applied, one sentence, by type.
    """

    assessor: Assessor
    pixels: np.ndarray
    seed: int
    undistorted: float
    scores: dict[str, dict[int, float]] = field(default_factory=dict)
    thumbnails: dict[str, dict[int, str]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._picture = lru_cache(_PICTURES_KEPT)(self._draw)

    def score(self, entry: DistortionType, level: int) -> float | None:
        """Return the score of a level from 1 to 5; None where it is not known."""
        return self.scores.get(entry.key, {}).get(level)

    def is_done(self, entry: DistortionType) -> bool:
        """Return whether all levels of a type are scored, or the type cannot be applied."""
        return not self.missing_levels(entry)

    def missing_levels(self, entry: DistortionType) -> list[int]:
        """Return the levels of a type that are not scored yet; none where the type cannot be applied."""
        known = self.scores.get(entry.key, {})
        return [] if entry.key in self.failures else [level for level in LEVELS if level not in known]

    def waiting(self, entries: Iterable[DistortionType]) -> list[DistortionType]:
        """Return the types with levels that are not scored yet, in the same order."""
        return [entry for entry in entries if not self.is_done(entry)]

    def measure(self, entry: DistortionType, level: int) -> None:
        """Distort and score a level of a type, if it is not scored yet; a failure is kept as its reason.

        A click starts a new thread while the old one may still be in this method; the new one waits for its turn.
        """
        with self._turn:
            if level in self.missing_levels(entry):
                try:
                    reading = read_level(self.assessor, self.pixels, entry, level, seed=self.seed)
                except Exception as error:
                    self.failures[entry.key] = explain(error)
                else:
                    self.thumbnails.setdefault(entry.key, {})[level] = _thumbnail(reading.pixels)
                    self.scores.setdefault(entry.key, {})[level] = reading.score

    def step(self, entry: DistortionType) -> None:
        """Distort and score one more level of a type, the lowest that is missing."""
        if missing := self.missing_levels(entry):
            self.measure(entry, missing[0])

    def response(self, entry: DistortionType) -> LevelResponse | None:
        """Return the scores of all levels of a type; None before they are known."""
        scores = self.scores.get(entry.key, {})
        if len(scores) < len(LEVELS):
            return None
        return LevelResponse(entry, (self.undistorted, *(scores[level] for level in LEVELS)))

    def picture(self, entry: DistortionType, level: int) -> bytes:
        """Return the photo at a level as PNG; level 0 is undistorted. The last few are kept.

        Raises:
            DistortionError: If the type cannot be applied to this photo.
        """
        return self._picture(entry.key if level else "", level)

    def _draw(self, key: str, level: int) -> bytes:
        return png(distort(self.pixels, key, level, seed=self.seed) if level else self.pixels)


def _thumbnail(pixels: np.ndarray) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    return data_uri(jpeg(image, 75))
