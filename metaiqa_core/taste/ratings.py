"""What a person has said about photos: stars, or which of two is better; photos are known by their names."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

MOST_STARS = 5


@dataclass(frozen=True)
class Star:
    """A rating in stars.

    Attributes:
        photo: Name of the photo.
        stars: 1 (bad) to 5 (excellent).
    """

    photo: str
    stars: int

    def __post_init__(self) -> None:
        if not 1 <= self.stars <= MOST_STARS:
            raise ValueError(f"stars must be a whole number from 1 to {MOST_STARS}, got {self.stars}")

    @property
    def photos(self) -> tuple[str, ...]:
        """Names of the photos that this is about."""
        return (self.photo,)


@dataclass(frozen=True)
class Choice:
    """A choice between two photos.

    Attributes:
        better: Name of the photo that the person prefers.
        worse: Name of the other photo.
    """

    better: str
    worse: str

    def __post_init__(self) -> None:
        if self.better == self.worse:
            raise ValueError(f"a choice is between two photos, got {self.better!r} twice")

    @property
    def photos(self) -> tuple[str, ...]:
        """Names of the photos that this is about."""
        return self.better, self.worse


Rating = Star | Choice


@dataclass(frozen=True)
class Ratings:
    """Ratings in the order in which they were given; a later one about the same photo, or the same two, replaces.

    Attributes:
        given: All of them, also the replaced ones.

    >>> ratings = Ratings().with_rating(Star("a", 2)).with_rating(Star("a", 4))
    >>> ratings.stars, ratings.without_last().stars
    ({'a': 4}, {'a': 2})
    """

    given: tuple[Rating, ...] = ()

    @classmethod
    def of(cls, given: Iterable[Rating]) -> Self:
        """Return ratings in the order in which they come."""
        return cls(tuple(given))

    def with_rating(self, rating: Rating) -> "Ratings":
        """Return these ratings and one more."""
        return Ratings((*self.given, rating))

    def without_last(self) -> "Ratings":
        """Return the ratings before the last one was given; none stay none."""
        return Ratings(self.given[:-1])

    def without_photo(self, photo: str) -> "Ratings":
        """Return the ratings that are not about a photo."""
        return Ratings(tuple(rating for rating in self.given if photo not in rating.photos))

    @cached_property
    def stars(self) -> dict[str, int]:
        """Stars by photo, the latest that were given."""
        return {rating.photo: rating.stars for rating in self.given if isinstance(rating, Star)}

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The latest choice between each two photos."""
        latest = {frozenset(rating.photos): rating for rating in self.given if isinstance(rating, Choice)}
        return tuple(latest.values())

    @cached_property
    def photos(self) -> tuple[str, ...]:
        """Names of all photos that something was said about, each once."""
        return tuple(dict.fromkeys(photo for rating in self.given for photo in rating.photos))

    def __len__(self) -> int:
        """Return the number of ratings that hold: photos with stars, and pairs with a choice."""
        return len(self.stars) + len(self.choices)
