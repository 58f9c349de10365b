"""The photos as rows: score, defect, stack, decision, in the order that the reader chose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from metaiqa_core.diagnosis import Diagnosis
from metaiqa_core.sorting.decisions import Decision, Decisions
from metaiqa_core.sorting.stacks import StackedPhoto, stacks
from metaiqa_core.sorting.summary import Summary, summarise
from pages.scoring import defects
from pages.shared.photo_library import SessionPhoto
from pages.shared.session_scores import ScoringResult

FAILED, WAITING = "Failed", "Waiting"
BEST_FIRST, WORST_FIRST, AS_THEY_CAME = "Best first", "Worst first", "As they came"
ORDERS = (BEST_FIRST, WORST_FIRST, AS_THEY_CAME)


@dataclass(frozen=True)
class Row:
    """One photo.

    Attributes:
        photo: Photo of the row.
        result: Scoring result of the photo; None while it waits.
        decision: Decision on the photo.
        stack: Number of its stack of similar photos, from 1; 0 for none.
        best: Whether it is on top of its stack.
        diagnosis: Answer of the graph model; None where there is none yet, or can be none.
    """

    photo: SessionPhoto
    result: ScoringResult | None
    decision: Decision = Decision.UNDECIDED
    stack: int = 0
    best: bool = False
    diagnosis: Diagnosis | None = None

    @property
    def score(self) -> float | None:
        """The score, 0-100; None where there is none."""
        return self.result.assessment.score if self.result and self.result.assessment else None

    @property
    def word(self) -> str | None:
        """The grade; None where there is no score."""
        return self.result.assessment.word if self.result and self.result.assessment else None

    @property
    def status(self) -> str:
        """The grade, or the status of a photo without one."""
        return self.word or (WAITING if self.result is None else FAILED)

    @cached_property
    def defect(self) -> Diagnosis | None:
        """The diagnosis where a visitor may be told of its defect, else None."""
        return defects.claim(self.diagnosis)

    @property
    def is_under_a_better_one(self) -> bool:
        """Whether it lies in a stack and is not on top."""
        return bool(self.stack) and not self.best


def ranked(photos: Mapping[str, SessionPhoto], results: Mapping[str, ScoringResult], decisions: Decisions) -> list[Row]:
    """Return one row a photo, best first, then those that wait, then those that failed.

    Args:
        photos: Photos by key.
        results: Scoring results by the photo's key, as far as they are known.
        decisions: Decisions on them.
    """
    found = stacks(
        StackedPhoto(
            key,
            result.assessment.score if result.assessment else None,
            result.assessment.width * result.assessment.height if result.assessment else 0,
            result.perceptual_hash,
            result.capture.taken,
            result.capture.camera,
        )
        for key, result in results.items()
    )
    number_of = {key: number for number, stack in enumerate(found, start=1) for key in stack}
    best = {stack[0] for stack in found}
    rows = [
        Row(photo, results.get(key), decisions.of(key), number_of.get(key, 0), key in best)
        for key, photo in photos.items()
    ]
    return sorted(rows, key=lambda row: (row.status == FAILED, row.score is None, -(row.score or 0)))


def ordered(rows: list[Row], order: str, came: Mapping[str, int], *, stacked: bool) -> list[Row]:
    """Return rows in an order.

    Args:
        rows: Rows, best first.
        order: One of `ORDERS`.
        came: Place of each photo in the order in which they came, by key.
        stacked: Whether each stack lies together at the place of its best, which comes first; else every photo has its
            own place.
    """

    def place(row: Row) -> tuple[bool, float]:
        score = row.score
        if order == AS_THEY_CAME:
            return False, came[row.photo.key]
        return score is None, -(score or 0) if order == BEST_FIRST else (score or 0)

    if not stacked:
        return sorted(rows, key=place)
    tops = {row.stack: place(row) for row in reversed(rows) if row.stack}
    tops |= {row.stack: place(row) for row in rows if row.best}
    return sorted(rows, key=lambda row: (*(tops[row.stack] if row.stack else place(row)), row.stack, not row.best))


def up_to_date(
    rows: list[Row], decisions: Decisions, diagnosis: Callable[[SessionPhoto], Diagnosis | None]
) -> list[Row]:
    """Return the rows with what changes more often than their scores; a row where nothing did is the same one.

    Args:
        rows: The rows.
        decisions: The decisions as they are now.
        diagnosis: Function that returns the diagnosis of a photo as far as there is one.
    """

    def of(row: Row) -> Row:
        decision, said = decisions.of(row.photo.key), diagnosis(row.photo)
        is_same = decision == row.decision and said is row.diagnosis
        return row if is_same else replace(row, decision=decision, diagnosis=said)

    return [of(row) for row in rows]


def summary_of(rows: list[Row]) -> Summary:
    """Return how many photos are weak, similar, kept and so on."""
    unreadable = sum(row.status == FAILED for row in rows)
    return summarise(((row.word, row.is_under_a_better_one, row.decision) for row in rows), unreadable)
