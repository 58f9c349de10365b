"""Progress of long work: generators yield `Progress` and return their result; readers draw it as they like."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

Result = TypeVar("Result")


class Kind(StrEnum):
    """The unit whose end a `Progress` reports: a step, an epoch, or a place with its outcome."""

    STEP = "step"
    EPOCH = "epoch"
    OUTCOME = "outcome"


@dataclass(frozen=True)
class Progress:
    """One step of long work.

    Attributes:
        stage: Current activity, in words for the user.
        step: Number of steps done so far, from 1.
        total: Number of steps in all.
        metrics: Numbers to draw as curves, by name.
        place: Name of the part of larger work that this belongs to, such as "split 1 of 10"; empty where there are no
            parts.
        number: Number of the part, from 1; 0 without a place.
        places: Number of such parts in all; 0 without a place.
        kind: Unit that ends with this step: a step, an epoch, or a place.
    """

    stage: str
    step: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    place: str = ""
    number: int = 0
    places: int = 0
    kind: Kind = Kind.STEP

    @property
    def title(self) -> str:
        """The place and the stage, in words for the user.

        >>> Progress("fine-tuning", 1, 40, place="split 1 of 10", number=1, places=10).title
        'split 1 of 10: fine-tuning'
        """
        return f"{self.place}: {self.stage}" if self.place else self.stage


Work = Generator[Progress, None, Result]


def outcome(
    place: str, number: int, places: int, metrics: Mapping[str, float] | None = None, stage: str = "done"
) -> Progress:
    """Return the report that ends a place; its steps are the places.

    Args:
        place: Name of the place.
        number: Number of the place, from 1.
        places: Number of places in all.
        metrics: Results by name.
        stage: Ending in words for the user.
    """
    return Progress(stage, number, places, metrics or {}, place, number, places, Kind.OUTCOME)


def passed_on(work: Work[Result], change: Callable[[Progress], Progress]) -> Work[Result]:
    """Pass work through with each report changed.

    Args:
        work: The work; closed with this generator.
        change: Function of each report that returns the one to pass on.
    """
    try:
        while True:
            try:
                progress = next(work)
            except StopIteration as stop:
                return stop.value
            yield change(progress)
    finally:
        work.close()


def placed(work: Work[Result], place: str, number: int, places: int) -> Work[Result]:
    """Pass work through as the work at one of several places; a place that it names itself becomes part of the stage.

    Args:
        work: Work of the place; closed with this generator.
        place: Name of the place.
        number: Number of the place, from 1.
        places: Number of places in all.
    """
    return passed_on(
        work, lambda progress: replace(progress, stage=progress.title, place=place, number=number, places=places)
    )


def finish(work: Work[Result], show: Callable[[Progress], None] | None = None) -> Result:
    """Run work to its end, showing each step, and return its result."""
    while True:
        try:
            progress = next(work)
        except StopIteration as stop:
            return stop.value
        if show:
            show(progress)
