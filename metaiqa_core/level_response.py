"""The fall of a model's score from level to level of a distortion, compared with people's opinion scores.

People's curves are averages over the photos of a database, so they are not about this photo. The comparison is
therefore between losses of score by the distortion, not between the scores themselves. With Q(l) the model's score at
level l and P(l) people's, in points of 100,

    gap(l) = (P* - P(l)) - (Q(0) - Q(l)),

where P* stands for people's score of undistorted photos. Neither database publishes one: P* is the highest mean that
any type and level of the database got, which in KADID-10k is that of the levels that change nothing.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from metaiqa_core.assess import Assessor
from metaiqa_core.distortions import CATALOGUE, LEVELS, SMALLEST_SIDE, DistortionType, distort
from metaiqa_core.distortions.distortion_type import Database
from metaiqa_core.distortions.opinion_scores import OpinionScore, opinion_curve
from metaiqa_core.errors import DistortionError
from metaiqa_core.images import Photo

WORKING_PIXELS = 512 * 384
"""The size of the photos of KADID-10k and TID2013, for which the level parameters in pixels are meant."""

_DISTINCT_ERRORS = 2.0
"""Two levels are told apart where people's means differ by more than this many standard errors of the difference."""


@dataclass(frozen=True, eq=False)
class LevelReading:
    """One level of one distortion on one photo.

    Attributes:
        level: Level of the distortion, 1 to 5.
        pixels: The distorted photo, (height, width, 3), uint8.
        score: The model's score of it, 0-100.
    """

    level: int
    pixels: np.ndarray
    score: float


@dataclass(frozen=True)
class LevelResponse:
    """The model's scores of one photo under one distortion.

    Attributes:
        distortion: Distortion type.
        scores: Scores of levels 0 (undistorted) to 5, each 0-100.
    """

    distortion: DistortionType
    scores: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.scores) != len(LEVELS) + 1:
            raise ValueError(f"expected the scores of levels 0 to {LEVELS[-1]}, got {len(self.scores)}")


@dataclass(frozen=True)
class Disagreement:
    """Difference between the responses of a model and of people to a distortion.

    Attributes:
        distortion: Distortion type.
        gaps: Differences gap(l) for levels 1 to 5, points of 100; above 0 where people see more damage than the model.
        pairs_in_order: Pairs of levels that the model puts into the order that people see.
        distinguishable_pairs: Pairs of levels that people tell apart; the others have no right order.
    """

    distortion: DistortionType
    gaps: tuple[float, ...]
    pairs_in_order: int
    distinguishable_pairs: int

    @property
    def rmse(self) -> float:
        """Root mean square of the gaps: how badly the model misreads this type, in points of 100."""
        return math.sqrt(sum(gap**2 for gap in self.gaps) / len(self.gaps))

    @property
    def mean_gap(self) -> float:
        """Mean of the gaps: above 0 where the model is too mild, below 0 where it is too harsh."""
        return sum(self.gaps) / len(self.gaps)

    @property
    def order(self) -> float:
        """Share of the pairs told apart that the model puts into the right order; 1 where people tell none apart."""
        return self.pairs_in_order / self.distinguishable_pairs if self.distinguishable_pairs else 1.0


def working_copy(photo: Photo) -> np.ndarray:
    """Return a photo at the databases' scale: shrunk to as many pixels as 512 x 384, never enlarged.

    Args:
        photo: Photo decoded at full size or reduced.

    Returns:
        (height, width, 3), uint8, upright.

    Raises:
        DistortionError: If a side has fewer than 32 pixels.
    """
    width, height = photo.full_size
    if min(width, height) < SMALLEST_SIDE:
        raise DistortionError(
            f"Expected a photo of at least {SMALLEST_SIDE}x{SMALLEST_SIDE} pixels, got {width}x{height}; "
            "choose a larger one."
        )
    scale = min(1.0, math.sqrt(WORKING_PIXELS / (width * height)))
    size = (round(width * scale), round(height * scale))
    if size == photo.pixels.shape[1::-1]:
        return photo.pixels
    image = Image.fromarray(np.asarray(photo.pixels))
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS, box=photo.extent, reducing_gap=3.0))


def read_level(
    assessor: Assessor, pixels: np.ndarray, distortion: DistortionType, level: int, *, seed: int = 0
) -> LevelReading:
    """Distort a photo at one level and score it.

    Args:
        assessor: Model that scores.
        pixels: Pixels of the photo, (height, width, 3), uint8.
        distortion: Distortion type.
        level: Level of the distortion, 1 to 5.
        seed: Seed of the distortion's random draws, 0 or more.

    Raises:
        DistortionError: If the type cannot be applied to this photo.
    """
    distorted = distort(pixels, distortion, level, seed=seed)
    return LevelReading(level, distorted, assessor.assess(distorted).score)


def compare_with_people(response: LevelResponse, people: Sequence[OpinionScore] | None = None) -> Disagreement:
    """Compare the loss of score at each level, by the model and by people.

    Args:
        response: Scores of the model.
        people: Opinion scores of levels 1 to 5, in unit scores; None for those published for the type.
    """
    people = opinion_curve(response.distortion) if people is None else people
    undistorted, *scores = response.scores
    best = best_opinion(response.distortion.database)
    gaps = [100 * (best - opinion.mean) - (undistorted - score) for opinion, score in zip(people, scores, strict=True)]
    in_order = told_apart = 0
    for (opinion, score), (other, its_score) in itertools.combinations(zip(people, scores, strict=True), 2):
        difference = opinion.mean - other.mean
        if abs(difference) > _DISTINCT_ERRORS * math.hypot(_standard_error(opinion), _standard_error(other)):
            told_apart += 1
            in_order += difference * (score - its_score) > 0
    return Disagreement(response.distortion, tuple(gaps), in_order, told_apart)


def most_misread(responses: Iterable[LevelResponse]) -> list[Disagreement]:
    """Return the disagreement of each response with people, the largest RMSE first."""
    return sorted(map(compare_with_people, responses), key=lambda disagreement: -disagreement.rmse)


@cache
def best_opinion(database: Database) -> float:
    """Return P*, the highest mean opinion of any type and level of a database, as a unit score."""
    types = [entry for entry in CATALOGUE if entry.database == database]
    return max(opinion.mean for entry in types for opinion in opinion_curve(entry))


def _standard_error(opinion: OpinionScore) -> float:
    return opinion.std / math.sqrt(opinion.count)
