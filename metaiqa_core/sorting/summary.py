"""Where one stands: how many photos are weak, doubles, kept, rejected and undecided, in one line."""

from collections.abc import Iterable
from dataclasses import dataclass

from metaiqa_core.assessment import WORDS
from metaiqa_core.sorting.decisions import Decision

WEAK = WORDS[:2]
"""Grades of a weak photo."""


@dataclass(frozen=True)
class Summary:
    """Numbers of photos.

    Attributes:
        photos: All of them.
        weak: Those with a grade in `WEAK`.
        similar: Those in a stack under a better one.
        kept: Those to keep.
        rejected: Those to throw away.
        unreadable: Those that could not be read.
    """

    photos: int
    weak: int
    similar: int
    kept: int
    rejected: int
    unreadable: int = 0

    @property
    def undecided(self) -> int:
        """Number of photos without a decision."""
        return self.photos - self.kept - self.rejected

    def in_words(self) -> str:
        """Return the numbers as one line.

        >>> Summary(60, 18, 5, 31, 9).in_words()
        '60 photos: 18 weak, 5 similar to a better one · 31 kept, 9 rejected, 20 undecided'
        """
        noun = "photo" if self.photos == 1 else "photos"
        unreadable = f", {self.unreadable:,} of them unreadable" if self.unreadable else ""
        return (
            f"{self.photos:,} {noun}{unreadable}: {self.weak:,} weak, {self.similar:,} similar to a better one · "
            f"{self.kept:,} kept, {self.rejected:,} rejected, {self.undecided:,} undecided"
        )


def summarise(photos: Iterable[tuple[str | None, bool, Decision]], unreadable: int = 0) -> Summary:
    """Count photos.

    Args:
        photos: Grade (None without a score), whether it lies in a stack under a better one, and decision of each.
        unreadable: Number of those that could not be read.
    """
    rows = list(photos)
    decisions = [decision for _, _, decision in rows]
    return Summary(
        photos=len(rows),
        weak=sum(word in WEAK for word, _, _ in rows),
        similar=sum(is_under for _, is_under, _ in rows),
        kept=decisions.count(Decision.KEEP),
        rejected=decisions.count(Decision.REJECT),
        unreadable=unreadable,
    )
