"""Stacks of photos of one moment: bursts, copies and near-duplicates, the best on top."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from metaiqa_core.databases import near_duplicates

BURST_SECONDS = 2.0
"""Longest time between two photos of a burst, seconds."""
BURST_SCENE = 20
"""Maximum number of differing hash bits (of 64) within a burst, where things move; of two unrelated photos in five
hundred differ in so few by chance."""
SAME_QUALITY = 3.0
"""Points within which two photos of one moment count as equally good, so that the one with more pixels is on top."""


@dataclass(frozen=True)
class StackedPhoto:
    """What stacks are made of.

    Attributes:
        key: Key of the photo.
        score: Score, 0-100; None where there is none.
        pixels: Number of pixels.
        perceptual_hash: 64-bit perceptual hash; None where there is none.
        taken: Time of capture by the camera's clock; None where the file does not say.
        camera: Name of the camera; empty where the file does not say.
    """

    key: str
    score: float | None
    pixels: int
    perceptual_hash: int | None
    taken: datetime | None = None
    camera: str = ""


def stacks(photos: Iterable[StackedPhoto]) -> list[list[str]]:
    """Return the stacks of two photos or more: the keys of each, the best first.

    The best is good and large: of the photos whose scores lie within `SAME_QUALITY` of the highest one in the stack it
    is the one with most pixels. The others follow by their scores.

    Args:
        photos: Photos in any order; stacks are in the order of their first members.
    """
    by_key = {photo.key: photo for photo in photos}
    hashes = {key: photo.perceptual_hash for key, photo in by_key.items()}
    found = near_duplicates.groups(hashes, _bursts(list(by_key.values())))
    return [_best_first([by_key[key] for key in group]) for group in found]


def _bursts(photos: Sequence[StackedPhoto]) -> list[tuple[str, str]]:
    """Return the pairs of photos that one camera took one after the other, at once, of the same scene."""
    timed = sorted(
        (photo.camera, photo.taken, number)
        for number, photo in enumerate(photos)
        if photo.taken is not None and photo.perceptual_hash is not None
    )
    pairs = []
    for (camera, taken, number), (other_camera, other_taken, other_number) in pairwise(timed):
        one, other = photos[number], photos[other_number]
        distance = ((one.perceptual_hash or 0) ^ (other.perceptual_hash or 0)).bit_count()
        if (
            camera == other_camera
            and other_taken - taken <= timedelta(seconds=BURST_SECONDS)
            and distance <= BURST_SCENE
        ):
            pairs.append((one.key, other.key))
    return pairs


def _best_first(photos: Sequence[StackedPhoto]) -> list[str]:
    """Return the keys of one stack, the best first."""
    by_score = sorted(photos, key=lambda photo: (photo.score is None, -(photo.score or 0)))
    highest = by_score[0].score
    if highest is None:
        return [photo.key for photo in by_score]
    equal = [photo for photo in by_score if photo.score is not None and highest - photo.score <= SAME_QUALITY]
    best = max(equal, key=lambda photo: photo.pixels)  # the first one, which scores highest, of those with as many
    return [best.key, *(photo.key for photo in by_score if photo is not best)]
