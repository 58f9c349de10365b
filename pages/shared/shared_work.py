"""Work that two threads may step: a click starts a new one while the old one is still in the middle of a step."""

import threading
from typing import Generic, TypeVar

from metaiqa_core.progress import Progress, Work

Result = TypeVar("Result")


class SharedWork(Generic[Result]):
    """A piece of work that waits for whoever is at it; its end is the same for all.

    Args:
        work: The work itself, which nobody else steps.
    """

    def __init__(self, work: Work[Result]) -> None:
        self._work = work
        self._turn = threading.Lock()
        self._end: BaseException | None = None

    def __iter__(self) -> "SharedWork[Result]":
        return self

    def __next__(self) -> Progress:
        """Take one step.

        Raises:
            StopIteration: With the result, when all is done; with None when it was closed before.
        """
        with self._turn:
            if self._end is None:
                try:
                    return next(self._work)
                except BaseException as end:
                    self._end = end
        if isinstance(self._end, StopIteration):
            raise StopIteration(self._end.value)
        raise self._end

    def close(self) -> None:
        """Cancel what is not done, after the step that is under way."""
        with self._turn:
            self._work.close()
            self._end = self._end or StopIteration()
