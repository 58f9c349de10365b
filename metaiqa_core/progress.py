"""How long work reports: generators yield `Progress` and return their result; readers draw it as they like."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Progress:
    """One step of something long.

    Attributes:
        stage: What is being done, in words for the user.
        step: Steps done so far, from 1.
        total: Steps in all.
        metrics: Numbers worth a curve, by name.
    """

    stage: str
    step: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)


Work = Generator[Progress, None, Result]


def renamed(work: Generator[Progress, None, Result], place: str) -> Work[Result]:
    """Pass work through, with the place of it within something larger in front of each stage."""
    try:
        while True:
            try:
                progress = next(work)
            except StopIteration as stop:
                return stop.value
            yield Progress(f"{place}: {progress.stage}", progress.step, progress.total, progress.metrics)
    finally:
        work.close()


def finish(work: Generator[Progress, None, Result], show: Callable[[Progress], None] | None = None) -> Result:
    """Run work to its end, showing each step, and return its result."""
    while True:
        try:
            progress = next(work)
        except StopIteration as stop:
            return stop.value
        if show:
            show(progress)
