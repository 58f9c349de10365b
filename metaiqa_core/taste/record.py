"""The record of a taste: its photos and its ratings, as its file holds them."""

from dataclasses import dataclass, replace
from typing import Annotated

from annotated_types import Interval, Len

from metaiqa_core.json_files import STRICT
from metaiqa_core.taste.ratings import MOST_STARS, Choice, Rating, Ratings, Star

Key = Annotated[str, Len(1, 64)]


@dataclass(frozen=True)
class KeptPhoto:
    """A photo of a taste.

    Attributes:
        key: SHA-256 of the file that it came as, 64 hexadecimal digits.
        name: File name, for people.
    """

    __pydantic_config__ = STRICT

    key: Annotated[str, Len(64, 64)]
    name: Annotated[str, Len(1, 1000)]

    def __post_init__(self) -> None:
        if set(self.key) - set("0123456789abcdef"):
            raise ValueError(f"key must be hexadecimal, got {self.key!r:.80}")


@dataclass(frozen=True)
class _Said:
    """A rating as the file holds it: stars of a photo, or a choice."""

    __pydantic_config__ = STRICT

    photo: Key = "-"
    stars: Annotated[int, Interval(ge=0, le=MOST_STARS)] = 0
    better: Key = "-"
    worse: Key = "-"

    def __post_init__(self) -> None:
        self.rating()  # a file may hold a photo that is better than itself

    def rating(self) -> Rating:
        return Star(self.photo, self.stars) if self.stars else Choice(self.better, self.worse)

    @classmethod
    def of(cls, rating: Rating) -> "_Said":
        if isinstance(rating, Star):
            return cls(photo=rating.photo, stars=rating.stars)
        return cls(better=rating.better, worse=rating.worse)


@dataclass(frozen=True)
class TasteRecord:
    """What is known of a taste: its photos and its ratings, which name photos by their keys.

    Attributes:
        name: Name, which is also that of the personal model.
        photos: Photos, in the order in which they came.
        said: Ratings, in the order in which they were given.
        skipped: Keys of photos, or pairs of them, that the person did not want to judge.
        model: Name of the general model that is taught.
        version: Version of the file.
    """

    __pydantic_config__ = STRICT

    name: Annotated[str, Len(1, 200)]
    photos: tuple[KeptPhoto, ...] = ()
    said: tuple[_Said, ...] = ()
    skipped: tuple[tuple[Key, ...], ...] = ()
    model: Annotated[str, Len(1, 1000)] = "default"
    version: Annotated[int, Interval(ge=1, le=1)] = 1

    @property
    def ratings(self) -> Ratings:
        """The ratings."""
        return Ratings.of(one.rating() for one in self.said)

    def with_ratings(self, ratings: Ratings) -> "TasteRecord":
        """Return the record with other ratings."""
        return replace(self, said=tuple(map(_Said.of, ratings.given)))

    def with_model(self, model: str) -> "TasteRecord":
        """Return the record with another general model."""
        return replace(self, model=model)

    def names(self) -> dict[str, str]:
        """Return a different name for each photo, by its key: equal file names get a number."""
        found: dict[str, str] = {}
        taken: set[str] = set()
        for photo in self.photos:
            name, number = photo.name, 1
            while name in taken:
                number += 1
                stem, dot, suffix = photo.name.rpartition(".")
                name = f"{stem} ({number}).{suffix}" if dot else f"{photo.name} ({number})"
            taken.add(name)
            found[photo.key] = name
        return found
