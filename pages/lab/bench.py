"""One photo on the bench: the scores of its distorted versions, and the distortions that are still to measure."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from PIL import Image

from metaiqa_core.assess import Assessor
from metaiqa_core.distortions import LEVELS, DistortionType, distort
from metaiqa_core.images import png
from metaiqa_core.level_response import LevelReading, LevelResponse, read_levels
from pages.shared.encoding import data_uri, jpeg
from pages.shared.failures import explain

_THUMBNAIL_SIDE = 168
_PICTURES_KEPT = 12


@dataclass(eq=False)
class Bench:
    """A photo at the working size, under one model and one seed.

    Attributes:
        assessor: Model that scores.
        pixels: Pixels of the undistorted photo, (height, width, 3), uint8.
        seed: Seed of all distortions.
        undistorted: Score of the undistorted photo, 0-100.
        scores: Scores of levels 1 to 5, as far as they are known, 0-100, by type.
        thumbnails: Data URIs of the same levels, by type.
        failures: Reason why a type cannot be applied, one sentence, by type.
    """

    assessor: Assessor
    pixels: np.ndarray
    seed: int
    undistorted: float
    scores: dict[str, list[float]] = field(default_factory=dict)
    thumbnails: dict[str, list[str]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    _started: dict[str, Iterator[LevelReading]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._picture = lru_cache(_PICTURES_KEPT)(self._draw)

    def is_done(self, entry: DistortionType) -> bool:
        """Return whether all levels of a type are scored, or the type cannot be applied."""
        return entry.key in self.failures or len(self.scores.get(entry.key, ())) == len(LEVELS)

    def waiting(self, entries: Iterable[DistortionType]) -> list[DistortionType]:
        """Return the types with levels that are not scored yet, in the same order."""
        return [entry for entry in entries if not self.is_done(entry)]

    def step(self, entry: DistortionType) -> None:
        """Distort and score one more level of a type, if one is left; a failure is kept as its reason.

        A click starts a new thread while the old one may still be in this method; the new one waits for its turn.
        """
        with self._turn:
            if not self.is_done(entry):
                self._step(entry)

    def _step(self, entry: DistortionType) -> None:
        if entry.key not in self._started:
            self._started[entry.key] = read_levels(self.assessor, self.pixels, entry, seed=self.seed)
        try:
            reading = next(self._started[entry.key])
        except Exception as error:
            self.failures[entry.key] = explain(error)
        else:
            self.thumbnails.setdefault(entry.key, []).append(_thumbnail(reading.pixels))
            self.scores.setdefault(entry.key, []).append(reading.score)
        if self.is_done(entry):
            del self._started[entry.key]

    def response(self, entry: DistortionType) -> LevelResponse | None:
        """Return the scores of all levels of a type; None before they are known."""
        scores = self.scores.get(entry.key, [])
        return LevelResponse(entry, (self.undistorted, *scores)) if len(scores) == len(LEVELS) else None

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
